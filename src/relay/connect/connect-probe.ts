/**
 * A plain request on the connect path: a page that asks why its handshake failed.
 *
 * Browsers tell pages nothing of a refused handshake, not even its status; an answer to `fetch` they
 * may read when it says so (CORS). Nobody is admitted here and the application is not asked, so the
 * answer speaks of the node alone.
 */

import { type OutgoingAnswer, statusAnswer } from '../outgoing-answer.ts';
import type { OriginFacts, OriginPolicy } from './origin.ts';
import { checkUpgrade, type UpgradeFacts } from './upgrade-checks.ts';

/**
 * Any page may read it: it holds nothing that is meant for one of them. Without the second line
 * scripts would see the status but no `Retry-After`.
 */
const READABLE = ['Access-Control-Allow-Origin', '*', 'Access-Control-Expose-Headers', 'Retry-After'];

/**
 * `turnedAway` is what an attempt to connect would be answered now before the application is asked,
 * null: nothing; then it is the refusal that kuiperbelt gives. A page that may not connect is told
 * so and may not read it.
 */
export function connectProbeAnswer(
  facts: UpgradeFacts,
  policy: OriginPolicy,
  turnedAway: OutgoingAnswer | null,
  asked?: Omit<OriginFacts, 'origin'>,
): OutgoingAnswer {
  const verdict = checkUpgrade(facts, policy, asked);
  const refusal = verdict.type === 'refuse' ? verdict : statusAnswer(400);
  if (refusal.status === 403) return refusal;
  const answer = turnedAway ?? refusal;
  if (facts.header('origin') === undefined) return answer;
  return { ...answer, headers: [...answer.headers, ...READABLE] };
}
