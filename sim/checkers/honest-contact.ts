/**
 * The promise: the age of the last contact with the majority is never understated.
 *
 * The world knows when each message left and what its receiver could know by it: for each node, the
 * newest moment at which a master spoke that a majority has answered, as far as word of it has
 * reached the node. The node's own figure may be larger, because it knows less; smaller, never.
 * Clocks drift, so a figure may be off by as much as they do.
 */
import type { Configuration, Message } from '../../src/consensus/index.ts';
import { Violation } from '../violation.ts';

/** Calls whose sending is remembered, a node; older ones have no answer on the way any more. */
const CALLS_KEPT = 4_096;
const SLACK_MS = 2;
/** What a majority's answer to is contact: a vote makes a master, and it begins with that. */
const CONTACT: ReadonlySet<Message['type']> = new Set(['append', 'snapshot', 'vote']);
const ANSWERS: ReadonlySet<Message['type']> = new Set(['append_answer', 'snapshot_answer', 'vote_answer']);

interface Known {
  /** Of the newest contact that word has reached this node of, learned from others. */
  heardMs: number;
  readonly sentAt: Map<number, number>;
  /** By member: when the newest call that it answered was sent. */
  readonly answeredMs: Map<string, number>;
}

/** What the node claims, and what it is to be judged by. */
export interface Claim {
  readonly who: string;
  readonly nowMs: number;
  readonly ageMs: number;
  readonly configuration: Configuration;
}

/** Compares each node's claim with the world's knowledge. */
export class HonestContact {
  readonly #nodes = new Map<string, Known>();
  readonly #driftMax: number;

  /** `driftMax` 0.01: no clock is off by more than a hundredth. */
  constructor(driftMax: number) {
    this.#driftMax = driftMax;
  }

  /** A node sends a message; what comes back, its knowledge, travels with it. */
  sent({ who, nowMs, configuration }: Omit<Claim, 'ageMs'>, message: Message): number {
    const known = this.#known(who);
    if (!CONTACT.has(message.type)) return known.heardMs;
    known.sentAt.set(message.call, nowMs);
    if (known.sentAt.size > CALLS_KEPT) known.sentAt.delete(known.sentAt.keys().next().value as number);
    return this.#newest({ who, nowMs, configuration });
  }

  /** A message arrives with what its sender knew. */
  received(who: string, from: string, message: Message, heardMs: number): void {
    const known = this.#known(who);
    known.heardMs = Math.max(known.heardMs, heardMs);
    if (!ANSWERS.has(message.type)) return;
    const sentMs = known.sentAt.get(message.call);
    if (sentMs !== undefined) known.answeredMs.set(from, Math.max(known.answeredMs.get(from) ?? 0, sentMs));
  }

  /** A new process shares no calls with the one before. */
  started(who: string): void {
    const known = this.#known(who);
    known.sentAt.clear();
    known.answeredMs.clear();
  }

  /** A node says how old its contact is. */
  claimed(claim: Claim): void {
    const truthMs = claim.nowMs - this.#newest(claim);
    const leastMs = truthMs * (1 - 2 * this.#driftMax) - SLACK_MS;
    if (claim.ageMs >= leastMs) return;
    const figures = `${claim.ageMs.toFixed(1)} ms, it is ${truthMs.toFixed(1)} ms`;
    throw new Violation('honest-contact', `${claim.who} says that its contact is as old as ${figures}`);
  }

  #newest({ who, nowMs, configuration }: Omit<Claim, 'ageMs'>): number {
    const known = this.#known(who);
    // Whoever has asked nobody in this life knows only what it was told.
    if (known.answeredMs.size === 0 && !isOnlyVoter(who, configuration)) return known.heardMs;
    const answers: number[] = [];
    for (const { name, role } of configuration.members)
      if (role === 'voter')
        answers.push(name === who ? nowMs : (known.answeredMs.get(name) ?? Number.NEGATIVE_INFINITY));
    answers.sort((left, right) => right - left);
    known.heardMs = Math.max(
      known.heardMs,
      answers[Math.floor(answers.length / 2)] ?? Number.NEGATIVE_INFINITY,
    );
    return known.heardMs;
  }

  #known(who: string): Known {
    let known = this.#nodes.get(who);
    if (known === undefined) {
      known = { heardMs: Number.NEGATIVE_INFINITY, sentAt: new Map(), answeredMs: new Map() };
      this.#nodes.set(who, known);
    }
    return known;
  }
}

function isOnlyVoter(who: string, { members }: Configuration): boolean {
  return members.every(({ name, role }) => (role === 'voter') === (name === who));
}
