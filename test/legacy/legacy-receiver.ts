/**
 * What a participant of the original does with the calls that reach it, bug for bug.
 *
 * A model for tests: it is what our nodes are compared with, and what they must get along with.
 * Nothing in `src/` knows it. Every call is answered at once, because the original holds one lock for
 * each; what it does by itself is in `legacy-participant.ts`.
 */
import type { ForeignAnswer, ForeignCall, ForeignErrorCode } from '../../src/peer/index.ts';

/** The original's states, by the numbers that appear in its error texts. */
export const STATE = {
  master: 0,
  unjoined: 1,
  clean: 2,
  pending: 3,
  removed: 4,
  candidate: 5,
  pendingMaster: 6,
} as const;

export type LegacyState = (typeof STATE)[keyof typeof STATE];

/** The application's state behind a participant. */
export interface LegacyApplication {
  snapshot(): Uint8Array;
  install(bytes: Uint8Array): void;
  apply(change: Uint8Array): void;
  /** Throws when the change cannot be read; the original then drops the connection. */
  check?(change: Uint8Array): void;
}

/** What the original tells its application. */
export type LegacyEvent =
  | { readonly type: 'become_master' | 'lose_master' }
  | { readonly type: 'commit'; readonly sequence: bigint; readonly changes: readonly Uint8Array[] | null };

export interface LegacyFailure {
  readonly code: ForeignErrorCode;
  readonly text: string;
}

/** The process dies: Go calls it a panic. */
export class LegacyPanic extends Error {
  override name = 'LegacyPanic';
}

export const U64_MAX: bigint = 2n ** 64n - 1n;

/** Calls that are answered under the lock: all but `submit`, which makes calls of its own. */
export type LockedCall = Exclude<ForeignCall, { readonly method: 'submit' }>;
type Start = Extract<ForeignCall, { readonly method: 'start' }>;

/** The fields of a participant, and the receiver's side of the protocol. */
export class LegacyReceiver {
  readonly cluster: string;
  readonly application: LegacyApplication;
  readonly events: LegacyEvent[] = [];
  self = '';
  members: string[] = [];
  masters: Map<bigint, string> = new Map();
  instance = 0n;
  sequence = 0n;
  state: LegacyState = STATE.unjoined;
  stagedChanges: Map<bigint, readonly Uint8Array[]> = new Map();
  stagedMembers: Map<bigint, string> = new Map();
  stagedRemovals: Map<bigint, string> = new Map();

  constructor(cluster: string, application: LegacyApplication) {
    this.cluster = cluster;
    this.application = application;
  }

  /** The first node of a cluster founds it: the same as being started by itself. */
  initMaster(self: string, snapshot: Uint8Array = this.application.snapshot()): ForeignAnswer {
    return this.answer({
      method: 'start',
      instance: 1n,
      sequence: 0n,
      cluster: this.cluster,
      self,
      master: self,
      participants: [self],
      snapshot,
    });
  }

  /** Compares addresses and ignores the state, so a deposed or stopped master believes it still is one. */
  get isMaster(): boolean {
    return this.self !== '' && this.masters.get(this.instance) === this.self;
  }

  answer(call: LockedCall): ForeignAnswer {
    switch (call.method) {
      case 'prepare':
        return this.#prepare(call.instance, call.master);
      case 'accept':
        return this.#accept(call.instance, call.sequence, call.changes);
      case 'addmember':
        return this.#addMember(call.instance, call.sequence, call.member);
      case 'rmmember':
        return this.#removeMember(call.instance, call.sequence, call.member);
      case 'start':
        return this.#start(call);
    }
  }

  get #isOut(): boolean {
    return this.state === STATE.unjoined || this.state === STATE.removed;
  }

  #prepare(instance: bigint, master: string): ForeignAnswer {
    if (this.#isOut) {
      const text = 'Prepare() called on unjoined or removed participant';
      return { status: 200, accepted: 0n, error: { code: 'ERR_STATE', text } };
    }
    if (instance <= this.instance) return { status: 200, accepted: this.instance, error: null };
    // No promise is kept: the instance stays, and the next one to ask is told yes as well.
    this.masters.set(instance, master);
    this.state = STATE.pendingMaster;
    return { status: 200, accepted: instance, error: null };
  }

  #accept(instance: bigint, sequence: bigint, changes: readonly Uint8Array[]): ForeignAnswer {
    for (const change of changes) this.application.check?.(change);
    if (this.#isOut) return no('ERR_STATE', 'Accept() called on unjoined participant');
    const objection = this.#objection(instance, sequence);
    if (objection !== null) return objection;
    this.#commit(instance, sequence);
    if (this.#isOut) return YES;
    if (changes.length === 0) {
      this.state = STATE.clean;
      return YES;
    }
    this.stagedChanges.set(sequence, changes);
    this.stagedMembers.delete(sequence);
    this.stagedRemovals.delete(sequence);
    this.state = STATE.pending;
    return YES;
  }

  #addMember(instance: bigint, sequence: bigint, member: string): ForeignAnswer {
    if (this.#isOut) return no('ERR_STATE', 'AddMember() called on removed or unjoined participant');
    const objection = this.#objection(instance, sequence);
    if (objection !== null) return objection;
    this.#commit(instance, sequence);
    if (this.members.includes(member)) return no('ERR_DENIED', `Member {${member}} already exists here`);
    this.stagedMembers.set(sequence, member);
    this.stagedChanges.delete(sequence);
    this.stagedRemovals.delete(sequence);
    this.state = STATE.pending;
    return YES;
  }

  #removeMember(instance: bigint, sequence: bigint, member: string): ForeignAnswer {
    if (this.#isOut) return no('ERR_STATE', 'RemoveMember() called on removed or unjoined participant');
    const objection = this.#objection(instance, sequence);
    if (objection !== null) return objection;
    this.#commit(instance, sequence);
    if (!this.members.includes(member)) return no('ERR_DENIED', `Member {${member}} doesn't exist here`);
    this.stagedRemovals.set(sequence, member);
    return YES;
  }

  /** The one check: nothing asks who the sender is, and a new instance may begin anywhere. */
  #objection(instance: bigint, sequence: bigint): ForeignAnswer | null {
    if (instance < this.instance) {
      return no('ERR_DENIED', `Instance ${instance} less than current (${this.instance})`);
    }
    if (instance > this.instance) return null;
    if (sequence < this.sequence) {
      return no('ERR_DENIED', `Sequence ${sequence} less than current (${this.sequence})`);
    }
    if (sequence - this.sequence > 1n) {
      return no('ERR_GAP', `Received seq ${sequence}, but current seq is ${this.sequence}`);
    }
    return null;
  }

  /** Whatever the sender is past is taken for committed. */
  #commit(instance: bigint, sequence: bigint): void {
    if (instance > this.instance) {
      this.stagedChanges.clear();
      this.stagedMembers.clear();
      this.stagedRemovals.clear();
      this.sequence = 0n;
      this.instance = instance;
      if (this.state === STATE.master) this.events.push({ type: 'lose_master' });
      this.state = STATE.clean;
      // Without taking over the sequence: the second call of an instance is thus a gap.
      return;
    }
    for (let at = this.sequence; at < sequence; at++) {
      const changes = this.stagedChanges.get(at) ?? null;
      for (const change of changes ?? []) this.application.apply(change);
      this.stagedChanges.delete(at);
      this.events.push({ type: 'commit', sequence, changes });
      const added = this.stagedMembers.get(at);
      if (added !== undefined) this.members.push(added);
      this.stagedMembers.delete(at);
    }
    const removal = [...this.stagedRemovals].find(([at]) => at < sequence);
    if (removal !== undefined) {
      this.stagedRemovals.delete(removal[0]);
      if (removal[1] === this.self) this.#leave();
      else this.members = this.members.filter((member) => member !== removal[1]);
    }
    this.sequence = sequence;
  }

  #leave(): void {
    this.members = [];
    this.masters.clear();
    this.instance = U64_MAX;
    this.state = STATE.removed;
  }

  #start(call: Start): ForeignAnswer {
    const states: LegacyState[] = [STATE.unjoined, STATE.clean, STATE.pending];
    if (!states.includes(this.state)) {
      return no('ERR_STATE', `Expected state UNJOINED/PARTICIPANT*, am in state ${this.state}`);
    }
    const { instance, sequence } = call;
    if (instance < this.instance || (instance === this.instance && sequence < this.sequence)) {
      const [ours, theirs] = [`${this.instance}/${this.sequence}`, `${instance}/${sequence}`];
      return no('ERR_SEQUENCE', `Received bad snapshot. We're at ${ours}; snapshot is ${theirs}`);
    }
    this.members = [...call.participants];
    this.masters.set(instance, call.master);
    this.self = call.self;
    this.instance = instance;
    this.sequence = sequence;
    this.application.install(call.snapshot);
    // What is staged stays staged, whether or not the snapshot contains it.
    this.state = call.self === call.master ? STATE.master : STATE.clean;
    if (this.state === STATE.master) this.events.push({ type: 'become_master' });
    return YES;
  }
}

export const YES: ForeignAnswer = { status: 200, accepted: true, error: null };

export function no(code: ForeignErrorCode, text: string): ForeignAnswer {
  return { status: 200, accepted: false, error: { code, text } };
}
