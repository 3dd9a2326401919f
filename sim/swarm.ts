/**
 * What kind of world a seed is: everything that is drawn once, before anything happens.
 *
 * Three profiles: `lite` has a kind network and few faults, `performance` much load and hardly any,
 * `swarm` a random choice of everything, each fault at a rate of its own or not at all. Runs in
 * which some faults are off find what runs with all of them hide.
 */
import type { DiskOptions } from './disk.ts';
import type { NetworkOptions } from './network.ts';
import type { Rng } from './rng.ts';

/** Mean time between faults of a kind, in virtual milliseconds; null: never. */
export interface FaultRates {
  readonly kill: number | null;
  readonly powerLoss: number | null;
  readonly blackout: number | null;
  readonly pause: number | null;
  readonly partition: number | null;
  readonly swizzle: number | null;
  readonly fullDisk: number | null;
  readonly slowDisk: number | null;
  readonly damage: number | null;
  readonly drift: number | null;
}

/** How much is asked of the cluster. */
export interface LoadOptions {
  readonly clients: number;
  readonly thinkMeanMs: number;
  readonly registers: number;
  readonly readShare: number;
  /** Of the writes: those without a request id, which are never sent twice. */
  readonly anonymousShare: number;
  /** Mean time between wishes of the operator: members come, go, are replaced; mastership moves. */
  readonly operatorMeanMs: number;
}

/** How nervous the cluster is. */
export interface ElectionOptions {
  readonly heartbeatMs: number;
  readonly electionMinMs: number;
  readonly electionMaxMs: number;
}

/** Everything that is drawn once a seed. */
export interface SwarmOptions {
  readonly profile: 'lite' | 'performance' | 'swarm';
  /** Nodes that the cluster begins with. */
  readonly nodes: number;
  /** Further nodes that the operator may add. */
  readonly spares: number;
  readonly votersMax: number;
  /** How long a voter may be silent before a learner takes its place. */
  readonly voterDownMs: number;
  readonly elections: ElectionOptions;
  readonly driftMax: number;
  readonly snapshotLogBytes: number;
  readonly segmentBytes: number;
  readonly entriesKept: number;
  readonly keptBytes: number;
  readonly snapshotPieceBytes: number;
  readonly appendBytes: number;
  readonly network: NetworkOptions;
  readonly disk: DiskOptions;
  readonly faults: FaultRates;
  readonly load: LoadOptions;
  /** Messages are cut off from their sender's memory, as a network does; slow, so not always. */
  readonly copiesMessages: boolean;
}

/** Worlds in which one kind of mistake shows soon: what canaries are hunted in. */
export type Focus = 'votes' | 'masters' | 'tails';

const NO_FAULTS: FaultRates = {
  ...{ kill: null, powerLoss: null, blackout: null, pause: null, partition: null },
  ...{ swizzle: null, fullDisk: null, slowDisk: null, damage: null, drift: null },
};

const HASTY: ElectionOptions = { heartbeatMs: 40, electionMinMs: 250, electionMaxMs: 500 };
const COLLIDING: ElectionOptions = { heartbeatMs: 60, electionMinMs: 400, electionMaxMs: 420 };

/** Draws the world of a seed; with a focus, one that is cruel in one way only. */
export function drawSwarm(rng: Rng, focus: Focus | null = null): SwarmOptions {
  const options = drawOptions(rng);
  const few = { ...options, profile: 'swarm', nodes: 3, spares: 0, copiesMessages: false } as const;
  const network = {
    ...options.network,
    delayMeanMs: 4,
    lossChance: 0,
    stragglerChance: 0.05,
    stragglerMeanMs: 300,
  };
  const disk = { ...options.disk, syncMeanMs: 3 };
  switch (focus) {
    case 'votes':
      return {
        ...few,
        network,
        disk,
        elections: COLLIDING,
        faults: { ...NO_FAULTS, kill: 250, pause: 3_000 },
      };
    case 'masters': {
      const faults = { ...NO_FAULTS, kill: 500, pause: 2_000, partition: 1_500 };
      return { ...few, nodes: 5, network, disk, elections: HASTY, appendBytes: 64, faults };
    }
    case 'tails': {
      const faults = { ...NO_FAULTS, damage: 700, kill: 2_500, pause: 1_500, partition: 2_000 };
      return { ...few, network, disk, elections: HASTY, faults };
    }
    case null:
      return options;
  }
}

function drawOptions(rng: Rng): SwarmOptions {
  const lot = rng.fraction();
  const profile = lot < 0.1 ? 'lite' : lot < 0.2 ? 'performance' : 'swarm';
  const isWild = profile === 'swarm';
  const network = isWild ? wildNetwork(rng) : kindNetwork(rng);
  return {
    profile,
    nodes: rng.between(3, 7),
    spares: isWild ? rng.between(0, 2) : 1,
    votersMax: rng.pick([3, 5, 5, 7]),
    voterDownMs: rng.pick([4_000, 15_000, 600_000]),
    driftMax: isWild ? rng.pick([0, 0.001, 0.02]) : 0.0005,
    snapshotLogBytes: profile === 'performance' ? 1_048_576 : rng.pick([32_768, 65_536, 131_072]),
    segmentBytes: rng.pick([8_192, 32_768, 131_072]),
    keptBytes: rng.pick([0, 1_024, 16_384]),
    entriesKept: rng.pick([0, 4, 32, 256]),
    snapshotPieceBytes: rng.pick([256, 1_024, 65_536]),
    appendBytes: rng.pick([512, 4_096, 262_144]),
    network,
    elections: drawElections(rng, network),
    disk: isWild ? wildDisk(rng) : kindDisk(),
    faults: isWild ? wildFaults(rng) : { ...NO_FAULTS, kill: 20_000, partition: 20_000 },
    load: drawLoad(rng, profile === 'performance'),
    copiesMessages: rng.chance(0.05),
  };
}

/** A slow network needs patience; on a fast one, narrow times make candidates collide. */
function drawElections(rng: Rng, { delayMeanMs }: NetworkOptions): ElectionOptions {
  const patient = { heartbeatMs: 100, electionMinMs: 1_000, electionMaxMs: 2_000 };
  if (delayMeanMs > 5) return patient;
  return rng.pick([patient, patient, HASTY, COLLIDING]);
}

function kindNetwork(rng: Rng): NetworkOptions {
  const delayMeanMs = rng.pick([0.2, 1, 5]);
  return {
    ...{ lossChance: 0, repeatChance: 0, delayLeastMs: 0.1, delayMeanMs },
    ...{ stragglerChance: 0.001, stragglerMeanMs: 20 },
  };
}

function wildNetwork(rng: Rng): NetworkOptions {
  return {
    lossChance: rng.pick([0, 0.001, 0.02, 0.1]),
    repeatChance: rng.pick([0, 0.01, 0.1]),
    delayLeastMs: 0.1,
    delayMeanMs: rng.pick([0.2, 2, 10, 30]),
    stragglerChance: rng.pick([0, 0.01, 0.1]),
    stragglerMeanMs: rng.pick([50, 300, 2_000]),
  };
}

function kindDisk(): DiskOptions {
  return { sectorBytes: 512, syncLeastMs: 0.1, syncMeanMs: 0.3, stallChance: 0, stallMeanMs: 0 };
}

function wildDisk(rng: Rng): DiskOptions {
  return {
    sectorBytes: rng.pick([512, 512, 4_096]),
    syncLeastMs: 0.1,
    syncMeanMs: rng.pick([0.3, 3, 15]),
    stallChance: rng.pick([0, 0.002, 0.02]),
    stallMeanMs: rng.pick([100, 700]),
  };
}

function wildFaults(rng: Rng): FaultRates {
  const rate = (...means: number[]): number | null => (rng.chance(0.3) ? null : rng.pick(means));
  return {
    kill: rate(2_000, 6_000, 15_000),
    powerLoss: rate(3_000, 8_000, 20_000),
    blackout: rate(15_000, 40_000),
    pause: rate(4_000, 12_000),
    partition: rate(3_000, 8_000, 20_000),
    swizzle: rate(6_000, 20_000),
    fullDisk: rate(10_000, 30_000),
    slowDisk: rate(10_000, 30_000),
    damage: rate(6_000, 15_000),
    drift: rate(5_000, 20_000),
  };
}

function drawLoad(rng: Rng, isHeavy: boolean): LoadOptions {
  return {
    clients: isHeavy ? rng.between(12, 24) : rng.between(4, 8),
    thinkMeanMs: isHeavy ? rng.between(20, 80) : rng.between(200, 500),
    registers: rng.between(6, 16),
    readShare: rng.pick([0.2, 0.4]),
    anonymousShare: rng.pick([0, 0.1]),
    operatorMeanMs: rng.pick([3_000, 8_000, 20_000]),
  };
}
