/**
 * What clients asked and were answered, in the order of the world: the evidence for `linearizable.ts`.
 *
 * An operation whose answer never came stays open: it may have happened at any time since, or never.
 */

/** One operation on one register. `endedAt` null: nobody knows what became of it. */
export interface Operation {
  readonly key: string;
  readonly type: 'put' | 'get';
  /** Written, or read; null is a register that was never written. */
  value: string | null;
  readonly startedAt: number;
  endedAt: number | null;
}

/** All operations of a run, by key. Places in time are numbers of an own count, which has no ties. */
export class History {
  readonly #byKey = new Map<string, Operation[]>();
  #moments = 0;
  started = 0;
  ended = 0;

  begin(operation: Pick<Operation, 'key' | 'type' | 'value'>): Operation {
    this.started++;
    const { key, type, value } = operation;
    const begun: Operation = { key, type, value, startedAt: ++this.#moments, endedAt: null };
    const others = this.#byKey.get(key);
    if (others === undefined) this.#byKey.set(key, [begun]);
    else others.push(begun);
    return begun;
  }

  /** The answer is there: a read with what it saw, a write with success. */
  end(operation: Operation, value: string | null): void {
    this.ended++;
    operation.value = value;
    operation.endedAt = ++this.#moments;
  }

  /** Keys in the order of their first use, each with its operations. */
  keys(): IterableIterator<[string, readonly Operation[]]> {
    return this.#byKey.entries();
  }
}
