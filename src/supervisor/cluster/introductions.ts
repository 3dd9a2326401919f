/**
 * What nodes say to each other before they are of one cluster: who they are, that they hold
 * themselves ready, that one wants to be let in.
 *
 * Calls of their own on the peer port, under the secret of the cluster. The answering side decides
 * from what it knows itself; nothing that a caller says is believed but its name and its wish.
 */
import { type Clock, failed, MEMBER_LIMITS, ok } from '../../base/index.ts';
import type { NodeName } from '../../cluster/index.ts';
import type { MemberName } from '../../consensus/index.ts';
import { isNodeName } from './addresses.ts';
import type { Answered, ClusterPort, OperationFailure } from './doors.ts';

const RESERVE_PATH = '/_arrokoth/cluster/reserve';
const JOIN_PATH = '/_arrokoth/cluster/join';
/** Longer than a change of the membership takes while the cluster is healthy. */
const JOIN_TIMEOUT_MS = MEMBER_LIMITS.submitMs + 1_000;

/** What introductions take. */
export interface IntroductionsDoors {
  readonly clock: Clock;
  readonly nodeName: NodeName;
  readonly clusterId: string;
  readonly addressOf: (node: NodeName) => MemberName;
  readonly port: () => ClusterPort | null;
  /** The log of this node belongs to a cluster. */
  readonly isInitialised: () => boolean;
  /** Lets that node in; the names of all members come back. */
  readonly admit: (node: NodeName) => Promise<Answered<readonly NodeName[]>>;
}

/** Both sides of the introductions of one node. */
export class Introductions {
  readonly #doors: IntroductionsDoors;
  /** For whom this node holds itself ready, and until when. */
  #reserved: { readonly by: NodeName; readonly untilMs: number } | null = null;

  constructor(doors: IntroductionsDoors) {
    this.#doors = doors;
  }

  serve(port: ClusterPort): void {
    port.serve(RESERVE_PATH, (question, reply) => reply(this.#reserve(question)));
    port.serve(JOIN_PATH, (question, reply) => {
      const failedWith = (error: OperationFailure) => reply({ ok: false, error });
      const asked = this.#read(question);
      if (!asked.ok) return failedWith(asked.error);
      void this.#doors.admit(asked.value).then((admitted) => {
        if (admitted.ok) reply({ ok: true, nodes: admitted.value });
        else failedWith(admitted.error);
      });
    });
  }

  /** Holds this node ready for the cluster that `by` founds; the failure says why it cannot. */
  reserve(by: NodeName): Answered<null> {
    const { clock, nodeName, isInitialised } = this.#doors;
    const reason = { target_node: nodeName };
    if (isInitialised()) return failed({ error: 'ALREADY-INITIALIZED', reason });
    const nowMs = clock.monotonicMs();
    const held = this.#reserved;
    if (held !== null && held.by !== by && held.untilMs > nowMs) {
      return failed({ error: 'INITIALIZATION-UNDER-WAY', reason: { ...reason, by: held.by } });
    }
    this.#reserved = { by, untilMs: nowMs + MEMBER_LIMITS.reservationMs };
    return ok(null);
  }

  /** It came to nothing: others may found. */
  release(): void {
    this.#reserved = null;
  }

  /** Asks `node` to hold itself ready for a cluster that this node founds. */
  async askToReserve(node: NodeName): Promise<Answered<null>> {
    const answer = await this.#ask(node, RESERVE_PATH);
    return answer.ok ? ok(null) : answer;
  }

  /** Asks `contact` to let this node into its cluster. */
  async askToJoin(contact: NodeName): Promise<Answered<readonly NodeName[]>> {
    const answer = await this.#ask(contact, JOIN_PATH, JOIN_TIMEOUT_MS);
    if (!answer.ok) return answer;
    const nodes = (answer.value as { nodes?: unknown }).nodes;
    return ok(Array.isArray(nodes) ? nodes.filter(isNodeName) : []);
  }

  async #ask(node: NodeName, path: string, timeoutMs?: number): Promise<Answered<object>> {
    const { port, addressOf, nodeName, clusterId } = this.#doors;
    const question = { cluster: clusterId, from: nodeName, to: node };
    const unreachable = (detail: string) => {
      return failed({ error: 'NODE-UNREACHABLE', reason: { target_node: node, detail } });
    };
    const bound = timeoutMs === undefined ? {} : { timeoutMs };
    const answer = await port()?.call({ to: addressOf(node), path, question, ...bound });
    if (answer === undefined || !answer.ok) return unreachable(answer?.error ?? 'this node has no port');
    const given = answer.value as { ok?: unknown; error?: OperationFailure } | null;
    if (given?.ok === true) return ok(given);
    const failure = given?.error;
    if (typeof failure?.error === 'string')
      return failed({ error: failure.error, reason: failure.reason ?? {} });
    return unreachable('its answer cannot be understood');
  }

  #reserve(question: unknown): object {
    const asked = this.#read(question);
    const reserved = asked.ok ? this.reserve(asked.value) : asked;
    return reserved.ok ? { ok: true } : { ok: false, error: reserved.error };
  }

  /** Who asks; a call that was meant for another node or cluster is refused. */
  #read(question: unknown): Answered<NodeName> {
    const { cluster, from, to } = (question ?? {}) as Record<string, unknown>;
    const { clusterId, nodeName } = this.#doors;
    if (cluster !== clusterId) return failed({ error: 'OTHER-CLUSTER', reason: { cluster: clusterId } });
    if (to !== nodeName)
      return failed({ error: 'NODE-NOT-FOUND', reason: { target_node: String(to), here: nodeName } });
    return isNodeName(from) ? ok(from) : failed({ error: 'INVALID-NODE-NAME' });
  }
}
