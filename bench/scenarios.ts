/**
 * What is measured, and what one worker has to reach against a bare `ws` server.
 *
 * A sitting is a pair of fresh servers with a number of clients; its scenarios are measured one
 * after the other, each on both servers in turn.
 */
import type { LoadKind } from './load/orders.ts';
import type { Bar } from './statistics.ts';

/** How a scenario is measured: a load, or what it took to connect the sitting's clients. */
export type Method =
  | { readonly type: 'load'; readonly load: LoadKind; readonly inFlight: number }
  | { readonly type: 'connects' }
  | { readonly type: 'memory' };

/** One line of the report. */
export interface Scenario {
  readonly name: string;
  readonly what: string;
  readonly unit: string;
  readonly method: Method;
  /** Null: reported without a verdict. */
  readonly bar: Bar | null;
}

/** Scenarios that share servers and clients. */
export interface Sitting {
  readonly clients: number;
  /** Whether servers compress and clients offer it, as `peers/peer.ts` says. */
  readonly compression?: boolean;
  /** Whether clients and callers speak TLS to both servers. */
  readonly tls?: boolean;
  readonly scenarios: readonly Scenario[];
}

/** Connects in progress at once. */
export const CONNECTS_IN_PROGRESS = 64;

function atLeast(ratio: number): Bar {
  return { ratio, direction: 'at_least' };
}

function broadcast(audience: string, publishers: number, bar: Bar): Scenario {
  return {
    name: `broadcast-${audience}-${publishers}`,
    what: `to ${audience}, ${publishers} in flight`,
    unit: 'deliveries/s',
    method: { type: 'load', load: 'broadcast', inFlight: publishers },
    bar,
  };
}

function compressedBroadcast(publishers: number, bar: Bar): Scenario {
  return {
    name: `deflate-1k-${publishers}`,
    what: `1 KiB of JSON compressed to 1k, ${publishers} in flight`,
    unit: 'deliveries/s',
    method: { type: 'load', load: 'compressed_broadcast', inFlight: publishers },
    bar,
  };
}

function overTls(scenario: Scenario): Scenario {
  return { ...scenario, name: `${scenario.name}-tls`, what: `${scenario.what}, over TLS` };
}

/** The whole programme of a run. */
export const SITTINGS: readonly Sitting[] = [
  {
    clients: 1_000,
    scenarios: [
      broadcast('1k', 1, atLeast(1)),
      broadcast('1k', 16, atLeast(6)),
      {
        name: 'unicast',
        what: '/send to one of 1k, 32 in flight',
        unit: 'sends/s',
        method: { type: 'load', load: 'unicast', inFlight: 32 },
        bar: atLeast(0.85),
      },
      {
        name: 'callbacks',
        what: 'receive callbacks, 100 clients',
        unit: 'round trips/s',
        method: { type: 'load', load: 'callbacks', inFlight: 100 },
        bar: null,
      },
    ],
  },
  {
    clients: 1_000,
    compression: true,
    scenarios: [compressedBroadcast(1, atLeast(4)), compressedBroadcast(16, atLeast(15))],
  },
  {
    clients: 10_000,
    scenarios: [
      {
        name: 'connects',
        what: `10k, ${CONNECTS_IN_PROGRESS} in progress`,
        unit: 'connects/s',
        method: { type: 'connects' },
        bar: atLeast(0.35),
      },
      {
        name: 'memory',
        what: 'resident growth over 10k idle',
        unit: 'KB/connection',
        method: { type: 'memory' },
        bar: { ratio: 2, direction: 'at_most' },
      },
      broadcast('10k', 1, atLeast(1)),
      broadcast('10k', 16, atLeast(6)),
    ],
  },
  {
    clients: 1_000,
    tls: true,
    scenarios: [
      {
        name: 'connects-tls',
        what: `1k over TLS, ${CONNECTS_IN_PROGRESS} in progress`,
        unit: 'connects/s',
        method: { type: 'connects' },
        bar: null,
      },
      overTls(broadcast('1k', 1, atLeast(0.85))),
      overTls(broadcast('1k', 16, atLeast(1.3))),
    ],
  },
];

/** What a build may lose against the one before it. */
const LOSS_MAX = 0.05;

/** What every build can do. */
const PLAIN_SITTINGS = SITTINGS.filter(({ compression, tls }) => !compression && !tls);

/** The plain scenarios with another build as the yardstick: none of them may get worse. */
export const AGAINST_A_BUILD: readonly Sitting[] = PLAIN_SITTINGS.map((sitting) => ({
  ...sitting,
  scenarios: sitting.scenarios.map((scenario) => ({
    ...scenario,
    bar:
      scenario.method.type === 'memory'
        ? { ratio: 1 + LOSS_MAX, direction: 'at_most' }
        : atLeast(1 - LOSS_MAX),
  })),
}));
