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

/** A power of two: calls of a node that are remembered. Older ones have no answer on the way any more. */
const CALLS_KEPT = 8_192;
const SLACK_MS = 2;
/** What a majority's answer to is contact: a vote makes a master, and it begins with that. */
const CONTACT: ReadonlySet<Message['type']> = new Set(['append', 'snapshot', 'vote']);
const ANSWERS: ReadonlySet<Message['type']> = new Set(['append_answer', 'snapshot_answer', 'vote_answer']);

/** What the node claims, and what it is to be judged by. */
export interface Claim {
  readonly who: string;
  readonly nowMs: number;
  readonly ageMs: number;
  readonly configuration: Configuration;
}

/** Who sends or receives. */
export interface Party {
  readonly name: string;
  readonly configuration: Configuration;
}

/** When a message arrives, and what `sent` had returned for it. */
export interface Heard {
  readonly nowMs: number;
  readonly carriedMs: number;
}

/** When each of the latest calls of one life was sent; calls are counted, so a ring holds them. */
class SentCalls {
  readonly #calls = new Float64Array(CALLS_KEPT).fill(-1);
  readonly #sentMs = new Float64Array(CALLS_KEPT);
  /** Any call of this life, or of an earlier one: calls are too large for a place of their own. */
  #first = 0;

  add(call: number, nowMs: number): void {
    if (Math.abs(call - this.#first) > 2 ** 30) this.#first = call;
    const place = this.#placeOf(call);
    this.#calls[place] = call;
    this.#sentMs[place] = nowMs;
  }

  /** Undefined: not sent in this life, or too long ago. */
  sentMs(call: number): number | undefined {
    const place = this.#placeOf(call);
    return this.#calls[place] === call ? this.#sentMs[place] : undefined;
  }

  clear(): void {
    this.#calls.fill(-1);
  }

  #placeOf(call: number): number {
    return (call - this.#first) & (CALLS_KEPT - 1);
  }
}

/** What the world knows of one node. */
class Known {
  /** The newest contact that word of has reached it, from others or by its own calls. */
  heardMs = Number.NEGATIVE_INFINITY;
  readonly #sent = new SentCalls();
  /** By member: when the newest call that it answered was sent. */
  readonly #answeredMs = new Map<string, number>();
  /** When a majority of the configuration below, itself included, had answered. */
  #majorityMs = Number.NEGATIVE_INFINITY;
  /** Null: something has changed, and the figure above is to be found anew. */
  #configuration: Configuration | null = null;

  sent(call: number, nowMs: number): void {
    this.#sent.add(call, nowMs);
  }

  answered(from: string, call: number): void {
    const sentMs = this.#sent.sentMs(call);
    if (sentMs === undefined || sentMs <= (this.#answeredMs.get(from) ?? Number.NEGATIVE_INFINITY)) return;
    this.#answeredMs.set(from, sentMs);
    this.#configuration = null;
  }

  /** A new process shares no calls with the one before. */
  started(): void {
    this.#sent.clear();
    this.#answeredMs.clear();
    this.#majorityMs = Number.NEGATIVE_INFINITY;
    this.#configuration = null;
  }

  /** The newest contact, now that it is `nowMs`. */
  newest(who: string, nowMs: number, configuration: Configuration): number {
    if (this.#configuration !== configuration) {
      // Until this moment the one before it counted: who was alone in it had contact all the while.
      this.#heardAt(nowMs);
      this.#configuration = configuration;
      this.#majorityMs = this.#majority(who, configuration);
    }
    this.#heardAt(nowMs);
    return this.heardMs;
  }

  #heardAt(nowMs: number): void {
    this.heardMs = Math.max(this.heardMs, Math.min(this.#majorityMs, nowMs));
  }

  /** Infinite: it needs nobody else, so its contact is always new. */
  #majority(who: string, { members }: Configuration): number {
    const answers: number[] = [];
    for (const { name, role } of members) {
      if (role !== 'voter') continue;
      const others = this.#answeredMs.get(name) ?? Number.NEGATIVE_INFINITY;
      insert(answers, name === who ? Number.POSITIVE_INFINITY : others);
    }
    return answers[answers.length >> 1] ?? Number.NEGATIVE_INFINITY;
  }
}

/** Puts a value into its place in a short list that falls. */
function insert(falling: number[], value: number): void {
  let place = falling.length;
  for (; place > 0 && (falling[place - 1] as number) < value; place--)
    falling[place] = falling[place - 1] as number;
  falling[place] = value;
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
  sent({ name, configuration }: Party, message: Message, nowMs: number): number {
    const known = this.#known(name);
    if (!CONTACT.has(message.type)) return known.heardMs;
    known.sent(message.call, nowMs);
    return known.newest(name, nowMs, configuration);
  }

  /** A message arrives with what its sender knew; it counts by the voters that the receiver has now. */
  received({ name, configuration }: Party, from: string, message: Message, heard: Heard): void {
    const known = this.#known(name);
    known.heardMs = Math.max(known.heardMs, heard.carriedMs);
    if (!ANSWERS.has(message.type)) return;
    known.answered(from, message.call);
    known.newest(name, heard.nowMs, configuration);
  }

  /** A new process begins. */
  started(who: string): void {
    this.#known(who).started();
  }

  /** A node says how old its contact is. */
  claimed({ who, nowMs, ageMs, configuration }: Claim): void {
    const truthMs = nowMs - this.#known(who).newest(who, nowMs, configuration);
    const leastMs = truthMs * (1 - 2 * this.#driftMax) - SLACK_MS;
    if (ageMs >= leastMs) return;
    const figures = `${ageMs.toFixed(1)} ms, it is ${truthMs.toFixed(1)} ms`;
    throw new Violation('honest-contact', `${who} says that its contact is as old as ${figures}`);
  }

  #known(who: string): Known {
    let known = this.#nodes.get(who);
    if (known === undefined) {
      known = new Known();
      this.#nodes.set(who, known);
    }
    return known;
  }
}
