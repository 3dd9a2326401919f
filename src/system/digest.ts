/**
 * The host's digests, behind the door of `base/`.
 *
 * Hexadecimal text, because that is how they travel in headers. Which bytes are signed, and with
 * which key, is decided in `relay/`.
 */
import { createHash, createHmac } from 'node:crypto';
import type { Digest } from '../base/index.ts';

/** The digests of this process. */
export const systemDigest: Digest = {
  sha256: (bytes) => createHash('sha256').update(bytes).digest('hex'),
  hmacSha256: (key, text) =>
    createHmac('sha256', Buffer.from(key, 'latin1')).update(text, 'latin1').digest('hex'),
};
