/**
 * What the conductor of a run and a load maker say to each other over the child's IPC channel.
 *
 * One order at a time, each answered once. Plain JSON.
 */

/** Where a server listens. */
export interface Address {
  readonly host: string;
  readonly port: number;
  /** Whether it speaks TLS, to clients and callers alike. */
  readonly tls: boolean;
}

/** The kinds of load that can be made once clients are connected. */
export type LoadKind = 'broadcast' | 'compressed_broadcast' | 'unicast' | 'callbacks';

/** From the conductor. */
export type Order =
  /** Connects `clients` WebSockets, `inProgress` at a time, and keeps them. */
  | {
      readonly type: 'open';
      readonly address: Address;
      readonly clients: number;
      readonly inProgress: number;
      /** Whether they offer permessage-deflate. */
      readonly compression: boolean;
      readonly serverPids: readonly number[];
    }
  | {
      readonly type: 'measure';
      readonly load: LoadKind;
      /** Publishers, requests in flight, or clients that speak; by the load. */
      readonly inFlight: number;
      readonly warmUpMs: number;
      readonly windowMs: number;
      /** Processes whose CPU time is read at both ends of the window. */
      readonly serverPids: readonly number[];
    };

/** What was seen in one window. */
export interface Measurement {
  /** Deliveries, round trips or connects, by the load. */
  readonly perSecond: number;
  readonly p50Us: number;
  readonly p99Us: number;
  /** Share of the window in which the maker's process used no CPU; near 0 the maker is the limit. */
  readonly makerIdle: number;
  /** CPU seconds of all server processes per second. */
  readonly serverBusy: number;
}

/** From the maker. */
export type MakerAnswer =
  /** Once, at the start: the application is up. */
  | { readonly type: 'ready'; readonly applicationUrl: string }
  | { readonly type: 'measured'; readonly measurement: Measurement }
  | { readonly type: 'failed'; readonly message: string };
