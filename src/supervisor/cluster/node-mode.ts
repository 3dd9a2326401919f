/**
 * The mode of this node: what operators ordered, bounded by what its log and its disk allow.
 *
 * The rule is `cluster/`'s; here its inputs are gathered, and a change is noticed once.
 */
import { failed, type Logger, type Mode, ok, type Result } from '../../base/index.ts';
import { acceptOrder, modeOf, type NodeStanding, type OrderedMode } from '../../cluster/index.ts';
import type { OperationFailure } from './doors.ts';

/** What the mode follows from. */
export interface NodeModeDoors {
  readonly logger: Logger;
  readonly facts: () => Omit<NodeStanding, 'ordered'>;
  readonly changed: () => void;
}

/** The mode of one node. Nothing is on disk: a node that is started anew has no orders. */
export class NodeMode {
  readonly #doors: NodeModeDoors;
  #ordered: OrderedMode | null = null;
  #shown: Mode | null = null;

  constructor(doors: NodeModeDoors) {
    this.#doors = doors;
  }

  get current(): Mode {
    return modeOf({ ...this.#doors.facts(), ordered: this.#ordered });
  }

  /** An operator's word. The failure says why it cannot be followed. */
  order(mode: OrderedMode): Result<null, OperationFailure> {
    const { facts, logger } = this.#doors;
    if (!acceptOrder(mode, facts()).ok) return failed({ error: 'NODE-NOT-JOINED', reason: { mode } });
    this.#ordered = mode;
    logger.info({ mode }, 'an operator changed the mode');
    this.review();
    return ok(null);
  }

  /** Notices a change. */
  review(): void {
    const { current } = this;
    const before = this.#shown;
    this.#shown = current;
    if (before === null || before === current) return;
    this.#doors.logger.info({ mode: current, before }, 'the mode of this node');
    this.#doors.changed();
  }
}
