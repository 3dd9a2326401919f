/**
 * The host's randomness, behind the door of `base/`.
 *
 * Unpredictable bytes come from the kernel by the pool, because a system call for the ten bytes of
 * each id costs more than everything else about the id.
 */
import { randomFillSync } from 'node:crypto';
import type { Random } from '../base/index.ts';

const POOL_BYTES = 8_192;

class PooledRandom implements Random {
  readonly #pool = new Uint8Array(POOL_BYTES);
  #used = POOL_BYTES;

  bytes(count: number): Uint8Array {
    if (count > POOL_BYTES) return randomFillSync(new Uint8Array(count));
    if (this.#used + count > POOL_BYTES) {
      randomFillSync(this.#pool);
      this.#used = 0;
    }
    // A copy: a view would change under its holder when the pool is filled again. By hand, because
    // for a few bytes `slice` and `fill` take longer to begin than this takes as a whole.
    const bytes = new Uint8Array(count);
    for (let index = 0; index < count; index++) {
      bytes[index] = this.#pool[this.#used] as number;
      this.#pool[this.#used++] = 0;
    }
    return bytes;
  }

  fraction(): number {
    return Math.random();
  }
}

/** The randomness of this process. */
export const systemRandom: Random = new PooledRandom();
