/** The policy of the membership: single steps, towards an odd number of voters that can commit. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { votersOf } from './configuration.ts';
import { changed, isSingleStep, type MemberFacts, nextConfiguration, type Situation } from './membership.ts';
import { majorityOf, votersWanted } from './quorum.ts';
import type { Configuration, Member } from './types.ts';

const NAMES = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
const HEALTHY: MemberFacts = {
  storage: 's1',
  knows: { put: 1 },
  isHeard: true,
  isPresent: true,
  silentMs: 0,
  isCaughtUp: true,
  isMuted: false,
};

const members: fc.Arbitrary<Member[]> = fc
  .array(
    fc.record({
      role: fc.constantFrom('voter' as const, 'learner' as const, 'foreign' as const),
      storage: fc.constantFrom('s1', 's2'),
      knows: fc.constantFrom({ put: 1 }, {}),
    }),
    { minLength: 1, maxLength: NAMES.length },
  )
  .map((list) =>
    list.map((member, at) => ({
      ...member,
      name: NAMES[at] as string,
      role: at === 0 ? 'voter' : member.role,
      storage: at === 0 ? 's1' : member.storage,
    })),
  );
/** Whoever answered within the shortest election time is not long down, which takes many of those. */
const HEARD_MS = 500;
const PRESENT_MS = 150;
const facts: fc.Arbitrary<MemberFacts> = fc
  .record({
    storage: fc.constantFrom('s1', 's2', null),
    knows: fc.constantFrom({ put: 1 }, { put: 2 }, null),
    silentMs: fc.nat(2_000),
    isCaughtUp: fc.boolean(),
    isMuted: fc.boolean(),
  })
  .map((known) => ({ ...known, isHeard: known.silentMs < HEARD_MS, isPresent: known.silentMs < PRESENT_MS }));
const situations: fc.Arbitrary<Situation> = fc
  .record({
    list: members,
    known: fc.array(facts, { minLength: 7, maxLength: 7 }),
    votersMax: fc.integer({ min: 1, max: 7 }),
  })
  .map(({ list, known, votersMax }) => ({
    configuration: { members: list },
    master: 'a',
    facts: new Map(NAMES.map((name, at) => [name, at === 0 ? HEALTHY : (known[at] as MemberFacts)])),
    votersMax,
    voterDownMs: 1_000,
  }));

it('takes single steps only, and leaves the master its vote', () => {
  fc.assert(
    fc.property(situations, (situation) => {
      const next = nextConfiguration(situation);
      if (next === null) return;
      expect(isSingleStep(situation.configuration, next)).toBe(true);
      expect(next).not.toEqual(situation.configuration);
      expect(votersOf(next).map(({ name }) => name)).toContain('a');
    }),
  );
});

it('comes to rest, and with everybody well at the number of voters that is wanted', () => {
  fc.assert(
    fc.property(situations, fc.boolean(), (situation, isWell) => {
      const voters = votersOf(situation.configuration);
      // Without a majority of the directories nothing can be committed, and so nothing is begun.
      fc.pre(voters.filter(({ storage }) => storage === 's1').length >= majorityOf(voters.length));
      const known = isWell ? new Map(NAMES.map((name) => [name, HEALTHY])) : situation.facts;
      let { configuration } = situation;
      for (let step = 0; step < 40; step++) {
        const next = nextConfiguration({ ...situation, configuration, facts: known });
        if (next === null) break;
        configuration = next;
        expect(step).toBeLessThan(39);
      }
      if (!isWell) return;
      const safe = configuration.members.filter(({ role }) => role !== 'foreign');
      expect(votersOf(configuration)).toHaveLength(votersWanted(safe.length, situation.votersMax));
      expect(safe.every(({ storage, knows }) => storage === 's1' && knows.put === 1)).toBe(true);
    }),
  );
});

it('replaces a voter that is long down only when somebody is ready', () => {
  const voter = (name: string): Member => ({ name, role: 'voter', storage: 's1', knows: { put: 1 } });
  const situation = (isCaughtUp: boolean, isPresent = true): Situation => ({
    configuration: { members: [voter('a'), voter('b'), voter('c'), { ...voter('d'), role: 'learner' }] },
    master: 'a',
    facts: new Map([
      ['a', HEALTHY],
      ['b', { ...HEALTHY, isHeard: false, isPresent: false, silentMs: 1_001 }],
      ['c', HEALTHY],
      ['d', { ...HEALTHY, isCaughtUp, isPresent }],
    ]),
    votersMax: 5,
    voterDownMs: 1_000,
  });
  expect(nextConfiguration(situation(false))).toBeNull();
  expect(nextConfiguration(situation(true, false))).toBeNull();
  const promoted = nextConfiguration(situation(true)) as Configuration;
  const names = (configuration: Configuration) => votersOf(configuration).map(({ name }) => name);
  expect(names(promoted)).toEqual(['a', 'b', 'c', 'd']);
  const demoted = nextConfiguration({ ...situation(true), configuration: promoted }) as Configuration;
  expect(names(demoted)).toEqual(['a', 'c', 'd']);
});

it('knows which changes are none', () => {
  const before: Configuration = {
    members: [
      { name: 'a', role: 'voter', storage: 's1', knows: {} },
      { name: 'b', role: 'foreign', storage: null, knows: {} },
      { name: 'c', role: 'learner', storage: 's1', knows: {} },
    ],
  };
  const outcome = (type: 'add' | 'remove' | 'foreign' | 'safe', name: string) =>
    changed(before, { type, name });
  expect(outcome('add', '')).toEqual({ ok: false, error: 'a member needs a name' });
  expect(outcome('foreign', 'b')).toEqual({ ok: false, error: 'b is a foreign member already' });
  expect(outcome('safe', 'c')).toEqual({ ok: false, error: 'c is a safe member already' });
  expect(outcome('safe', 'b')).toMatchObject({ ok: true });
  expect(outcome('foreign', 'c')).toMatchObject({ ok: true });
  expect(outcome('remove', 'c')).toMatchObject({ ok: true });
  const many = Array.from(
    { length: 128 },
    (_, at): Member => ({ name: `m${at}`, role: 'learner', storage: null, knows: {} }),
  );
  expect(changed({ members: many }, { type: 'add', name: 'x' })).toMatchObject({ ok: false });
});

it('tells single steps from others', () => {
  const voter = (name: string, storage: string | null = 's1'): Member => ({
    name,
    role: 'voter',
    storage,
    knows: {},
  });
  const of = (...list: Member[]): Configuration => ({ members: list });
  expect(isSingleStep(of(voter('a')), of(voter('a'), voter('b')))).toBe(true);
  expect(isSingleStep(of(voter('a')), of(voter('a'), voter('b'), voter('c')))).toBe(false);
  expect(isSingleStep(of(voter('a')), of(voter('b')))).toBe(false);
  expect(isSingleStep(of(voter('a')), of(voter('a', 's2')))).toBe(false);
  expect(isSingleStep(of(voter('a')), of())).toBe(false);
  expect(isSingleStep(of(voter('a')), of(voter('a'), voter('b', null)))).toBe(false);
  expect(isSingleStep(of(voter('a')), of(voter('a'), { ...voter('a'), role: 'learner' }))).toBe(false);
});
