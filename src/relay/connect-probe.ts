/**
 * A plain request on the connect path: a page that asks why its handshake failed.
 *
 * Browsers tell pages nothing of a refused handshake, not even its status; an answer to `fetch` they
 * may read when it says so (CORS). Nobody is admitted here and the application is not asked, so the
 * answer speaks of the node alone.
 */
import type { OriginPolicy } from './origin.ts';
import { type OutgoingAnswer, statusAnswer, unavailableAnswer } from './outgoing-answer.ts';
import { checkUpgrade, type UpgradeFacts } from './upgrade-checks.ts';

/**
 * Any page may read it: it holds nothing that is meant for one of them. Without the second line
 * scripts would see the status but no `Retry-After`.
 */
const READABLE = ['Access-Control-Allow-Origin', '*', 'Access-Control-Expose-Headers', 'Retry-After'];

/**
 * 503 with `Retry-After` while nobody is admitted, for the reason `unavailable`; else the refusal
 * that kuiperbelt gives. A page that may not connect is told so and may not read it.
 */
export function connectProbeAnswer(
  facts: UpgradeFacts,
  policy: OriginPolicy,
  unavailable: string | null,
  host: string | undefined = facts.header('host'),
): OutgoingAnswer {
  const verdict = checkUpgrade(facts, policy, host);
  const refusal = verdict.type === 'refuse' ? verdict : statusAnswer(400);
  if (refusal.status === 403) return refusal;
  const answer = unavailable === null ? refusal : unavailableAnswer(unavailable);
  if (facts.header('origin') === undefined) return answer;
  return { ...answer, headers: [...answer.headers, ...READABLE] };
}
