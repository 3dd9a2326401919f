/**
 * A network of participants of the original, in which a test decides what arrives, and when.
 *
 * Calls wait in the order in which they were made. `run` carries them until nothing is left but what
 * the test holds back; `lose` makes them fail as a dead connection does; a killed node answers nothing
 * and never hears of its own calls again.
 */
import type { Cancellable } from '../../src/base/index.ts';
import type { ForeignAnswer, ForeignCall, ForeignOutcome } from '../../src/peer/index.ts';
import { FakeTime } from '../fakes/fake-time.ts';
import { KeyValues } from './key-values.ts';
import { LegacyParticipant } from './legacy-participant.ts';
import { type LegacyFailure, LegacyPanic } from './legacy-receiver.ts';

/** A call under way, or the answer to it. */
export interface Flight {
  readonly from: string;
  readonly to: string;
  readonly call: ForeignCall;
  /** Null: the call itself; else what it was answered. */
  readonly answer: ForeignAnswer | null;
  readonly done: (outcome: ForeignOutcome) => void;
  readonly life: number;
}

interface Node {
  participant: LegacyParticipant;
  values: KeyValues;
  isAlive: boolean;
  /** Counts restarts: calls of an earlier life come back to nobody. */
  life: number;
}

export type FlightTest = (flight: Flight) => boolean;

const CARRIED_MAX = 100_000;

export class LegacyNetwork {
  readonly time: FakeTime = new FakeTime();
  readonly panics: string[] = [];
  #nodes: Map<string, Node> = new Map();
  #flights: Flight[] = [];
  #held: FlightTest = () => false;
  #lost: FlightTest = () => false;

  constructor(...names: string[]) {
    for (const name of names) this.restart(name);
  }

  /** A cluster with `names[0]` as its master and the others as settled followers. */
  static cluster(...names: string[]): LegacyNetwork {
    const network = new LegacyNetwork(...names);
    const [first = '', ...others] = names;
    const master = network.node(first);
    master.initMaster(first);
    for (const name of others) {
      network.outcome((done) => master.addParticipant(name, done));
    }
    // Members reach the others with the submission after next; these two settle who is who.
    network.submit(first, 'base', '0');
    network.submit(first, 'base', '1');
    return network;
  }

  node(name: string): LegacyParticipant {
    return this.#of(name).participant;
  }

  values(name: string): Readonly<Record<string, string>> {
    return this.#of(name).values.toObject();
  }

  /** A fresh process under an old address: it remembers nothing. */
  restart(name: string): void {
    const life = (this.#nodes.get(name)?.life ?? 0) + 1;
    const values = new KeyValues();
    const participant = new LegacyParticipant('cluster', values, {
      call: (to, call, done) => this.#flights.push({ from: name, to, call, answer: null, done, life }),
      after: (delayMs, run): Cancellable => this.time.after(delayMs, run),
    });
    this.#nodes.set(name, { participant, values, isAlive: true, life });
  }

  kill(name: string): void {
    this.#of(name).isAlive = false;
  }

  /** Held flights stay where they are until `release`. */
  hold(test: FlightTest): void {
    this.#held = test;
  }

  lose(test: FlightTest): void {
    this.#lost = test;
  }

  /** Everything flows again; carries what was held. */
  release(): void {
    this.#held = () => false;
    this.#lost = () => false;
    this.run();
  }

  /** Lets nobody reach anybody outside of its own group. */
  partition(...groups: string[][]): void {
    const groupOf = (name: string): number => groups.findIndex((group) => group.includes(name));
    this.lose(({ from, to }) => groupOf(from) !== groupOf(to));
  }

  get underWay(): readonly Flight[] {
    return this.#flights;
  }

  /** Carries everything that is not held, in order, until nothing moves. */
  run(): void {
    for (let carried = 0; carried < CARRIED_MAX; carried++) {
      const at = this.#flights.findIndex((flight) => !this.#held(flight));
      if (at < 0) return;
      const [flight] = this.#flights.splice(at, 1);
      if (flight !== undefined) this.carry(flight);
    }
    throw new Error('the calls never come to an end');
  }

  /** Carries one flight, held or not. */
  carry(flight: Flight): void {
    this.#flights = this.#flights.filter((other) => other !== flight);
    const caller = this.#of(flight.from);
    if (flight.answer !== null) {
      if (this.#lost(flight)) this.#fail(flight, caller);
      else if (caller.isAlive && caller.life === flight.life) {
        flight.done({ type: 'answered', answer: flight.answer });
      }
      return;
    }
    const target = this.#nodes.get(flight.to);
    if (target === undefined || !target.isAlive || this.#lost(flight)) {
      this.#fail(flight, caller);
      return;
    }
    try {
      target.participant.handle(flight.call, (answer) => this.#flights.push({ ...flight, answer }));
    } catch (error) {
      this.#panic(flight.to, error);
      this.#fail(flight, caller);
    }
  }

  /** What a node's own action comes to, once everything that can move has moved. */
  outcome(act: (done: (failure: LegacyFailure | null) => void) => void): LegacyFailure | null | 'open' {
    let outcome: LegacyFailure | null | 'open' = 'open';
    act((failure) => {
      outcome = failure;
    });
    this.run();
    return outcome;
  }

  /** Sets a key at a node. Null: the client was told that it is done. */
  submit(name: string, key: string, value: string): LegacyFailure | null | 'open' {
    return this.outcome((done) => {
      try {
        this.node(name).submit([KeyValues.add(key, value)], done);
      } catch (error) {
        this.#panic(name, error);
      }
    });
  }

  elect(name: string): LegacyFailure | null | 'open' {
    return this.outcome((done) => this.node(name).startElection(done));
  }

  #fail(flight: Flight, caller: Node): void {
    if (caller.isAlive && caller.life === flight.life) {
      flight.done({ type: 'failed', detail: `HTTP error: ${flight.to} cannot be reached` });
    }
  }

  #panic(name: string, error: unknown): void {
    if (!(error instanceof LegacyPanic)) throw error;
    this.panics.push(name);
    this.kill(name);
  }

  #of(name: string): Node {
    const node = this.#nodes.get(name);
    if (node === undefined) throw new Error(`there is no ${name}`);
    return node;
  }
}
