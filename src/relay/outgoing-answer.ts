/**
 * Answers to HTTP requests as plain values, and the few shapes that recur.
 *
 * Nothing is written here: the gateway hands status, headers and body to the transport, which adds
 * `Date`, `Content-Length` and `Connection`. The texts are kuiperbelt's, byte for byte.
 */

/** An HTTP answer that is ready to be written. */
export interface OutgoingAnswer {
  readonly status: number;
  /** Name, value, name, value. */
  readonly headers: readonly string[];
  readonly body: string | Uint8Array;
}

/** Content type of everything that is JSON, but for `/stats`. */
export const JSON_TYPE = 'application/json; charset=utf-8';
/** Content type of everything that is said in words. */
export const TEXT_TYPE = 'text/plain; charset=utf-8';

const STATUS_TEXTS: Readonly<Record<number, string>> = {
  301: 'Moved Permanently',
  400: 'Bad Request',
  403: 'Forbidden',
  404: '404 page not found',
  405: 'Method Not Allowed',
  409: 'Conflict',
  408: 'Request Timeout',
  413: 'Payload Too Large',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  501: 'Not Implemented',
  504: 'Gateway Timeout',
  505: 'HTTP Version Not Supported',
  508: 'Loop Detected',
};

/** A refusal in words: the status text and a line feed, never to be guessed to be HTML. */
export function statusAnswer(status: number, extraHeaders: readonly string[] = []): OutgoingAnswer {
  return textAnswer(status, `${STATUS_TEXTS[status] ?? status}\n`, extraHeaders);
}

/** "Not now": the client may try again after `retryAfterSeconds`; `reason` is said in the body. */
export function unavailableAnswer(reason: string, retryAfterSeconds: number): OutgoingAnswer {
  return textAnswer(503, `${STATUS_TEXTS[503]}: ${reason}\n`, ['Retry-After', String(retryAfterSeconds)]);
}

/** "Not you any more": somebody newer has what this client asked for, and coming back would be a fight. */
export function conflictAnswer(reason: string): OutgoingAnswer {
  return textAnswer(409, `${STATUS_TEXTS[409]}: ${reason}\n`, []);
}

/** "You too often": this client may try again after `retryAfterSeconds`; `reason` is said in the body. */
export function tooManyAnswer(reason: string, retryAfterSeconds: number): OutgoingAnswer {
  return textAnswer(429, `${STATUS_TEXTS[429]}: ${reason}\n`, ['Retry-After', String(retryAfterSeconds)]);
}

/** An answer whose body is JSON text already. */
export function jsonAnswer(
  status: number,
  body: string,
  extraHeaders: readonly string[] = [],
): OutgoingAnswer {
  return { status, headers: ['Content-Type', JSON_TYPE, ...extraHeaders], body };
}

function textAnswer(status: number, body: string, extraHeaders: readonly string[]): OutgoingAnswer {
  return {
    status,
    headers: ['Content-Type', TEXT_TYPE, ...extraHeaders, 'X-Content-Type-Options', 'nosniff'],
    body,
  };
}
