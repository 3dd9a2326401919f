/**
 * Whether a request on the connect path may become a WebSocket.
 *
 * All of it is checked before the application is asked, so that the application never hears of a
 * client that cannot be admitted (kuiperbelt asks first and leaves ghosts). Origin comes first of
 * all; then the order, statuses and texts are kuiperbelt's (5.4).
 */
import { listTokens } from '../callbacks/header-lines.ts';
import { type OutgoingAnswer, statusAnswer } from '../outgoing-answer.ts';
import { isOriginAdmitted, type OriginFacts, type OriginPolicy } from './origin.ts';
import { readExtensionOffers } from './websocket-extensions.ts';

/** What is looked at. A plain request on the connect path has no `earlyData`. */
export interface UpgradeFacts {
  readonly method: string;
  readonly httpVersion: string;
  readonly earlyData?: boolean;
  header(name: string): string | undefined;
  headerLines(name: string): readonly string[];
}

/** What is to be done with the request. Every verdict but `ok` counts as a connect error. */
export type UpgradeVerdict =
  | { readonly type: 'ok'; readonly key: string }
  | ({ readonly type: 'refuse' } & OutgoingAnswer)
  /** The client spoke before it was answered: the socket is closed without a word. */
  | { readonly type: 'abandon' };

/** 16 bytes in base64 (RFC 6455 4.1). */
const KEY = /^[+/0-9A-Za-z]{22}==$/;

/**
 * Runs all checks in order; the first that fails decides. `asked` is what the client asked for, which
 * behind a proxy need not be what `Host` says, and whether it is known to speak TLS. `extensions`:
 * whether offers of extensions are read; then they have to be well-formed.
 */
export function checkUpgrade(
  facts: UpgradeFacts,
  policy: OriginPolicy,
  asked: Omit<OriginFacts, 'origin'> = { host: facts.header('host'), secure: false },
  extensions: 'read' | 'ignored' = 'ignored',
): UpgradeVerdict {
  const origin = { origin: facts.header('origin'), host: asked.host, secure: asked.secure };
  if (!isOriginAdmitted(policy, origin)) return refuse(403);
  if (!hasToken(facts, 'connection', 'upgrade')) return refuse(400);
  if (!hasToken(facts, 'upgrade', 'websocket')) return refuse(400);
  if (facts.method !== 'GET') return refuse(405, ['Allow', 'GET']);
  // An HTTP/1.0 peer knows no 101 (RFC 9110 15.2), so it would take the frames for a body.
  if (facts.httpVersion === '1.0' || facts.httpVersion === '0.9') return refuse(400);
  if (!hasToken(facts, 'sec-websocket-version', '13')) return refuse(400);
  const key = facts.header('sec-websocket-key')?.trim() ?? '';
  if (!KEY.test(key)) return refuse(400);
  // RFC 6455 9.1: what does not follow its grammar fails the handshake.
  if (extensions === 'read' && readExtensionOffers(facts.headerLines('sec-websocket-extensions')) === null) {
    return refuse(400);
  }
  if (facts.earlyData === true) return { type: 'abandon' };
  return { type: 'ok', key };
}

function hasToken(facts: UpgradeFacts, header: string, token: string): boolean {
  return listTokens(facts.headerLines(header)).includes(token);
}

function refuse(status: number, extraHeaders: readonly string[] = []): UpgradeVerdict {
  return { type: 'refuse', ...statusAnswer(status, ['Sec-Websocket-Version', '13', ...extraHeaders]) };
}
