/**
 * Text or binary: which WebSocket message an HTTP body becomes.
 *
 * One rule for the hello, `/send` and `/close` (kuiperbelt 6.3). It looks at the media type only:
 * a body is never searched for hints, so a text message may hold any bytes.
 */

const BINARY = 'application/octet-stream';

/** True when `contentType` says `application/octet-stream`; anything else, or none, means text. */
export function isBinary(contentType: string | undefined): boolean {
  if (contentType === undefined) return false;
  const end = contentType.indexOf(';');
  const mediaType = end === -1 ? contentType : contentType.slice(0, end);
  return mediaType.trim().toLowerCase() === BINARY;
}

/** The content type by which the receive callback tells the application the same thing. */
export function contentTypeOf(binary: boolean): string {
  return binary ? BINARY : 'text/plain';
}
