/**
 * Whether this node is up in its cluster, and under which epoch.
 *
 * It says that it comes up as soon as it is a member in contact with the majority, and says so anew,
 * as another life, when it learns that its epoch was ended meanwhile: others may have taken over what
 * it held, so that nothing of that epoch may go on.
 */
import type { Clock, Logger } from '../../base/index.ts';
import { MEMBER_LIMITS } from '../../base/index.ts';
import type { ClusterChange, ClusterState, Epoch, NodeFacts, NodeName } from '../../cluster/index.ts';
import type { Index } from '../../consensus/index.ts';

/** What the presence of a node needs. */
export interface PresenceDoors {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly nodeName: NodeName;
  readonly facts: NodeFacts;
  readonly drawBoot: () => string;
  readonly state: () => ClusterState;
  /** A member of the log, and in contact with its majority. */
  readonly canSpeak: () => boolean;
  readonly isMember: () => boolean;
  /** Resolves with the place in the log, which the state may reach a little later. */
  readonly submit: (change: ClusterChange, options: { readonly requestId?: string }) => Promise<Index>;
  /** Up to here the state has everything. */
  readonly appliedIndex: () => Index;
  /** That epoch of this node is over, although the node lives. */
  readonly ended: (epoch: Epoch) => void;
  /** It came up, or is up no more. */
  readonly changed: () => void;
}

/** The lives of a node, from one start of the process. */
export class Presence {
  readonly #doors: PresenceDoors;
  #boot: string;
  #epoch: Epoch | null = null;
  #isSubmitting = false;
  /** Where the log has taken this life note of, until it is up; null: nowhere yet. */
  #notedAt: Index | null = null;

  constructor(doors: PresenceDoors) {
    this.#doors = doors;
    this.#boot = doors.drawBoot();
  }

  /** The epoch under which this node is up; null: it is not. */
  get epoch(): Epoch | null {
    return this.#epoch;
  }

  /** Compares what the state says with what is. After every change of either, and now and then. */
  review(): void {
    const { state, nodeName, isMember } = this.#doors;
    const known = state().node(nodeName);
    const isOurs = known?.boot === this.#boot;
    if (isOurs && known.up && isMember()) {
      this.#notedAt = null;
      if (this.#epoch === known.epoch) return;
      this.#epoch = known.epoch;
      this.#doors.logger.info({ epoch: known.epoch }, 'this node is up');
      return this.#doors.changed();
    }
    if (this.#epoch !== null) this.#end(this.#epoch);
    // Ended, or purged even, in a life that was never seen to be up: it is over all the same.
    else if ((isOurs && !known.up) || this.#isForgotten) this.#beginAnew();
    this.#comeUp();
  }

  /** The log took note of this life and would not do so again, yet the state has none of it. */
  get #isForgotten(): boolean {
    return this.#notedAt !== null && this.#notedAt <= this.#doors.appliedIndex();
  }

  #beginAnew(): void {
    this.#boot = this.#doors.drawBoot();
    this.#notedAt = null;
  }

  #end(epoch: Epoch): void {
    this.#epoch = null;
    this.#beginAnew();
    this.#doors.logger.warn({ epoch }, 'this epoch of the node was ended by the others; it begins a new one');
    this.#doors.ended(epoch);
    this.#doors.changed();
  }

  #comeUp(): void {
    if (this.#isSubmitting || !this.#doors.canSpeak()) return;
    this.#isSubmitting = true;
    const { nodeName: node, facts, clock, submit, logger } = this.#doors;
    const boot = this.#boot;
    const done = () => {
      this.#isSubmitting = false;
    };
    // One id for all attempts of one life: a late repetition must not bring it up a second time.
    submit({ type: 'node_up', node, boot, facts, atMs: clock.wallMs() }, { requestId: `up ${boot}` }).then(
      (index) => {
        if (boot === this.#boot && this.#epoch === null) this.#notedAt = index;
        done();
      },
      (error: Error) => {
        logger.warn(
          { error: error.message, triedForMs: MEMBER_LIMITS.submitMs },
          'this node could not come up yet',
        );
        done();
      },
    );
  }
}
