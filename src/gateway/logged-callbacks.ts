/**
 * Callbacks as log lines, where an operator asked for their headers or bodies (`log.headers`,
 * `log.bodies`) and for the level `debug`.
 *
 * Stands before the HTTP client of callbacks and changes nothing of what passes. Query parts of URLs
 * are left out in any case, because they hold tokens. The logger cuts long fields.
 */
import type { Logger } from '../base/index.ts';
import type { LiveConfig } from '../config/index.ts';
import type { HttpCall, HttpClient, RawHeaders } from '../net/index.ts';

/** Makes callbacks. */
export type CallbackCaller = Pick<HttpClient, 'call'>;

/** What the log is written with. */
export interface LoggedCallbacksDoors {
  readonly httpClient: CallbackCaller;
  readonly live: LiveConfig;
  readonly logger: Logger;
}

/** Bytes of a body that are turned into text; the logger cuts at fewer characters. */
const BODY_BYTES_MAX = 4_096;

/** The client of callbacks, with a log. */
export class LoggedCallbacks implements CallbackCaller {
  readonly #doors: LoggedCallbacksDoors;

  constructor(doors: LoggedCallbacksDoors) {
    this.#doors = doors;
  }

  call(call: HttpCall, done: Parameters<CallbackCaller['call']>[1]): void {
    const { httpClient, live, logger } = this.#doors;
    const { headers, bodies } = live.current.log;
    if (!(headers || bodies) || !logger.debugEnabled) {
      httpClient.call(call, done);
      return;
    }
    const [url] = call.url.split('?', 1);
    const shown = (head: RawHeaders, body: Uint8Array | null) => ({
      url,
      ...(headers ? { headers: linesOf(head) } : {}),
      ...(bodies && body !== null ? { body: textOf(body) } : {}),
    });
    logger.debug({ method: call.method, ...shown(call.headers, call.body) }, 'callback');
    httpClient.call(call, (outcome) => {
      if (outcome.ok) {
        const { status, rawHeaders, body } = outcome.value;
        logger.debug({ status, ...shown(rawHeaders, body) }, 'answer to a callback');
      } else {
        logger.debug({ url, failure: outcome.error.message }, 'callback without an answer');
      }
      done(outcome);
    });
  }
}

function linesOf(headers: RawHeaders): string[] {
  const lines: string[] = [];
  for (let at = 0; at + 1 < headers.length; at += 2) lines.push(`${headers[at]}: ${headers[at + 1]}`);
  return lines;
}

function textOf(body: Uint8Array): string {
  return new TextDecoder().decode(body.subarray(0, BODY_BYTES_MAX));
}
