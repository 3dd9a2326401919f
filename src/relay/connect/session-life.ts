/**
 * The life of one admitted connection, from the application's 200 to its one end.
 *
 * Three acknowledgements are awaited before the 101: the journal's, the directory's and those of
 * the channels' owners. Whatever happens first ends the life, and only the first end counts: this
 * is where "every admitted connection ends in exactly one event" is decided.
 */
import { assert } from '../../base/index.ts';

/**
 * registering: admitted, acknowledgements outstanding, no 101 yet.
 * establishing: the 101 is out, the establish callback is not answered; messages wait.
 * open: the hello is queued; messages follow it.
 * ended: one event is owed, or none where the application closed it itself.
 */
export type LifeStage = 'registering' | 'establishing' | 'open' | 'ended';

/** Follows one connection. The owner performs what the answers say. */
export class SessionLife {
  #stage: LifeStage = 'registering';
  #awaited: number;

  /** `awaited`: acknowledgements needed before the 101; at least the journal's. */
  constructor(awaited: number) {
    assert(awaited >= 1, 'no connection is upgraded before the journal has it');
    this.#awaited = awaited;
  }

  get stage(): LifeStage {
    return this.#stage;
  }

  /** One acknowledgement came. `upgrade`: it was the last, send the 101. */
  acknowledged(): 'wait' | 'upgrade' | 'ended' {
    if (this.#stage === 'ended') return 'ended';
    assert(this.#stage === 'registering' && this.#awaited > 0, 'each acknowledgement comes once');
    this.#awaited--;
    return this.#awaited === 0 ? 'upgrade' : 'wait';
  }

  /** The 101 is out. */
  upgraded(): void {
    assert(this.#stage === 'registering' && this.#awaited === 0, 'the 101 follows every acknowledgement');
    this.#stage = 'establishing';
  }

  /** The application agreed, or was not to be asked: the hello may go. `ended`: too late. */
  established(): 'open' | 'ended' {
    if (this.#stage === 'ended') return 'ended';
    assert(this.#stage === 'establishing', 'a connection is established once, after its 101');
    this.#stage = 'open';
    return 'open';
  }

  /** True the first time: the caller then owes the one event, or the silence of `/close`. */
  end(): boolean {
    if (this.#stage === 'ended') return false;
    this.#stage = 'ended';
    return true;
  }
}
