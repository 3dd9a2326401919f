/**
 * All whom a master sends to: the members of its latest configuration, and those who still have to
 * be told that they are none any more.
 *
 * Joins what is known of each with the configuration: whose word counts, what a majority has
 * reached, what the membership policy goes by. Sends nothing.
 */
import { LOG_LIMITS } from '../base/index.ts';
import { memberOf, votersOf } from './configuration.ts';
import type { Core } from './core.ts';
import type { MemberFacts } from './membership.ts';
import { Progress } from './progress.ts';
import { majorityValue } from './quorum.ts';
import type { Configuration, Member, MemberName } from './types.ts';

/** Who answered within so many heartbeats is there: one may be lost, another one late. */
const PRESENT_HEARTBEATS = 3;

/** The members of one master. */
export class Roster {
  readonly #core: Core;
  readonly #vouched: ReadonlyMap<MemberName, number> | null;
  readonly #progress = new Map<MemberName, Progress>();
  #voters: readonly Member[] = [];

  /** `vouched`: lives of members that count although they are muted. */
  constructor(core: Core, vouched: ReadonlyMap<MemberName, number> | null) {
    this.#core = core;
    this.#vouched = vouched;
    this.adopt(core.log.configuration);
    this.#bidFarewell(core.log.previousConfiguration);
  }

  /** Everybody who is sent to. */
  all(): Iterable<Progress> {
    return this.#progress.values();
  }

  /** What is known of `name`. */
  of(name: MemberName): Progress | undefined {
    return this.#progress.get(name);
  }

  /** The configuration changed: newcomers are sent to, those who left are told. */
  adopt(configuration: Configuration): void {
    const { log, name: self, nowMs, nextCall } = this.#core;
    this.#voters = votersOf(configuration);
    for (const { name, role } of configuration.members) {
      const known = this.#progress.get(name);
      if (known !== undefined) known.farewell = null;
      if (name === self || role === 'foreign' || known !== undefined) continue;
      this.#progress.set(name, new Progress(name, log.lastIndex + 1, nowMs, nextCall));
    }
    for (const [name, progress] of this.#progress) {
      const member = memberOf(configuration, name);
      if (member?.role === 'foreign') this.#progress.delete(name);
      else if (member === undefined) progress.farewell ??= this.#farewell();
    }
  }

  /** Somebody who is no member behaves as if it were one: it is told. */
  tell(name: MemberName): void {
    if (memberOf(this.#core.log.configuration, name) !== undefined || this.#progress.has(name)) return;
    if (this.#progress.size >= 2 * LOG_LIMITS.membersMax) return;
    const { log, nowMs, nextCall } = this.#core;
    const progress = new Progress(name, log.lastIndex + 1, nowMs, nextCall);
    progress.farewell = this.#farewell();
    this.#progress.set(name, progress);
  }

  /** Lets go of those who know that they are out, or who do not answer. */
  prune(): void {
    for (const [name, { farewell }] of this.#progress) {
      if (farewell !== null && this.#core.nowMs >= farewell.untilMs) this.#progress.delete(name);
    }
  }

  /** `progress` answered the question `call` with yes. */
  acknowledged({ name, farewell, matchIndex }: Progress, call: number): void {
    if (farewell === null || farewell.fromCall === null || call < farewell.fromCall) return;
    if (matchIndex >= farewell.index) this.#progress.delete(name);
  }

  /** True when its present life counts although it is muted. */
  isVouched({ name, run }: Progress): boolean {
    return run !== null && this.#vouched?.get(name) === run;
  }

  /** What each voter whose word counts has reached; 0 for the others. `own`: what this replica has. */
  reached(of: (progress: Progress) => number, own: number): readonly number[] {
    return this.#voters.map((voter) => {
      if (voter.name === this.#core.name) return this.#countsSelf(voter) ? own : 0;
      const progress = this.#progress.get(voter.name);
      return progress?.counts(voter, this.isVouched(progress)) === true ? of(progress) : 0;
    });
  }

  /** What a majority of the voters has reached. */
  majority(of: (progress: Progress) => number, own: number): number {
    return majorityValue(this.reached(of, own));
  }

  /** The voter, other than this replica, that has most of the log and was heard of lately. */
  successor(): Progress | null {
    let best: Progress | null = null;
    for (const { name } of this.#voters) {
      const progress = this.#progress.get(name);
      if (progress === undefined || progress.muted || !this.#isHeard(progress)) continue;
      if (best === null || progress.matchIndex > best.matchIndex) best = progress;
    }
    return best;
  }

  /** What the membership policy goes by. */
  facts(): ReadonlyMap<MemberName, MemberFacts> {
    const { name, storage, knows, nowMs, settings, log, muted } = this.#core;
    const own = {
      storage,
      knows,
      isHeard: true,
      isPresent: true,
      silentMs: 0,
      isCaughtUp: true,
      isMuted: muted,
    };
    const facts = new Map<MemberName, MemberFacts>([[name, own]]);
    for (const progress of this.#progress.values()) {
      const silentMs = nowMs - progress.heardMs;
      facts.set(progress.name, {
        storage: progress.storage,
        knows: progress.knows,
        isHeard: this.#isHeard(progress),
        isPresent: progress.hasAnswered && silentMs < PRESENT_HEARTBEATS * settings.heartbeatMs,
        silentMs,
        isCaughtUp: log.lastIndex - progress.matchIndex <= settings.promotionLagMax,
        isMuted: progress.muted,
      });
    }
    return facts;
  }

  #isHeard({ hasAnswered, heardMs }: Progress): boolean {
    return hasAnswered && this.#core.nowMs - heardMs < this.#core.settings.electionMinMs;
  }

  #countsSelf({ storage }: Member): boolean {
    return storage === this.#core.storage && (!this.#core.muted || this.#vouched !== null);
  }

  #bidFarewell({ members }: Configuration): void {
    for (const { name, role } of members) if (role !== 'foreign' && name !== this.#core.name) this.tell(name);
  }

  #farewell() {
    const { log, nowMs, settings } = this.#core;
    return { index: log.configurationIndex, untilMs: nowMs + settings.farewellMs, fromCall: null };
  }
}
