/**
 * This node's part in its cluster, or its log by itself: what the supervisor sees of it.
 *
 * Joins the parts of this folder and lets them look around a few times a second; decides nothing.
 * What is committed goes to the workers as it is; what operators ask for goes to `operations.ts`.
 */
import { type Cancellable, MEMBER_LIMITS } from '../../base/index.ts';
import type { ClusterChange, ClusterEvent, Epoch, NodeName } from '../../cluster/index.ts';
import type { Index } from '../../consensus/index.ts';
import type { Bulletin, FromWorker, Grant, ToWorker } from '../../process/index.ts';
import { addressOf } from './addresses.ts';
import { AutoJoin } from './auto-join.ts';
import { Bulletins, type OwnBulletin } from './bulletins.ts';
import { ContactWatch } from './contact-watch.ts';
import type { ClusterDoors, ClusterPort } from './doors.ts';
import { Introductions } from './introductions.ts';
import { LogSeat } from './log-seat.ts';
import { Lookout } from './lookout.ts';
import { Membership } from './membership.ts';
import { NodeMode } from './node-mode.ts';
import { Operations } from './operations.ts';
import { Presence } from './presence.ts';
import { Waits } from './waits.ts';

/** What a node's part in its cluster tells the supervisor. */
export interface ClusterNews {
  /** To all workers that are ready. */
  readonly toWorkers: (message: ToWorker) => void;
  /** The mode changed: everybody is to be granted anew; resolves when they know. */
  readonly grantAll: () => Promise<void>;
  /** Connections that the workers hold. */
  readonly connections: () => number;
}

/** One node in its cluster. */
export class NodeCluster {
  readonly #doors: ClusterDoors;
  readonly #news: ClusterNews;
  readonly #seat: LogSeat;
  readonly #contact: ContactWatch;
  readonly #presence: Presence;
  readonly #mode: NodeMode;
  readonly #lookout: Lookout | null;
  readonly #waits: Waits;
  readonly #bulletins: Bulletins;
  readonly #membership: Membership | null;
  readonly #introductions: Introductions | null;
  readonly #autoJoin: AutoJoin | null;
  readonly #operations: Operations;
  #port: ClusterPort | null = null;
  #beat: Cancellable | null = null;
  #isStopping = false;

  constructor(doors: ClusterDoors, news: ClusterNews) {
    this.#doors = doors;
    this.#news = news;
    const { cluster, timers, logger, clock, nodeName } = doors;
    this.#seat = new LogSeat(doors, {
      changed: (index, changes, events) => this.#changed(index, changes, events),
      replaced: () => this.#replaced(),
      stirred: () => this.#review(),
    });
    this.#contact = new ContactWatch({ ...doors, log: () => this.#seat.log });
    this.#presence = new Presence({
      ...{ ...doors, state: () => this.#seat.state },
      isMember: () => this.#isMember,
      canSpeak: () => this.#isMember && !this.#contact.isIsolated && !this.#isStopping,
      submit: (change, options) => this.#submit(change, options),
      appliedIndex: () => this.#seat.appliedIndex,
      ended: (epoch) => this.#epochEnded(epoch),
      changed: () => this.#mode.review(),
    });
    this.#mode = new NodeMode({ logger, facts: () => this.#modeFacts(), changed: () => this.#modeChanged() });
    this.#waits = new Waits(timers);
    this.#bulletins = new Bulletins({
      ...{ clock, timers, nodeName, addressOf: this.#addressOf, state: () => this.#seat.state },
      own: () => this.#ownBulletin(),
      port: () => this.#port,
      isUp: () => this.#presence.epoch !== null,
      tell: (nodes) => news.toWorkers(this.#bulletinNews(nodes)),
    });
    const parts = cluster === null ? null : this.#makeClusterParts(cluster);
    this.#lookout = parts?.lookout ?? null;
    this.#membership = parts?.membership ?? null;
    this.#introductions = parts?.introductions ?? null;
    this.#autoJoin = parts?.autoJoin ?? null;
    this.#operations = new Operations({
      membership: this.#membership,
      mode: () => this.#mode.current,
      order: (mode) => this.#mode.order(mode),
      granted: () => news.grantAll(),
      raft: () => this.#raft(),
    });
  }

  /** Opens the port, where there is one; rejects when it cannot be had. */
  async openPort(): Promise<void> {
    if (this.#doors.cluster === null) return;
    this.#port = await this.#doors.openPort();
    this.#bulletins.serve(this.#port);
    this.#introductions?.serve(this.#port);
  }

  /** Opens the log, and takes part from now on. Failures are told, and end nothing. */
  start(): void {
    const isAlone = this.#doors.cluster === null;
    this.#bulletins.start();
    this.#beat = this.#doors.timers.every(MEMBER_LIMITS.reviewMs, () => this.#review());
    void this.#seat.open(isAlone ? [] : null).then(() => this.#autoJoin?.start());
  }

  /** What workers may do now. */
  grant(): Grant {
    const { isIsolated, ageMs } = this.#contact;
    return { type: 'grant', mode: this.#mode.current, isolated: isIsolated, contactAgeMs: ageMs };
  }

  /** What a worker that has just become ready has to know. */
  greetings(): readonly ToWorker[] {
    const { state, appliedIndex } = this.#seat;
    const snapshot = Buffer.from(state.snapshot()).toString('utf8');
    return [{ type: 'cluster', index: appliedIndex, snapshot }, this.#bulletinNews(this.#bulletins.list())];
  }

  /** Carries an operation out; `reply` is called once. */
  operate(
    { id, operation, request }: Extract<FromWorker, { type: 'operate' }>,
    reply: (message: ToWorker) => void,
  ): void {
    void this.#operations
      .perform(operation, request)
      .then((outcome) => reply({ type: 'operated', id, outcome }));
  }

  /** Says goodbye where that is wanted, within a bound, and ends the log and the port. */
  async stop(isOrderly: boolean): Promise<void> {
    this.#isStopping = true;
    this.#beat?.cancel();
    this.#autoJoin?.stop();
    this.#bulletins.stop();
    const { epoch } = this.#presence;
    if (isOrderly && epoch !== null) {
      const { nodeName: node, clock } = this.#doors;
      const change = { type: 'node_down', node, epoch, reason: 'stopped', atMs: clock.wallMs() } as const;
      await this.#submit(change, { timeoutMs: MEMBER_LIMITS.farewellMs }).catch((error: Error) => {
        this.#doors.logger.warn(
          { error: error.message },
          'the others could not be told that this node stops',
        );
      });
    }
    await this.#seat.close();
    await this.#port?.close();
  }

  readonly #addressOf = (node: NodeName) => addressOf(node, this.#doors.cluster?.listen.port ?? null);

  get #isMember(): boolean {
    const role = this.#seat.log?.status().role;
    return role === 'voter' || role === 'learner';
  }

  #makeClusterParts(cluster: NonNullable<ClusterDoors['cluster']>) {
    const { clock, timers, random, logger, nodeName } = this.#doors;
    const shared = { clock, logger, nodeName, addressOf: this.#addressOf };
    const lookout = new Lookout({
      ...{ ...shared, nodeDownAfterMs: cluster.nodeDownAfterMs },
      ...{ state: () => this.#seat.state, log: () => this.#seat.log },
      submit: (change) => this.#submit(change),
    });
    const membership: Membership = new Membership({
      ...{
        ...shared,
        nodesMax: cluster.maxNodes,
        seat: this.#seat,
        presence: this.#presence,
        waits: this.#waits,
      },
      introductions: () => introductions,
      isIsolated: () => this.#contact.isIsolated,
      isConnected: (node) => this.#bulletins.list().some((each) => each.node === node && each.connected),
      submit: (change) => this.#submit(change),
    });
    const introductions = new Introductions({
      ...{ clock, nodeName, addressOf: this.#addressOf, clusterId: cluster.id, port: () => this.#port },
      isInitialised: () => membership.isInitialised,
      admit: (node) => membership.admit(node),
    });
    const autoJoin = new AutoJoin({ timers, random, logger, contacts: cluster.contacts, membership });
    return { lookout, membership, introductions, autoJoin };
  }

  async #submit(
    change: ClusterChange,
    options: { requestId?: string; timeoutMs?: number } = {},
  ): Promise<Index> {
    const { log } = this.#seat;
    if (log === null) throw new Error('this node has no log at present');
    const { index } = await log.submit([change], { timeoutMs: MEMBER_LIMITS.submitMs, ...options });
    return index;
  }

  /** What might have changed by itself: time passes, and disks fill. */
  #review(): void {
    // A node that takes its leave does not come up again because its leave was taken note of.
    if (this.#isStopping) return;
    this.#contact.review();
    this.#presence.review();
    this.#lookout?.look();
    this.#mode.review();
    this.#waits.review();
  }

  #changed(index: Index, changes: readonly ClusterChange[], events: readonly ClusterEvent[]): void {
    this.#news.toWorkers({ type: 'changes', index, changes });
    for (const event of events) {
      if (event.type === 'node_down' || event.type === 'node_purged') this.#bulletins.forget(event.node);
    }
    this.#review();
  }

  #replaced(): void {
    for (const message of this.greetings()) this.#news.toWorkers(message);
    this.#review();
  }

  #epochEnded(epoch: Epoch): void {
    this.#news.toWorkers({ type: 'epoch_ended', epoch });
  }

  #modeChanged(): void {
    void this.#news.grantAll();
    this.#bulletins.spread();
    this.#bulletins.review();
  }

  #modeFacts() {
    return {
      clustered: this.#doors.cluster !== null,
      joined: this.#presence.epoch !== null,
      isolated: this.#contact.isIsolated,
      impaired: this.#contact.isImpaired || this.#seat.failure?.code === 'LOG_DISK_FAILED',
    };
  }

  #bulletinNews(nodes: readonly Bulletin[]): ToWorker {
    return { type: 'bulletins', self: this.#doors.nodeName, nodes };
  }

  #ownBulletin(): OwnBulletin {
    const { nodeName: node, facts } = this.#doors;
    const { role, isMaster: master, ballot, commitIndex } = this.#seat.log?.status() ?? NO_LOG;
    const { version, maxConnections: connectionsMax } = facts;
    return {
      ...{ node, version, connectionsMax, master, ballot, commitIndex, voter: role === 'voter' },
      epoch: this.#presence.epoch ?? 0,
      mode: this.#mode.current,
      connections: this.#news.connections(),
    };
  }

  #raft(): Readonly<Record<string, unknown>> {
    const { role, isMaster, ballot, commitIndex } = this.#seat.log?.status() ?? NO_LOG;
    const standing = role === 'voter' ? 'follower' : role;
    return { raft_state: isMaster ? 'leader' : standing, raft_term: ballot, raft_commit_index: commitIndex };
  }
}

const NO_LOG = { role: 'unjoined', isMaster: false, ballot: 0, commitIndex: 0 } as const;
