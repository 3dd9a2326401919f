/**
 * A fast, stable, well-spread hash of short strings.
 *
 * For spreading keys and channels over workers and nodes: every process of every release must
 * compute the same number, so the algorithm may never change. Not for secrets, and an attacker
 * who picks keys can pick collisions: what is spread by it must stay bounded by other means.
 */

/** 32-bit FNV-1a over the UTF-16 code units of `text`, finished with Murmur3's mixer. */
export function hash32(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    hash = Math.imul(hash ^ (unit & 0xff), 0x01000193);
    hash = Math.imul(hash ^ (unit >>> 8), 0x01000193);
  }
  // FNV alone leaves the low bits of short, similar keys close together; the mixer spreads them.
  hash ^= hash >>> 16;
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2b2ae35);
  hash ^= hash >>> 16;
  return hash >>> 0;
}
