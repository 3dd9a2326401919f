/**
 * The master's look at who is silent: it says in the log whose epoch is over.
 *
 * Only that entry lets others take over. Silence is counted from what the log's heartbeats bring
 * back; a master that has just been elected goes on from what it knew of the one before it, and one
 * that was stopped itself has heard nobody and judges nobody for a while.
 */
import { type Clock, type Logger, MEMBER_LIMITS } from '../../base/index.ts';
import type { ClusterChange, ClusterState, NodeName } from '../../cluster/index.ts';
import type { MemberName } from '../../consensus/index.ts';
import type { Silence } from '../../store/index.ts';
import type { ClusterLog } from './doors.ts';

/** What looking out takes. */
export interface LookoutDoors {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly nodeName: NodeName;
  readonly nodeDownAfterMs: number;
  readonly addressOf: (node: NodeName) => MemberName;
  readonly state: () => ClusterState;
  readonly log: () => ClusterLog | null;
  readonly submit: (change: ClusterChange) => Promise<unknown>;
}

/** Looks every `MEMBER_LIMITS.reviewMs`, and acts only at the master. */
export class Lookout {
  readonly #doors: LookoutDoors;
  readonly #submitting = new Set<NodeName>();
  #lookedMs: number | null = null;
  /** Until then nobody is judged. */
  #blindUntilMs = Number.NEGATIVE_INFINITY;
  /** The latest master that was another node, and when the majority was in contact with it last. */
  #before: { readonly master: MemberName; readonly seenMs: number } | null = null;

  constructor(doors: LookoutDoors) {
    this.#doors = doors;
  }

  look(): void {
    const { clock, log: seat, addressOf, nodeName } = this.#doors;
    const nowMs = clock.monotonicMs();
    const passedMs = this.#lookedMs === null ? 0 : nowMs - this.#lookedMs;
    this.#lookedMs = nowMs;
    if (passedMs > MEMBER_LIMITS.pauseMs) {
      this.#blindUntilMs = nowMs + this.#doors.nodeDownAfterMs;
      this.#before = null;
    }
    const log = seat();
    if (log === null) return;
    const { isMaster, master, contactAgeMs } = log.status();
    const self = addressOf(nodeName);
    if (!isMaster) {
      if (master !== null && master !== self && contactAgeMs !== null) {
        this.#before = { master, seenMs: nowMs - contactAgeMs };
      }
      return;
    }
    if (nowMs >= this.#blindUntilMs) this.#judge(log, nowMs);
  }

  #judge(log: ClusterLog, nowMs: number): void {
    const { state, nodeName, addressOf, nodeDownAfterMs } = this.#doors;
    const silences = log.silences();
    for (const { node } of state().view().nodes) {
      if (node === nodeName || this.#submitting.has(node)) continue;
      const silentMs = this.#silenceOf(addressOf(node), silences, nowMs);
      if (silentMs > nodeDownAfterMs) this.#declareDown(node, silentMs);
    }
  }

  /** Who is no member any more is silent for ever; who was the master was heard of before the election. */
  #silenceOf(address: MemberName, silences: ReadonlyMap<MemberName, Silence>, nowMs: number): number {
    const { silentMs, isHeard } = silences.get(address) ?? {
      silentMs: Number.POSITIVE_INFINITY,
      isHeard: true,
    };
    const before = this.#before;
    return isHeard || before?.master !== address ? silentMs : Math.max(silentMs, nowMs - before.seenMs);
  }

  #declareDown(node: NodeName, silentMs: number): void {
    const { state, clock, logger, submit } = this.#doors;
    const known = state().node(node);
    if (known === null || !known.up) return;
    this.#submitting.add(node);
    const { epoch } = known;
    logger.warn(
      { member: node, epoch, silentMs: Math.round(silentMs) },
      'a node is silent and counts as down',
    );
    const done = () => this.#submitting.delete(node);
    submit({ type: 'node_down', node, epoch, reason: 'silent', atMs: clock.wallMs() }).then(
      done,
      (error: Error) => {
        logger.warn({ member: node, error: error.message }, 'a silent node could not be declared down yet');
        done();
      },
    );
  }
}
