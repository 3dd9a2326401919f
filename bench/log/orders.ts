/**
 * What the conductor of the log's benchmark and its load maker say to each other.
 *
 * One order at a time, each answered once. Plain JSON.
 */
import type { Address, Measurement } from '../load/orders.ts';

/** How a write is asked for: the log's `submit`, etcd's JSON gateway, or etcd's own protocol. */
export type Protocol = 'submit' | 'etcd_json' | 'etcd_grpc';

/** Keeps `inFlight` writes under way at one member and counts those that are acknowledged. */
export interface CommitOrder {
  readonly address: Address;
  readonly protocol: Protocol;
  readonly inFlight: number;
  readonly warmUpMs: number;
  readonly windowMs: number;
  /** Processes whose CPU time is read at both ends of the window. */
  readonly serverPids: readonly number[];
}

/** From the maker. */
export type CommitAnswer =
  | { readonly type: 'measured'; readonly measurement: Measurement }
  | { readonly type: 'failed'; readonly message: string };
