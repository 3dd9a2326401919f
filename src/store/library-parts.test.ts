/** The small parts of a node: its codec's edge, its founding, its discoveries, its readers' patience. */
import { beforeEach, describe, expect, it } from 'vitest';
import { CollectedLog } from '../../test/fakes/collected-log.ts';
import { FakeTime } from '../../test/fakes/fake-time.ts';
import { ArrokothError, LOG_LIMITS } from '../base/index.ts';
import type { Configuration, Entry, Member, MemberChange, Restored } from '../consensus/index.ts';
import { CodecState } from './codec-state.ts';
import { type Confirmed, ConfirmedReads } from './confirmed-reads.ts';
import { Discoveries } from './discoveries.ts';
import type { ReadOutcome, Settled } from './doors.ts';
import { FoundingPause, isBlank, withParticipants } from './founding.ts';
import { LogListeners } from './log-events.ts';
import { checkOptions, type LogOptions } from './log-options.ts';
import { messageOf } from './testdata/driver-world.ts';

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const bytes = (word: string): Uint8Array => new TextEncoder().encode(word);

function decode(given: Uint8Array): string {
  if (text(given).startsWith('?')) throw new Error('not a word');
  return text(given);
}

const codec = { kind: 'word', version: 2, encode: bytes, decode };

function changesEntry(index: number, words: readonly string[]): Entry {
  const changes = words.map(bytes);
  return {
    index,
    ballot: 1,
    payload: { type: 'changes', kind: 'word', version: 2, requestId: null, changes },
  };
}

describe('the state behind a codec', () => {
  let words: string[];
  let told: string[];
  let state: CodecState<string>;
  beforeEach(() => {
    words = [];
    told = [];
    state = new CodecState({
      codec,
      state: {
        snapshot: () => bytes(words.join()),
        install: (given) => {
          if (text(given) === 'bad') throw new Error('bad snapshot');
          words = text(given).split(',');
        },
        apply: (word) => {
          if (word === 'bad') throw new Error('bad word');
          words.push(word);
        },
      },
      events: {
        applied: (entry) => told.push(`applied ${entry.index}`),
        committed: (index, changes) => told.push(`committed ${index} ${changes.join()}`),
        undecodable: (index, error) => told.push(`undecodable ${index} ${error.message}`),
      },
    });
  });

  it('skips what cannot be decoded, and nothing else', () => {
    expect(state.apply(changesEntry(4, ['a', '?', 'b'])).ok).toBe(true);
    expect(words).toEqual(['a', 'b']);
    expect(told).toEqual(['undecodable 4 not a word', 'committed 4 a,b', 'applied 4']);
  });

  it('passes over entries that are no changes', () => {
    expect(state.apply({ index: 1, ballot: 1, payload: { type: 'noop' } }).ok).toBe(true);
    expect(told).toEqual(['applied 1']);
  });

  it('hands on that the state refuses', () => {
    expect(state.apply(changesEntry(1, ['bad']))).toMatchObject({
      ok: false,
      error: { message: 'bad word' },
    });
    const snapshot = {
      index: 1,
      ballot: 1,
      configuration: { members: [] },
      requests: [],
      state: bytes('bad'),
    };
    expect(state.install(snapshot)).toMatchObject({ ok: false });
    expect(told).toEqual([]);
  });

  it('says beforehand what can be read', () => {
    expect([state.understands([bytes('a')]), state.understands([bytes('a'), bytes('?')])]).toEqual([
      true,
      false,
    ]);
  });
});

describe('founding', () => {
  const blank: Restored = {
    promise: { ballot: 0, votedFor: null },
    snapshot: null,
    entries: [],
    incarnation: null,
    muted: false,
  };

  it('is for a directory that holds nothing', () => {
    expect(isBlank(blank)).toBe(true);
    expect(isBlank({ ...blank, incarnation: 'i' })).toBe(false);
    expect(isBlank({ ...blank, promise: { ballot: 1, votedFor: null } })).toBe(false);
    expect(isBlank({ ...blank, entries: [changesEntry(1, [])] })).toBe(false);
  });

  it('is left when a member of a cluster calls, and not for a stranger', () => {
    const time = new FakeTime();
    const ends: boolean[] = [];
    const pause = new FoundingPause(time, 100, (found) => ends.push(found));
    const stranger = messageOf(1);
    pause.receive({ ...stranger, sender: { ...stranger.sender, incarnation: null } });
    expect(ends).toEqual([]);
    pause.receive(messageOf(2));
    pause.receive(messageOf(3));
    time.advance(1_000);
    expect(ends).toEqual([false]);
  });

  it('comes when nobody has called', () => {
    const time = new FakeTime();
    const ends: boolean[] = [];
    new FoundingPause(time, 100, (found) => ends.push(found));
    time.advance(100);
    expect(ends).toEqual([true]);
  });

  it('puts each participant beside the founder once, in the same entry', () => {
    const founder: Member = { name: 'a', storage: 's', role: 'voter', knows: {} };
    const configuration: Configuration = { members: [founder] };
    const entry: Entry = { index: 1, ballot: 1, payload: { type: 'members', configuration } };
    const { entries } = withParticipants({ ...blank, entries: [entry] }, ['b', 'a', 'b', 'c']);
    expect(entries).toMatchObject([
      { payload: { configuration: { members: [founder, { name: 'b' }, { name: 'c' }] } } },
    ]);
    const { payload } = entries[0] as Entry;
    const members = payload.type === 'members' ? payload.configuration.members : [];
    expect(members.slice(1).map(({ role, storage }) => [role, storage])).toEqual([
      ['learner', null],
      ['learner', null],
    ]);
  });
});

describe('a member that answers without the safe protocol', () => {
  let time: FakeTime;
  let log: CollectedLog;
  let changes: MemberChange[];
  let settle: Settled[];
  const learner: Member = { name: 'b', storage: null, role: 'learner', knows: {} };

  const discoveries = (
    mode: 'strict' | 'interop',
    member: Member = learner,
    isMaster = true,
  ): Discoveries => {
    time = new FakeTime();
    log = new CollectedLog();
    changes = [];
    settle = [];
    return new Discoveries({
      ...{ mode, timers: time, logger: log },
      isMaster: () => isMaster,
      configuration: () => ({ members: [member] }),
      change: (change, done) => {
        changes.push(change);
        settle.push(done);
      },
    });
  };

  it.each([
    ['interop', 'foreign'],
    ['strict', 'remove'],
  ] as const)('in %s: %s, asked once until the log has answered', (mode, type) => {
    const found = discoveries(mode);
    found.spokeForeign('b');
    found.spokeForeign('b');
    expect(changes).toEqual([{ type, name: 'b' }]);
    expect(log.lines.length).toBe(1);
    settle[0]?.({ type: 'refused', reason: 'busy', master: null, detail: '' });
    found.spokeForeign('b');
    time.advance(LOG_LIMITS.discoveryRetryMs);
    found.spokeForeign('b');
    expect(changes.length).toBe(2);
  });

  it('is left alone by others than the master, when it is foreign already, or no member', () => {
    discoveries('interop', learner, false).spokeForeign('b');
    expect(changes).toEqual([]);
    const known = discoveries('interop', { ...learner, role: 'foreign' });
    known.spokeForeign('b');
    known.spokeForeign('z');
    expect(changes).toEqual([]);
  });

  it('is only warned of when it has spoken the safe protocol before', () => {
    discoveries('interop', { ...learner, storage: 's', role: 'voter' }).spokeForeign('b');
    expect([changes.length, log.messages('warn').length]).toEqual([0, 1]);
  });
});

describe('reads that users wait for', () => {
  let time: FakeTime;
  let attempts: ((outcome: ReadOutcome) => void)[];
  let results: Confirmed[];
  let reads: ConfirmedReads;
  beforeEach(() => {
    time = new FakeTime();
    attempts = [];
    results = [];
    reads = new ConfirmedReads({ timers: time, read: (done) => attempts.push(done) });
  });

  it('are asked again after a refusal, and at once when a master is known', () => {
    reads.read(5_000, (confirmed) => results.push(confirmed));
    attempts[0]?.({ type: 'refused', master: null });
    reads.masterKnown();
    expect(attempts.length).toBe(2);
    attempts[1]?.({ type: 'refused', master: null });
    time.advance(LOG_LIMITS.readRetryMs);
    attempts[2]?.({ type: 'ready', index: 4 });
    expect(results).toEqual([{ ok: true, index: 4 }]);
    expect(time.pending).toBe(0);
  });

  it('end when their time is up, or with the node', () => {
    reads.read(100, (confirmed) => results.push(confirmed));
    time.advance(100);
    attempts[0]?.({ type: 'refused', master: null });
    reads.read(100, (confirmed) => results.push(confirmed));
    reads.close(new ArrokothError('LOG_CLOSED', 'It was closed.'));
    expect(results.map((each) => (each.ok ? '' : each.error.code))).toEqual([
      'LOG_NOT_CONFIRMED',
      'LOG_CLOSED',
    ]);
    expect(time.pending).toBe(0);
  });
});

describe('listeners', () => {
  it('hear in their order; what one throws is thrown outside of the turn', () => {
    const time = new FakeTime();
    const listeners = new LogListeners<string>(time);
    const heard: string[] = [];
    listeners.add('committed', (index, changes) => heard.push(`${index} ${changes.join()}`));
    listeners.add('committed', () => {
      throw new Error('broken listener');
    });
    listeners.add('committed', () => heard.push('after it'));
    listeners.tell('committed', 3, ['a', 'b']);
    expect(heard).toEqual(['3 a,b', 'after it']);
    expect(() => time.endTurn()).toThrow('broken listener');
  });
});

describe('options', () => {
  const good: LogOptions<string> = {
    cluster: 'c',
    address: 'http://127.0.0.1:9000',
    dataDir: 'data',
    codec,
    state: { snapshot: () => bytes(''), install: () => {}, apply: () => {} },
  };

  it.each([
    [{ cluster: 'a/b' }, 'cluster'],
    [{ address: 'http://127.0.0.1:9000/' }, 'address'],
    [{ address: '127.0.0.1:9000' }, 'address'],
    [{ participants: ['ftp://b'] }, 'address'],
    [{ participants: Array.from({ length: LOG_LIMITS.membersMax }, (_, at) => `http://h${at}`) }, 'members'],
    [{ dataDir: '' }, 'dataDir'],
    [{ codec: { ...codec, kind: '' } }, 'kind'],
    [{ codec: { ...codec, version: 0 } }, 'version'],
    [{ mode: 'legacy' as 'strict' }, 'mode'],
  ])('%j is refused', (wrong, word) => {
    expect(() => checkOptions({ ...good, ...wrong })).toThrow(word);
    expect(() => checkOptions(good)).not.toThrow();
  });
});
