/**
 * What an operation of the operator's API is, and how one is found. Types and a look-up; the
 * operations themselves are in `operations.ts`.
 */
import type { Schema } from './schema.ts';

/** A failure of an operation that its caller can act on; answered with 400. */
export interface DomainError {
  /** UPPER-KEBAB. */
  readonly type: string;
  /** As a clause behind the type. */
  readonly when: string;
}

/** An operation, as all who offer it must know it. */
export interface Operation {
  readonly service: 'Sora';
  /** The dates under which it is known. */
  readonly versions: readonly string[];
  readonly name: string;
  readonly summary: string;
  /** Null: it takes no body. */
  readonly request: Schema | null;
  /** Whether the body may be left out; with `request` null there is nothing to leave out. */
  readonly bodyOptional: boolean;
  readonly response: Schema;
  readonly errors: readonly DomainError[];
  /**
   * `any`: every node answers the same, as far as it knows. `self`: it is about the node that is asked.
   * `owner`: asked elsewhere, it is redirected to the node that owns the channel.
   */
  readonly runsOn: 'any' | 'self' | 'owner';
}

/** What a caller names in `x-sora-target`. */
export interface Target {
  readonly service: string;
  readonly version: string;
  readonly operation: string;
}

/** The operation that `target` names, or undefined. */
export function findOperation(
  operations: readonly Operation[],
  { service, version, operation }: Target,
): Operation | undefined {
  return operations.find(
    (known) => known.name === operation && known.service === service && known.versions.includes(version),
  );
}
