/**
 * What operators have done by the supervisor, by its name: founding, joining, purging, modes.
 *
 * Reads what was asked, hands it to whoever does it, and puts the answer into the words of the API.
 * The api worker has checked requests against the contract; nothing here trusts it.
 */
import { failed, MEMBER_LIMITS, type Mode, ok, type Result } from '../../base/index.ts';
import type { OrderedMode } from '../../cluster/index.ts';
import type { OperationName, OperationOutcome } from '../../process/index.ts';
import type { Answered, OperationFailure } from './doors.ts';
import type { Membership } from './membership.ts';

/** What operations act on. */
export interface OperationsDoors {
  /** Null: the node is by itself. */
  readonly membership: Membership | null;
  readonly mode: () => Mode;
  /** The failure names the error. */
  readonly order: (mode: OrderedMode) => Result<null, OperationFailure>;
  /** Resolves when all workers know the mode, or soon. */
  readonly granted: () => Promise<void>;
  readonly raft: () => Readonly<Record<string, unknown>>;
}

/** Carries operations out, a bounded number at once. */
export class Operations {
  readonly #doors: OperationsDoors;
  #running = 0;

  constructor(doors: OperationsDoors) {
    this.#doors = doors;
  }

  /** The outcome; never rejects. */
  async perform(operation: OperationName, request: unknown): Promise<OperationOutcome> {
    if (this.#running >= MEMBER_LIMITS.operationsMax) return { ok: false, error: 'TOO-MANY-OPERATIONS' };
    this.#running++;
    try {
      const fields = typeof request === 'object' && request !== null ? request : {};
      const answered = await this.#perform(operation, fields as Record<string, unknown>);
      return answered.ok ? { ok: true, answer: answered.value } : { ok: false, ...answered.error };
    } catch (error) {
      return { ok: false, error: 'INTERNAL-ERROR', reason: { detail: String(error) } };
    } finally {
      this.#running--;
    }
  }

  async #perform(operation: OperationName, request: Record<string, unknown>): Promise<Answered<unknown>> {
    switch (operation) {
      case 'GetMode':
        return ok({ mode: this.#doors.mode() });
      case 'RaftStatus':
        return ok(this.#doors.raft());
      case 'ChangeMode':
        return await this.#changeMode(request.mode);
      case 'InitCluster':
        return await this.#initCluster(request.node_name_list);
      case 'JoinCluster':
        return await this.#names((membership) => membership.join(request.contact_node_name));
      case 'PurgeClusterNode':
        return await this.#purge(request.target_node_name);
    }
  }

  async #changeMode(mode: unknown): Promise<Answered<unknown>> {
    if (mode !== 'normal' && mode !== 'block_new_session' && mode !== 'block_new_connection') {
      return failed({ error: 'INVALID-MODE', reason: { mode } });
    }
    const ordered = this.#doors.order(mode);
    if (!ordered.ok) return ordered;
    await this.#doors.granted();
    return ok({ mode });
  }

  async #initCluster(list: unknown): Promise<Answered<unknown>> {
    return await this.#names((membership) => membership.found(Array.isArray(list) ? list : []));
  }

  async #names(
    ask: (membership: Membership) => Promise<Answered<readonly string[]>>,
  ): Promise<Answered<unknown>> {
    const { membership } = this.#doors;
    if (membership === null) return failed({ error: 'CLUSTER-NOT-CONFIGURED' });
    const names = await ask(membership);
    return names.ok ? ok({ node_name_list: names.value }) : names;
  }

  async #purge(target: unknown): Promise<Answered<unknown>> {
    const { membership } = this.#doors;
    if (membership === null) return failed({ error: 'CLUSTER-NOT-CONFIGURED' });
    const purged = await membership.purge(target);
    return purged.ok ? ok({ target_node_name: target }) : purged;
  }
}
