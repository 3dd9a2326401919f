/**
 * A well-behaved client that goes on receiving numbered messages while others misbehave.
 *
 * One message is under way at a time; each has to arrive, once and in order.
 */
import { expect } from 'vitest';
import { cleanUpAfterwards, keepAliveAgent, type RawClient } from '../support/index.ts';
import { ALL_WELL, type ApplicationCalls } from './application-calls.ts';

/** Sends numbered messages to one client for as long as it is told to, and checks what arrives. */
export class Witness {
  readonly #client: RawClient;
  readonly #calls: ApplicationCalls;
  readonly #pauseMs: number;
  readonly #agent = keepAliveAgent();
  #sent = 0;
  #stopped = false;
  #failure: unknown = null;

  /** The client has the session key `witness`. `pauseMs`: between two messages, so that it costs little. */
  constructor(client: RawClient, calls: ApplicationCalls, pauseMs = 0) {
    this.#client = client;
    this.#calls = calls;
    this.#pauseMs = pauseMs;
    cleanUpAfterwards(() => {
      this.#stopped = true;
      this.#agent.destroy();
    });
    this.#run().catch((failure: unknown) => {
      if (!this.#stopped) this.#failure = failure;
    });
  }

  /** Resolves when `count` messages that were sent from now on have arrived; fails on any gap. */
  async hears(count: number): Promise<void> {
    const frames = await this.#client.frames.atLeast(this.#sent + 1 + count);
    if (this.#failure !== null) throw this.#failure;
    frames.forEach((frame, index) => {
      if (frame.text !== String(index + 1))
        throw new Error(`message ${index + 1} is ${JSON.stringify(frame.text)}`);
    });
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      const answer = await this.#calls.send({
        sessions: ['witness'],
        body: String(this.#sent + 1),
        agent: this.#agent,
      });
      expect(answer).toEqual(ALL_WELL);
      this.#sent++;
      if (this.#pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, this.#pauseMs));
    }
  }
}
