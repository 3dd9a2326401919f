/**
 * The door of `peer/`: what the driver of a log sees of the network between its members.
 *
 * A driver never sees HTTP, JSON or a dialect. Members that speak the safe protocol exchange
 * messages; those that speak the original one make foreign calls, and are called in turn.
 */
import type { Ballot, Index, KnownKinds, MemberName, Message } from '../consensus/index.ts';

/** Sends messages to members. Nothing is reported back: what is lost is asked for again by the replica. */
export interface PeerTransport {
  /** Questions become calls; an answer is the response to the call whose number it repeats. Never throws. */
  send(to: MemberName, message: Message): void;
  /** Makes a call in the original's protocol. `done` is called exactly once, within the deadline. */
  callForeign(to: MemberName, call: ForeignCall, done: (answer: ForeignOutcome) => void): void;
  /** Asks a safe member to do something as the master. */
  ask(to: MemberName, request: MasterRequest, done: (outcome: MasterOutcome) => void): void;
  close(): void;
}

/** What a transport tells its driver. Called in turns of their own, never from inside `send`. */
export interface PeerEvents {
  receive(from: MemberName, message: Message): void;
  /** A call without the safe protocol arrived; exactly one reply follows. */
  foreign(call: ForeignCall, reply: (answer: ForeignAnswer) => void): void;
  /** A safe member asks this node to act as the master; exactly one reply follows. */
  asked(request: MasterRequest, reply: (outcome: MasterOutcome) => void): void;
  /** A member that was sent a message answered without the safe protocol. */
  spokeForeign(member: MemberName): void;
}

/** The six calls of the original. Instance and sequence are its words: 64-bit unsigned. */
export type ForeignCall =
  | { readonly method: 'prepare'; readonly instance: bigint; readonly master: MemberName }
  | {
      readonly method: 'accept';
      readonly instance: bigint;
      readonly sequence: bigint;
      readonly changes: readonly Uint8Array[];
    }
  | {
      readonly method: 'addmember' | 'rmmember';
      readonly instance: bigint;
      readonly sequence: bigint;
      readonly member: MemberName;
    }
  | {
      readonly method: 'start';
      readonly instance: bigint;
      readonly sequence: bigint;
      readonly cluster: string;
      readonly self: MemberName;
      readonly master: MemberName;
      readonly participants: readonly MemberName[];
      readonly snapshot: Uint8Array;
    }
  | { readonly method: 'submit'; readonly changes: readonly Uint8Array[]; readonly requestId: string | null };

/** The original's error codes. */
export type ForeignErrorCode =
  | 'ERR_CALL'
  | 'ERR_IO'
  | 'ERR_ENCODING'
  | 'ERR_STATE'
  | 'ERR_MAJORITY'
  | 'ERR_DENIED'
  | 'ERR_SEQUENCE'
  | 'ERR_GAP'
  | 'ERR_CONNECT';

/** The answer to a foreign call. `status` other than 200: the call is refused outright, and is no vote. */
export interface ForeignAnswer {
  readonly status: number;
  /** Prepare: the instance that is accepted; other calls: whether they are. */
  readonly accepted: boolean | bigint;
  /** Null: no error. `text` without the code in front. */
  readonly error: { readonly code: ForeignErrorCode; readonly text: string } | null;
}

/** What became of a foreign call that this node made. */
export type ForeignOutcome =
  | { readonly type: 'answered'; readonly answer: ForeignAnswer }
  /** No answer within the deadline, or one that is not HTTP and JSON. */
  | { readonly type: 'failed'; readonly detail: string };

/** What only a master does, asked for by another member. */
export type MasterRequest =
  | {
      readonly type: 'submit';
      readonly kind: string;
      readonly version: number;
      readonly requestId: string;
      readonly changes: readonly Uint8Array[];
    }
  | { readonly type: 'add' | 'remove'; readonly member: MemberName };

/** What became of it. */
export type MasterOutcome =
  | { readonly type: 'done'; readonly index: Index; readonly ballot: Ballot }
  /** `retry`: may be asked again, of `master` if that is known, with the same request id. */
  | {
      readonly type: 'refused';
      readonly retry: boolean;
      readonly master: MemberName | null;
      readonly detail: string;
    };

/** Who a node is among its peers, before its replica has said a word. */
export interface PeerIdentity {
  readonly cluster: string;
  /** The address of this node, exactly as other members know it. */
  readonly name: MemberName;
  readonly knows: KnownKinds;
}
