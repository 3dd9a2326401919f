/**
 * Subprotocols of WebSocket (RFC 6455 1.9): the client offers, the application chooses.
 *
 * The offer travels in the connect callback as `X-Kuiperbelt-Protocols`, the choice comes back as
 * `X-Kuiperbelt-Protocol`. Without a choice none is agreed on, as in kuiperbelt.
 */

/** Header of the connect callback: what the client offers, in its order. */
export const OFFER_HEADER = 'X-Kuiperbelt-Protocols';
/** Header of the application's answer: the one that it chooses. */
export const CHOICE_HEADER = 'X-Kuiperbelt-Protocol';

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** A client that offers more has something else in mind. */
const PROTOCOLS_MAX = 32;
/** Elements that are looked at, usable or not. */
const ELEMENTS_MAX = 256;
/** Some clients put a token into the offer, because browsers let pages set nothing else. */
const OFFER_LENGTH_MAX = 4_096;

/**
 * What a client offers, each protocol once. What is not a token, and what goes beyond the bounds,
 * is left out: a client that offers nonsense may still speak without any subprotocol.
 */
export function offeredProtocols(rawHeaders: readonly string[]): string[] {
  const offered = new Set<string>();
  let length = 0;
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    if ((rawHeaders[index] as string).toLowerCase() !== 'sec-websocket-protocol') continue;
    for (const element of (rawHeaders[index + 1] as string).split(',', ELEMENTS_MAX)) {
      const name = element.trim();
      if (!TOKEN.test(name) || offered.has(name)) continue;
      length += name.length;
      if (length > OFFER_LENGTH_MAX || offered.size === PROTOCOLS_MAX) return [...offered];
      offered.add(name);
    }
  }
  return [...offered];
}

/** The application's choice, if the client has offered it; a client would hang up on any other. */
export function agreedProtocol(rawHeaders: readonly string[], choice: string | null): string | null {
  return choice !== null && offeredProtocols(rawHeaders).includes(choice) ? choice : null;
}
