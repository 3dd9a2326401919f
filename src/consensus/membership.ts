/**
 * Which configuration may follow which, and which one should.
 *
 * Pure functions of a configuration and of what the master knows of its members. One voter at a time
 * is added or taken away, so that any majority before and any majority after share a voter (Raft
 * thesis 4.1). The policy: an odd number of voters, learners for the rest; a voter that came back
 * with an empty disk starts over as a learner, and one that is long down gives its place to a learner.
 */
import { failed, LOG_LIMITS, ok, type Result } from '../base/index.ts';
import { isWhole, memberOf, sameKinds, votersOf } from './configuration.ts';
import { majorityOf, votersWanted } from './quorum.ts';
import type { Configuration, KnownKinds, Member, MemberChange, MemberName } from './types.ts';

/** What the master knows of a member at this moment. */
export interface MemberFacts {
  /** The data directory that answered; null: none has. */
  readonly storage: string | null;
  readonly knows: KnownKinds | null;
  /** Answered within the shortest election time. */
  readonly isHeard: boolean;
  /** Answered the latest heartbeats, but for a few that may have been lost: it is there now. */
  readonly isPresent: boolean;
  readonly silentMs: number;
  readonly isCaughtUp: boolean;
  readonly isMuted: boolean;
}

/** What the policy goes by. */
export interface Situation {
  readonly configuration: Configuration;
  readonly master: MemberName;
  readonly facts: ReadonlyMap<MemberName, MemberFacts>;
  readonly votersMax: number;
  readonly voterDownMs: number;
}

/** The configuration that `change` makes of `before`, or a sentence that says why it may not be. */
export function changed(before: Configuration, change: MemberChange): Result<Configuration, string> {
  const { name } = change;
  const member = memberOf(before, name);
  if (change.type === 'add') {
    if (name === '') return failed('a member needs a name');
    if (member !== undefined) return failed(`${name} is a member already`);
    if (before.members.length >= LOG_LIMITS.membersMax) return failed('there are too many members');
    const role = change.foreign === true ? 'foreign' : 'learner';
    return ok({ members: [...before.members, { name, storage: null, role, knows: {} }] });
  }
  if (member === undefined) return failed(`${name} is no member`);
  if (change.type === 'safe') {
    if (member.role !== 'foreign') return failed(`${name} is a safe member already`);
    return ok(patched(before, name, { role: 'learner' }));
  }
  if (member.role === 'voter' && votersOf(before).length === 1) return failed(`${name} is the only voter`);
  if (change.type === 'remove') {
    return ok({ members: before.members.filter((other) => other.name !== name) });
  }
  if (member.role === 'foreign') return failed(`${name} is a foreign member already`);
  return ok(patched(before, name, { role: 'foreign', storage: null, knows: {} }));
}

/** True when at most one voter comes or goes; the same name with another storage is another voter. */
export function isSingleStep(before: Configuration, after: Configuration): boolean {
  const old = identities(before);
  const next = identities(after);
  const gone = [...old].filter((voter) => !next.has(voter)).length;
  const come = [...next].filter((voter) => !old.has(voter)).length;
  return isWhole(after) && gone + come <= 1 && (next.size > 0 || old.size === 0);
}

/** The next single step towards what the members should be; null: they are. */
export function nextConfiguration(situation: Situation): Configuration | null {
  return rebound(situation) ?? announced(situation) ?? revoted(situation);
}

/** A data directory is new: a learner's is noted, a voter starts over as a learner. */
function rebound({ configuration, facts }: Situation): Configuration | null {
  for (const { name, role, storage } of configuration.members) {
    const answered = facts.get(name)?.storage ?? null;
    if (role === 'foreign' || answered === null || answered === storage) continue;
    if (role === 'voter' && votersOf(configuration).length === 1) continue;
    const patch = { role: 'learner', storage: answered, knows: facts.get(name)?.knows ?? {} } as const;
    const next = patched(configuration, name, patch);
    if (role === 'learner' || canCommit(next, { facts })) return next;
  }
  return null;
}

/** Members announced other kinds than the log says that they know. */
function announced({ configuration, facts }: Situation): Configuration | null {
  for (const { name, role, knows } of configuration.members) {
    const now = facts.get(name)?.knows ?? null;
    if (role !== 'foreign' && now !== null && !sameKinds(now, knows)) {
      return patched(configuration, name, { knows: now });
    }
  }
  return null;
}

function revoted(situation: Situation): Configuration | null {
  const { configuration, votersMax } = situation;
  const voters = votersOf(configuration);
  const safe = configuration.members.filter(({ role }) => role !== 'foreign').length;
  const wanted = votersWanted(safe, votersMax);
  const ready = readyLearners(situation);
  if (voters.length > wanted) return demotion(situation, dispensable(situation));
  // From an odd number two are needed, or the cluster would stay at an even one.
  const needed = voters.length % 2 === 1 ? 2 : 1;
  if (voters.length < wanted && ready.length >= needed) return promotion(situation, ready);
  const down = longDown(situation);
  if (down.length === 0) return null;
  // The successor first: of two voters that are left meanwhile, none might lose its disk.
  return voters.length % 2 === 1 ? promotion(situation, ready) : demotion(situation, down);
}

function promotion(situation: Situation, learners: readonly Member[]): Configuration | null {
  for (const { name } of learners) {
    const next = patched(situation.configuration, name, { role: 'voter' });
    if (canCommit(next, situation)) return next;
  }
  return null;
}

function demotion(situation: Situation, voters: readonly Member[]): Configuration | null {
  for (const { name } of voters) {
    const next = patched(situation.configuration, name, { role: 'learner' });
    if (canCommit(next, situation)) return next;
  }
  return null;
}

/** Learners that could vote from now on, in the order of their joining. */
function readyLearners({ configuration, facts }: Situation): readonly Member[] {
  return configuration.members.filter(({ name, role, storage }) => {
    const known = facts.get(name);
    if (role !== 'learner' || known === undefined || storage === null) return false;
    // One that has just left would count against the majority, and perhaps for ever.
    return known.storage === storage && known.isPresent && known.isCaughtUp && !known.isMuted;
  });
}

function longDown({ configuration, facts, voterDownMs }: Situation): readonly Member[] {
  return votersOf(configuration).filter(({ name }) => (facts.get(name)?.silentMs ?? 0) > voterDownMs);
}

/** Voters but the master: the silent ones first, then who joined last. */
function dispensable({ configuration, facts, master }: Situation): readonly Member[] {
  const others = votersOf(configuration).filter(({ name }) => name !== master);
  const isHeard = ({ name }: Member) => facts.get(name)?.isHeard === true;
  return [...others.filter((voter) => !isHeard(voter)), ...others.filter(isHeard).reverse()];
}

/** Whether the voters of `next` are there to commit it; a step that they are not would stop the cluster. */
export function canCommit(next: Configuration, { facts }: Pick<Situation, 'facts'>): boolean {
  const voters = votersOf(next);
  const able = voters.filter(({ name, storage }) => {
    const known = facts.get(name);
    return known?.isHeard === true && known.storage === storage && !known.isMuted;
  });
  return able.length >= majorityOf(voters.length);
}

function patched(before: Configuration, name: MemberName, patch: Partial<Member>): Configuration {
  return {
    members: before.members.map((member) => (member.name === name ? { ...member, ...patch } : member)),
  };
}

function identities(configuration: Configuration): ReadonlySet<string> {
  return new Set(votersOf(configuration).map(({ name, storage }) => `${storage} ${name}`));
}
