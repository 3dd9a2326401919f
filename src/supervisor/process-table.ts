/**
 * Wanted workers against actual ones: who runs, who is ready, when a dead one is replaced.
 *
 * Pure bookkeeping, told of every start and end by the supervisor. It starts nothing and waits for
 * nothing; it also keeps the counters of runs that ended, so that the node's sums never go back.
 */
import { assert, LIMITS, type WorkerSlot } from '../base/index.ts';
import {
  addStats,
  NO_STATS,
  type StatsCounters,
  type WorkerKind,
  type WorkerPlace,
} from '../process/index.ts';

/** A place in the node that one process at a time fills. */
export interface Seat {
  readonly kind: WorkerKind;
  readonly slot: WorkerSlot;
}

/** What the end of a run means for its seat. */
export interface RunEnd {
  /** How long the seat should stay empty. */
  readonly restartAfterMs: number;
  /** Runs of this seat in a row that ended unready or soon, this one included. */
  readonly failuresInARow: number;
}

/** The load of one gateway that is ready. */
export interface WorkerLoad {
  readonly slot: WorkerSlot;
  /** Connections, and upgrades that are about to be some. */
  readonly connections: number;
}

/** A run that lived this long was healthy: its end does not prolong the next pause. */
const HEALTHY_AFTER_MS = 10_000;

interface SeatState extends Seat {
  run: number;
  place: WorkerPlace | null;
  ready: boolean;
  startedAtMs: number;
  nextRestartMs: number;
  failuresInARow: number;
  stats: StatsCounters;
}

/** The seats of one node. */
export class ProcessTable {
  readonly #seats: readonly SeatState[];
  readonly #meshDir: string;
  #ended: StatsCounters = NO_STATS;

  constructor(wanted: { readonly gateways: number; readonly api: boolean; readonly meshDir: string }) {
    assert(wanted.gateways >= 1, 'a node has at least one gateway');
    this.#meshDir = wanted.meshDir;
    const seats = Array.from({ length: wanted.gateways }, (_, slot) => emptySeat('gateway', slot));
    if (wanted.api) seats.push(emptySeat('api', 0));
    this.#seats = seats;
  }

  /** All seats, gateways first. */
  get seats(): readonly Seat[] {
    return this.#seats;
  }

  /** The summed counters of runs that ended; none of them holds a connection any more. */
  get ended(): StatsCounters {
    return this.#ended;
  }

  /** True when every seat is filled by a run that is ready. */
  get complete(): boolean {
    return this.#seats.every((seat) => seat.ready);
  }

  /** Fills an empty seat with its next run. */
  begin(seat: Seat, nowMs: number): WorkerPlace {
    const state = this.#state(seat);
    assert(state.place === null, 'a seat is filled by one run at a time');
    state.run++;
    state.startedAtMs = nowMs;
    state.ready = false;
    state.stats = NO_STATS;
    const meshPath = `${this.#meshDir}/${state.kind}-${state.slot}-${state.run}.sock`;
    state.place = { kind: state.kind, slot: state.slot, run: state.run, meshPath };
    return state.place;
  }

  /** Notes that the run is ready. */
  ready(place: WorkerPlace): void {
    this.#current(place).ready = true;
  }

  /** Notes what the run reported last. */
  load(place: WorkerPlace, stats: StatsCounters): void {
    this.#current(place).stats = stats;
  }

  /** Empties the seat of a run that ended. */
  end(place: WorkerPlace, nowMs: number): RunEnd {
    const state = this.#current(place);
    this.#ended = addStats(this.#ended, { ...state.stats, connections: 0, closingConnections: 0 });
    const livedLong = nowMs - state.startedAtMs >= HEALTHY_AFTER_MS;
    state.failuresInARow = livedLong && state.ready ? 0 : state.failuresInARow + 1;
    if (livedLong) state.nextRestartMs = LIMITS.workerRestartMs;
    const restartAfterMs = state.nextRestartMs;
    state.nextRestartMs = Math.min(restartAfterMs * 2, LIMITS.workerRestartMaxMs);
    state.place = null;
    state.ready = false;
    return { restartAfterMs, failuresInARow: state.failuresInARow };
  }

  /** The runs that are ready. */
  peers(): WorkerPlace[] {
    const peers: WorkerPlace[] = [];
    for (const { place, ready } of this.#seats) if (place !== null && ready) peers.push(place);
    return peers;
  }

  /** The loads of the gateways that are ready; handshakes in progress count as connections. */
  loads(): WorkerLoad[] {
    return this.#seats
      .filter((seat) => seat.kind === 'gateway' && seat.ready)
      .map(({ slot, stats }) => ({ slot, connections: stats.connections }));
  }

  #state(seat: Seat): SeatState {
    const state = this.#seats.find(({ kind, slot }) => kind === seat.kind && slot === seat.slot);
    assert(state !== undefined, 'the seat belongs to this node');
    return state;
  }

  #current(place: WorkerPlace): SeatState {
    const state = this.#state(place);
    assert(state.place?.run === place.run, 'the run fills its seat');
    return state;
  }
}

function emptySeat(kind: WorkerKind, slot: WorkerSlot): SeatState {
  return {
    kind,
    slot,
    run: 0,
    place: null,
    ready: false,
    startedAtMs: 0,
    nextRestartMs: LIMITS.workerRestartMs,
    failuresInARow: 0,
    stats: NO_STATS,
  };
}
