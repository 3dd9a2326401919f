/**
 * What the nodes of a cluster tell each other outside the log: how they are, every two seconds.
 *
 * Nobody has to agree on it, so it costs no entry; it is old by seconds and lost where a node is. Each
 * call brings the caller's word and takes the other's back. Workers are told what changed.
 */
import { type Cancellable, type Clock, MEMBER_LIMITS, type Mode, type Timers } from '../../base/index.ts';
import type { ClusterState, NodeName } from '../../cluster/index.ts';
import type { MemberName } from '../../consensus/index.ts';
import type { Bulletin } from '../../process/index.ts';
import type { ClusterPort } from './doors.ts';

/** The path on which supervisors tell each other. */
const BULLETIN_PATH = '/_arrokoth/bulletin';

/** What a node can say of itself; that it is connected goes without saying. */
export type OwnBulletin = Omit<Bulletin, 'connected'>;

/** What bulletins take. */
export interface BulletinsDoors {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly nodeName: NodeName;
  readonly state: () => ClusterState;
  readonly addressOf: (node: NodeName) => MemberName;
  readonly own: () => OwnBulletin;
  /** Null: there are no others. */
  readonly port: () => ClusterPort | null;
  /** Only a node that is up is heard of. */
  readonly isUp: () => boolean;
  /** At most twice a second, when something changed. */
  readonly tell: (nodes: readonly Bulletin[]) => void;
}

interface Heard {
  readonly bulletin: OwnBulletin;
  readonly atMs: number;
}

/** The bulletins of one node. */
export class Bulletins {
  readonly #doors: BulletinsDoors;
  /** At most as many as there are known nodes. */
  readonly #heard = new Map<NodeName, Heard>();
  readonly #calling = new Set<NodeName>();
  #beats: Cancellable[] = [];
  #told = '';

  constructor(doors: BulletinsDoors) {
    this.#doors = doors;
  }

  start(): void {
    const { timers } = this.#doors;
    this.#beats = [
      timers.every(MEMBER_LIMITS.bulletinPeriodMs, () => this.spread()),
      timers.every(MEMBER_LIMITS.bulletinNewsMs, () => this.review()),
    ];
  }

  stop(): void {
    for (const beat of this.#beats.splice(0)) beat.cancel();
  }

  /** Answers others on their path. */
  serve(port: ClusterPort): void {
    port.serve(BULLETIN_PATH, (question, reply) => {
      this.#take(question);
      reply(this.#doors.isUp() ? this.#doors.own() : null);
    });
  }

  /** Tells all others now: something changed that they should know soon. */
  spread(): void {
    const { port, state, addressOf, nodeName, isUp, own } = this.#doors;
    const calls = port();
    if (calls === null || !isUp()) return;
    const question = own();
    for (const { node } of state().nodes()) {
      if (node === nodeName || this.#calling.has(node)) continue;
      this.#calling.add(node);
      void calls.call({ to: addressOf(node), path: BULLETIN_PATH, question }).then((answer) => {
        this.#calling.delete(node);
        if (answer.ok) this.#take(answer.value);
      });
    }
  }

  /** That node is down or gone: what it said last holds no more. */
  forget(node: NodeName): void {
    this.#heard.delete(node);
  }

  /** Tells the workers what changed since the last time. */
  review(): void {
    const nodes = this.list();
    const text = JSON.stringify(nodes);
    if (text === this.#told) return;
    this.#told = text;
    this.#doors.tell(nodes);
  }

  /** Of all known nodes, this one included. */
  list(): Bulletin[] {
    const { state, nodeName, own, clock } = this.#doors;
    const nowMs = clock.monotonicMs();
    const others: Bulletin[] = [];
    for (const { node, epoch, facts } of state().nodes()) {
      if (node === nodeName) continue;
      const heard = this.#heard.get(node);
      const connected = heard !== undefined && nowMs - heard.atMs < MEMBER_LIMITS.connectedMs;
      const { version, maxConnections: connectionsMax } = facts;
      const silent = { mode: 'initial', connections: 0, voter: false, master: false } as const;
      const unheard = { ...silent, node, epoch, connectionsMax, ballot: 0, commitIndex: 0, version };
      others.push({ ...(heard?.bulletin ?? unheard), connected });
    }
    return [{ ...own(), connected: true }, ...others];
  }

  #take(given: unknown): void {
    const bulletin = readBulletin(given);
    const { nodeName, state, clock } = this.#doors;
    if (bulletin === null || bulletin.node === nodeName) return;
    const known = state().node(bulletin.node);
    // The word of an epoch that is over would make a dead node look alive.
    if (known === null || !known.up || bulletin.epoch !== known.epoch) return;
    this.#heard.set(bulletin.node, { bulletin, atMs: clock.monotonicMs() });
  }
}

const MODES: readonly Mode[] = ['normal', 'block_new_session', 'block_new_connection', 'initial'];

/** Null: it is none, or one of a release that says it otherwise. */
function readBulletin(given: unknown): OwnBulletin | null {
  if (typeof given !== 'object' || given === null) return null;
  const { node, version, mode, voter, master, ...numbers } = given as Record<string, unknown>;
  const { epoch, connections, connectionsMax, ballot, commitIndex } = numbers;
  if (typeof node !== 'string' || typeof version !== 'string' || version.length > 64) return null;
  if (typeof voter !== 'boolean' || typeof master !== 'boolean') return null;
  if (!MODES.includes(mode as Mode)) return null;
  if (!isCount(epoch) || !isCount(connections) || !isCount(connectionsMax)) return null;
  if (!isCount(ballot) || !isCount(commitIndex)) return null;
  const counts = { epoch, connections, connectionsMax, ballot, commitIndex };
  return { node, version, mode: mode as Mode, voter, master, ...counts };
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
