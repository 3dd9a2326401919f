/**
 * The bus: messages between the workers of a node (and later between nodes).
 *
 * An interface and its words; `mesh.ts` implements it over unix sockets. A request is answered
 * exactly once: by the sister, or with the reason why it could not be.
 */
import type { Result, Seat, WorkerAddress } from '../base/index.ts';

/** Anything that survives JSON. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/**
 * A message: what it is about, small structured facts, and bytes that are passed on untouched.
 * Nobody may change facts or bytes afterwards: they are copied late, or never within one worker.
 */
export interface BusMessage {
  readonly kind: string;
  readonly facts: Json;
  readonly bytes: Uint8Array;
}

/** What a sister answered: small structured facts, and bytes. */
export interface BusAnswer {
  readonly facts: Json;
  readonly bytes: Uint8Array;
}

/** Why a request was not answered by the sister. */
export type BusFailure =
  /** No such worker within the time given, or its link broke before it answered, or it knows no such kind. */
  | 'unreachable'
  /** No node that is up has that seat; asking again is of no use. */
  | 'gone'
  | 'timeout'
  /** Too much waits for that worker, or the message is too large for a link. */
  | 'overloaded';

/** Another worker: its seat, and which process has it. */
export type Sister = WorkerAddress;

/** Answers one request; a second call is a bug. */
export type Reply = (facts: Json, bytes?: Uint8Array) => void;

/** Takes the messages of one kind. `reply` of a message that was only told does nothing. */
export type BusHandler = (from: Sister, message: BusMessage, reply: Reply) => void;

/** A worker's place on the bus. Messages from one worker to another arrive in the order of sending. */
export interface Bus {
  readonly self: Sister;
  /** The gateway workers that can be asked now, this one included, those of one node by slot. */
  sisters(): readonly Sister[];
  /**
   * Asks whoever has `seat`; a sister that is being replaced is waited for, within `timeoutMs`. Never
   * calls `done` synchronously.
   */
  ask(
    seat: Seat,
    message: BusMessage,
    timeoutMs: number,
    done: (answer: Result<BusAnswer, BusFailure>) => void,
  ): void;
  /** Sends without an answer; lost when the link is down or takes no more. */
  tell(seat: Seat, message: BusMessage): void;
  /** Registers the one handler of a kind. */
  handle(kind: string, handler: BusHandler): void;
  /** Called when a link to a (new run of a) sister is up: what an earlier run was told must be told again. */
  onSisterUp(listener: (sister: Sister) => void): void;
  /**
   * Called once when a run is over for us: what it held is gone, and nothing more of it is heard.
   * A run whose links broke although it lives comes up again as if it were new.
   */
  onSisterDown(listener: (sister: Sister) => void): void;
}

/** No bytes. */
export const NO_BYTES: Uint8Array = new Uint8Array(0);
