/**
 * Shows and checks that the other end of a link between nodes knows a secret of the cluster.
 *
 * HMAC-SHA256 over what both ends have said so far, their nonces included, so that nothing can be
 * said again on another link. Of several secrets the first signs and all verify: that is how one is
 * changed while the cluster runs. Knows no link and no greeting; `handshake.ts` has those.
 */
import { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto';
import type { Random } from '../base/index.ts';

/** Who proves: one side's proof is never good for the other, or it could be sent back to its maker. */
export type ProvingSide = 'dials' | 'serves';

const NONCE_BYTES = 32;
const PROOF = /^[0-9a-f]{64}$/;

/** The secrets of a cluster, for links between its nodes. Without secrets every proof is empty. */
export class MeshAuth {
  readonly #random: Random;
  #keys: readonly KeyObject[] = [];

  constructor(secrets: readonly string[], random: Random) {
    this.#random = random;
    this.replace(secrets);
  }

  /** False: whoever reaches the socket is believed, so only this host may. */
  get isOn(): boolean {
    return this.#keys.length > 0;
  }

  /** From now on the first of these signs, and all of them verify. Links that are up stay. */
  replace(secrets: readonly string[]): void {
    this.#keys = secrets.map((secret) => createSecretKey(secret, 'utf8'));
  }

  /** Said once, so that an old answer is no answer. */
  nonce(): string {
    return Buffer.from(this.#random.bytes(NONCE_BYTES)).toString('hex');
  }

  /** For redialling, so that the workers of a cluster do not do it all at once. */
  fraction(): number {
    return this.#random.fraction();
  }

  /** What shows that `side` knows a secret and has heard `said`. */
  prove(side: ProvingSide, said: string): string {
    const key = this.#keys[0];
    return key === undefined ? '' : mac(key, side, said).toString('hex');
  }

  /** Compares with what every secret gives, so that time tells neither which one nor how far it fits. */
  isProof(side: ProvingSide, said: string, shown: unknown): boolean {
    if (!this.isOn) return shown === '';
    const wellFormed = typeof shown === 'string' && PROOF.test(shown);
    const given = Buffer.from(wellFormed ? shown : ''.padEnd(64, '0'), 'hex');
    let equal = false;
    for (const key of this.#keys) equal = timingSafeEqual(given, mac(key, side, said)) || equal;
    return equal && wellFormed;
  }
}

function mac(key: KeyObject, side: ProvingSide, said: string): Buffer {
  return createHmac('sha256', key).update(`arrokoth-mesh\n${side}\n${said}`, 'utf8').digest();
}
