/**
 * A connect storm: lanes of clients that connect one after the other, whatever happens meanwhile.
 *
 * Each attempt has a session key of its own. An attempt that fails is noted and its client tries
 * again; what the failures mean is for the test to judge.
 */
import { HandshakeRefused, LightClient, type LightTarget } from '../support/light-client.ts';
import { AwaitedNumber } from './awaited-number.ts';
import { connectPath, spread } from './crowd.ts';

/** An attempt that led to no connection. */
export interface FailedAttempt {
  readonly key: string;
  /** How many attempts of the same client had failed before in a row. */
  readonly earlier: number;
  /** 0: no answer. */
  readonly status: number;
  readonly errorCode: string;
}

/** A client that got in. */
export interface StormClient {
  readonly key: string;
  readonly client: LightClient;
}

/** Connects until it is stopped. */
export class Storm {
  readonly clients: StormClient[] = [];
  readonly failures: FailedAttempt[] = [];
  readonly opened = new AwaitedNumber('clients that got in');
  readonly #target: LightTarget;
  readonly #name: string;
  readonly #lanes: Promise<void>;
  #attempts = 0;
  #stopping = false;

  constructor(options: { readonly target: LightTarget; readonly width: number; readonly name: string }) {
    this.#target = options.target;
    this.#name = options.name;
    this.#lanes = Promise.all(Array.from({ length: options.width }, () => this.#lane())).then(() => {});
  }

  get attempts(): number {
    return this.#attempts;
  }

  /** Begins no further client; resolves when every attempt has its outcome. */
  stop(): Promise<void> {
    this.#stopping = true;
    return this.#lanes;
  }

  async #lane(): Promise<void> {
    let earlier = 0;
    // A client that was turned away tries again even when the storm is over.
    while (!this.#stopping || (earlier > 0 && earlier < ATTEMPTS_MAX)) {
      const index = this.#attempts++;
      const key = `${this.#name}-${index}`;
      try {
        const target = { ...this.#target, ...spread(this.#target, index), path: connectPath(key) };
        this.clients.push({ key, client: await LightClient.open(target) });
        this.opened.add(1);
        earlier = 0;
      } catch (error) {
        if (!(error instanceof HandshakeRefused)) throw error;
        const { status, errorCode } = error;
        this.failures.push({ key, earlier, status, errorCode });
        earlier++;
        // A node that is gone refuses at once; the event loop must still get its turns.
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
  }
}

const ATTEMPTS_MAX = 10;
