/**
 * Invariants: statements that are false only when this program has a bug.
 *
 * Not for bad input, which is answered with a value or an `ArrokothError`. A broken invariant
 * throws, the worker process dies of it, and the supervisor starts a fresh one: a process that no
 * longer understands its own state must not keep serving.
 */

/** Thrown when an invariant does not hold; never caught except by the process itself. */
export class AssertionFailed extends Error {
  override name = 'AssertionFailed';
}

/** Throws `AssertionFailed` with `sentence` unless `condition` holds. */
export function assert(condition: unknown, sentence: string): asserts condition {
  if (!condition) throw new AssertionFailed(sentence);
}
