/**
 * One home's part of the directory: which worker holds the connection of a session key.
 *
 * Every key has a home, and the home alone decides which of two connections with one key is the
 * newer: it gives out generations, which never go back, not even over a restart of the home. It
 * holds no sockets and sends nothing; `gateway/` carries its answers over the bus.
 */
import {
  assert,
  type ConnectionId,
  isLaterRun,
  isSameWorker,
  type Seat,
  type SessionKey,
  type WorkerAddress,
} from '../../base/index.ts';

/** The worker process that a connection lives in. */
export type Holder = WorkerAddress;

/** What the directory knows of the connection that a key stands for. */
export interface Holding {
  readonly key: SessionKey;
  readonly connection: ConnectionId;
  readonly holder: Holder;
  readonly generation: number;
}

/** What a registration changed. */
export interface Registration {
  /** The generation of the registered connection. */
  readonly generation: number;
  /** The connection that lost the key by it: the older one, or the registered one itself. */
  readonly replaced: Holding | null;
}

/** A run gives out 2^32 generations before it could meet those of the next one. */
const GENERATIONS_PER_RUN = 2 ** 32;

/** The register of the keys whose home this worker is. */
export class Directory {
  readonly #holdings = new Map<SessionKey, Holding>();
  #lastGeneration: number;

  /** `run`: the run of the worker that keeps this register, counted from 1. */
  constructor(run: number) {
    assert(run >= 0 && run < 2 ** 20, 'a run leaves room for its generations below 2^53');
    this.#lastGeneration = run * GENERATIONS_PER_RUN;
  }

  get size(): number {
    return this.#holdings.size;
  }

  /**
   * A new connection takes the key, with a generation above `floor`; whoever had it is replaced. Asking
   * twice changes nothing.
   */
  register(claim: { key: SessionKey; connection: ConnectionId; holder: Holder }, floor = 0): Registration {
    const present = this.#holdings.get(claim.key);
    const isKnown = present?.connection === claim.connection;
    if (isKnown && present.generation > floor) return { generation: present.generation, replaced: null };
    this.#lastGeneration = Math.max(this.#lastGeneration, floor) + 1;
    const generation = this.#lastGeneration;
    this.#holdings.set(claim.key, { ...claim, generation });
    return { generation, replaced: isKnown ? null : (present ?? null) };
  }

  /**
   * A holder repeats what an earlier run of this home, or another home, had granted; the higher
   * generation wins. Of two alike, given by homes that did not hear each other, all choose the same.
   */
  restore(holding: Holding): Registration {
    this.#lastGeneration = Math.max(this.#lastGeneration, holding.generation);
    const present = this.#holdings.get(holding.key);
    if (present === undefined || present.connection === holding.connection) {
      this.#holdings.set(holding.key, holding);
      return { generation: holding.generation, replaced: null };
    }
    if (isAhead(present, holding)) {
      return { generation: holding.generation, replaced: holding };
    }
    this.#holdings.set(holding.key, holding);
    return { generation: holding.generation, replaced: present };
  }

  /** The end of one connection; a newer one with the same key stays. */
  unregister(key: SessionKey, connection: ConnectionId): void {
    if (this.#holdings.get(key)?.connection === connection) this.#holdings.delete(key);
  }

  lookup(key: SessionKey): Holding | undefined {
    return this.#holdings.get(key);
  }

  /** Forgets what an ended run held. */
  dropRun(ended: Holder): void {
    this.dropWhere(({ holder }) => isSameWorker(holder, ended));
  }

  /** Forgets what `isOver` says is not held any more, or not here. */
  dropWhere(isOver: (holding: Holding) => boolean): void {
    for (const [key, holding] of this.#holdings) if (isOver(holding)) this.#holdings.delete(key);
  }
}

function isAhead(present: Holding, other: Holding): boolean {
  if (present.generation !== other.generation) return present.generation > other.generation;
  return present.connection > other.connection;
}

/**
 * Whether a register can say "not found" and mean it.
 *
 * After a restart a home knows nothing until its sisters have repeated what they hold; it is
 * complete when it knows which of them are alive and each of those has said so.
 */
export class Completeness {
  /** Null: nobody has said yet who is alive, and sisters may be asking already. */
  #alive: Map<Seat, Holder> | null = null;
  readonly #rebuilt = new Map<Seat, Holder>();

  /** The sisters that are alive now, this worker left out. */
  sisters(alive: readonly Holder[]): void {
    const current = new Map(alive.map((sister) => [sister.seat, sister]));
    this.#alive = current;
    for (const [seat, rebuilt] of this.#rebuilt) {
      const sister = current.get(seat);
      if (sister !== undefined && isLaterRun(sister, rebuilt)) this.#rebuilt.delete(seat);
    }
  }

  /** That run has repeated everything it holds. May arrive before the sister is known to be alive. */
  rebuilt(sister: Holder): void {
    const known = this.#rebuilt.get(sister.seat);
    if (known === undefined || isLaterRun(sister, known)) this.#rebuilt.set(sister.seat, sister);
  }

  get complete(): boolean {
    if (this.#alive === null) return false;
    for (const [seat, sister] of this.#alive) {
      const rebuilt = this.#rebuilt.get(seat);
      if (rebuilt === undefined || isLaterRun(sister, rebuilt)) return false;
    }
    return true;
  }
}
