/**
 * Whether a body of JSON may be parsed in one go.
 *
 * Parsing stops the event loop, and what it costs is not the bytes but the values: a hundred thousand
 * changes of some kilobytes in base64 are read in no time, four million empty lists in half a second.
 * So values are counted first, roughly: by the bytes that begin or separate them, texts included.
 */
import { PEER_LIMITS } from '../base/index.ts';

const COMMA = 0x2c;
const BRACKET = 0x5b;
const BRACE = 0x7b;

/** True when `body` holds more values than any call of a node does, and is large enough to matter. */
export function isBulky(body: Uint8Array): boolean {
  if (body.length <= PEER_LIMITS.jsonFreeBytes) return false;
  let values = 0;
  for (let at = 0; at < body.length; at++) {
    const byte = body[at];
    if (byte === COMMA || byte === BRACKET || byte === BRACE) values++;
  }
  return values > PEER_LIMITS.jsonValuesMax;
}
