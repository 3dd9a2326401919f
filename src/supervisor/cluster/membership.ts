/**
 * How this node founds a cluster, joins one, lets others in, and has a dead one forgotten.
 *
 * Each is checked here by what this node knows, carried out by the log, and answered when it is true
 * on this node. Operators ask for it through `operations.ts`, other nodes through `introductions.ts`.
 */
import { type ArrokothError, type Clock, failed, type Logger, MEMBER_LIMITS, ok } from '../../base/index.ts';
import type { ClusterChange, NodeName } from '../../cluster/index.ts';
import type { MemberName } from '../../consensus/index.ts';
import { isNodeName } from './addresses.ts';
import type { Answered, OperationFailure } from './doors.ts';
import type { Introductions } from './introductions.ts';
import type { LogSeat } from './log-seat.ts';
import type { Presence } from './presence.ts';
import type { Waits } from './waits.ts';

/** What changing the members takes. */
export interface MembershipDoors {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly nodeName: NodeName;
  readonly nodesMax: number;
  readonly seat: LogSeat;
  readonly presence: Presence;
  readonly waits: Waits;
  readonly introductions: () => Introductions;
  readonly addressOf: (node: NodeName) => MemberName;
  readonly isIsolated: () => boolean;
  readonly isConnected: (node: NodeName) => boolean;
  readonly submit: (change: ClusterChange) => Promise<unknown>;
}

type Names = Answered<readonly NodeName[]>;

const NOT_UP: OperationFailure = { error: 'NO-QUORUM', reason: { detail: 'not up in the cluster in time' } };

/** The members of a cluster, as far as this node changes them. */
export class Membership {
  readonly #doors: MembershipDoors;
  #isBusy = false;

  constructor(doors: MembershipDoors) {
    this.#doors = doors;
  }

  /** The log of this node belongs to a cluster, or did. */
  get isInitialised(): boolean {
    const { log, failure } = this.#doors.seat;
    return failure !== null || log?.status().role !== 'unjoined';
  }

  /** Part of a cluster by what the log says now. */
  get isMember(): boolean {
    const role = this.#doors.seat.log?.status().role;
    return role === 'voter' || role === 'learner';
  }

  /** It was a member, and its log knows that it is none any more. */
  get #isRemoved(): boolean {
    const { log, failure } = this.#doors.seat;
    return failure === null && log?.status().role === 'removed';
  }

  /** Founds a cluster of exactly these nodes, of which this one is one. */
  async found(names: readonly unknown[]): Promise<Names> {
    const listed = this.#readList(names);
    if (!listed.ok) return listed;
    if (this.isInitialised) return failed({ error: 'ALREADY-INITIALIZED' });
    return await this.#alone(async () => {
      const { nodeName, logger } = this.#doors;
      const introductions = this.#doors.introductions();
      const others = listed.value.filter((name) => name !== nodeName);
      const own = introductions.reserve(nodeName);
      if (!own.ok) return own;
      const answers = await Promise.all(others.map((name) => introductions.askToReserve(name)));
      for (const answer of answers) {
        if (answer.ok) continue;
        introductions.release();
        return answer;
      }
      logger.info({ nodes: listed.value }, 'this node founds a cluster');
      await this.#doors.seat.found(others.map((name) => this.#doors.addressOf(name)));
      const { failure } = this.#doors.seat;
      if (failure !== null) return failed({ error: 'LOG-FAILED', reason: { code: failure.code } });
      await this.#doors.waits.until(() => this.#areUp(listed.value), MEMBER_LIMITS.operationMs);
      return ok(listed.value);
    });
  }

  /** Joins the cluster of `contact`; a member already answers with the members that it knows. */
  async join(contact: unknown): Promise<Names> {
    if (!isNodeName(contact)) return failed({ error: 'INVALID-NODE-NAME', reason: { target_node: contact } });
    const { nodeName, waits, presence } = this.#doors;
    // Its own log may not know yet that it was purged while it was stopped.
    const isSettled = () => presence.epoch !== null || !this.isMember;
    if (!(await waits.until(isSettled, MEMBER_LIMITS.operationMs))) return failed(NOT_UP);
    if (this.isMember) return ok(this.#known());
    if (contact === nodeName) return failed({ error: 'NODE-NOT-FOUND', reason: { target_node: contact } });
    if (this.isInitialised && !this.#isRemoved) return failed({ error: 'ALREADY-INITIALIZED' });
    return await this.#alone(async () => {
      const asked = await this.#doors.introductions().askToJoin(contact);
      if (!asked.ok) return asked;
      const isUp = await waits.until(() => presence.epoch !== null, MEMBER_LIMITS.operationMs);
      if (!isUp) return failed(NOT_UP);
      return ok([...new Set([...this.#known(), nodeName])].sort());
    });
  }

  /** Lets `node` into the cluster of this one, because it asked for it. */
  async admit(node: NodeName): Promise<Names> {
    const { seat, nodesMax, addressOf, presence, logger, waits } = this.#doors;
    // A member that was let in a moment ago is up in another one.
    if (this.isMember) await waits.until(() => presence.epoch !== null, MEMBER_LIMITS.farewellMs);
    if (!this.isMember || presence.epoch === null || seat.log === null) {
      return failed({ error: 'CLUSTER-NOT-INITIALIZED', reason: { target_node: this.#doors.nodeName } });
    }
    const known = this.#known();
    const isNew = !known.includes(node);
    if (isNew && known.length >= nodesMax) {
      return failed({ error: 'TOO-MANY-NODES', reason: { max_nodes: nodesMax } });
    }
    const isThere = () => seat.log?.members().some(({ name }) => name === addressOf(node)) === true;
    if (!isThere()) {
      try {
        await seat.log.addMember(addressOf(node), { timeoutMs: MEMBER_LIMITS.submitMs });
      } catch (error) {
        // Two may have asked for the same.
        if (!isThere()) return failed(this.#noQuorum(error as ArrokothError));
      }
      logger.info({ member: node }, 'a node was let into the cluster');
    }
    return ok([...new Set([...known, node])].sort());
  }

  /** Has a node that is down forgotten by the whole cluster. */
  async purge(target: unknown): Promise<Answered<null>> {
    const { seat, presence, addressOf, isIsolated, isConnected } = this.#doors;
    if (!isNodeName(target)) return failed({ error: 'INVALID-NODE-NAME', reason: { target_node: target } });
    const { log } = seat;
    if (log === null || !this.isMember) return failed({ error: 'CLUSTER-NOT-INITIALIZED' });
    if (isIsolated()) return failed({ error: 'NO-QUORUM' });
    try {
      // What is decided below is decided by a state that is current.
      await log.read({ timeoutMs: MEMBER_LIMITS.submitMs });
      const known = seat.state.node(target);
      const address = addressOf(target);
      const isListed = log.members().some(({ name }) => name === address);
      if (known === null && !isListed) {
        return failed({ error: 'NODE-NOT-FOUND', reason: { target_node: target } });
      }
      const isAlive = known?.up === true || isConnected(target) || target === this.#doors.nodeName;
      if (isAlive) return failed({ error: 'NODE-IS-ALIVE', reason: { target_node: target } });
      if (presence.epoch === null) return failed({ error: 'NO-QUORUM' });
      if (isListed) await log.removeMember(address, { timeoutMs: MEMBER_LIMITS.submitMs });
      const atMs = this.#doors.clock.wallMs();
      await this.#doors.submit({ type: 'node_purged', node: target, atMs });
      return ok(null);
    } catch (error) {
      return failed(this.#noQuorum(error as ArrokothError));
    }
  }

  #readList(names: readonly unknown[]): Names {
    const { nodeName, nodesMax } = this.#doors;
    const list: NodeName[] = [];
    for (const name of names) {
      if (!isNodeName(name)) return failed({ error: 'INVALID-NODE-NAME', reason: { target_node: name } });
      if (!list.includes(name)) list.push(name);
    }
    if (!list.includes(nodeName))
      return failed({ error: 'NODE-NOT-FOUND', reason: { target_node: nodeName } });
    if (list.length > nodesMax) return failed({ error: 'TOO-MANY-NODES', reason: { max_nodes: nodesMax } });
    return ok(list);
  }

  /** Founding and joining exclude each other, and themselves. */
  async #alone(run: () => Promise<Names>): Promise<Names> {
    if (this.#isBusy) return failed({ error: 'INITIALIZATION-UNDER-WAY' });
    this.#isBusy = true;
    try {
      return await run();
    } finally {
      this.#isBusy = false;
    }
  }

  #known(): NodeName[] {
    return this.#doors.seat.state.nodes().map(({ node }) => node);
  }

  #areUp(names: readonly NodeName[]): boolean {
    const { state, log } = this.#doors.seat;
    if (log === null || !names.every((name) => state.node(name)?.up === true)) return false;
    // The loss of one right after the answer must not be the loss of the cluster.
    const voters = log.members().filter(({ role }) => role === 'voter').length;
    return names.length < 3 || voters >= 3;
  }

  #noQuorum(error: ArrokothError): OperationFailure {
    return { error: 'NO-QUORUM', reason: { code: error.code, detail: error.message } };
  }
}
