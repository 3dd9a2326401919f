/**
 * What a node promises whatever happens to it: workers killed, links broken, clients coming, going
 * and coming twice, messages overtaking each other.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Call, type Client, type Happening, RandomNode } from './testdata/random-node.ts';

const slot = fc.nat(2);
const key = fc.constantFrom('k0', 'k1', 'k2', 'k3');
const channel = fc.constantFrom('c0', 'c1', 'c2');
const weighted = (weight: number, arbitrary: fc.Arbitrary<Happening>) => ({ weight, arbitrary });
const happening = fc.oneof(
  weighted(5, fc.record({ type: fc.constant('connect' as const), slot, key, channel })),
  weighted(2, fc.record({ type: fc.constant('drop' as const), client: fc.nat(20), politely: fc.boolean() })),
  weighted(6, fc.record({ type: fc.constant('send' as const), slot, key })),
  weighted(6, fc.record({ type: fc.constant('publish' as const), slot, channel })),
  weighted(1, fc.record({ type: fc.constant('close' as const), slot, key })),
  weighted(1, fc.record({ type: fc.constant('subscribe' as const), slot, key, channel })),
  weighted(1, fc.record({ type: fc.constant('unsubscribe' as const), slot, key, channel })),
  weighted(1, fc.record({ type: fc.constant('kill' as const), slot })),
  weighted(1, fc.record({ type: fc.constant('cut' as const), left: slot, right: slot })),
  weighted(1, fc.record({ type: fc.constant('wait' as const), ms: fc.nat(200) })),
);

/** Runs many histories and shows the record of each to `check`. */
function always(check: (record: RandomNode) => void): void {
  fc.assert(
    fc.property(fc.array(happening, { minLength: 5, maxLength: 45 }), fc.nat(), (history, seed) => {
      const record = new RandomNode(seed);
      for (const one of history) record.happen(one);
      record.finish();
      check(record);
    }),
    { numRuns: 120 },
  );
}

function answerOf({ response }: Call): string {
  return response.answer?.body ?? '';
}

function receivedBy(client: Client, text: string): number {
  return client.upgrade.connection?.received.filter((received) => received === text).length ?? 0;
}

describe('a node to which anything happens', () => {
  it('tells every end exactly once', () => {
    always((record) => {
      const events = record.node.app.closeEvents();
      const reasons = new Map<string, Set<string>>();
      for (const { id, reason } of events) reasons.set(id, (reasons.get(id) ?? new Set()).add(reason));
      for (const [id, told] of reasons) expect([id, [...told]]).toEqual([id, [[...told][0]]]);
      if (record.killed.size === 0) expect(events).toHaveLength(reasons.size);

      for (const client of record.clients) {
        const connection = record.connectionOf(client);
        if (connection === null) continue;
        const id = `${connection}.closed`;
        const told = reasons.has(id);
        reasons.delete(id);
        const socket = client.upgrade.connection;
        const killed = record.killed.has(client.worker);
        if (socket?.open && !killed) expect([id, told]).toEqual([id, false]);
        else if (socket?.closed?.code === 1000) expect(told && !killed).toBe(false);
        else if (socket !== null) expect([id, told]).toEqual([id, true]);
        // Without a 101 the application may have closed it, or its worker died before it knew.
        else if (!killed && !wasClosed(record, client)) expect([id, told]).toEqual([id, true]);
      }
      expect([...reasons.keys()]).toEqual([]);
    });
  });

  it('never denies a session that is there, and delivers once what it says is delivered', () => {
    always((record) => {
      for (const call of record.answered) {
        if (call.happening.type !== 'send') continue;
        const { key: wanted } = call.happening;
        const holders = record.clients.filter((client) => client.key === wanted);
        for (const holder of holders) expect(receivedBy(holder, call.text)).toBeLessThanOrEqual(1);
        if (isHeldThroughout(holders, call)) expect(answerOf(call)).not.toContain('not found');
        const present = holders.filter((client) => overlaps(client, call));
        const [only] = present;
        if (present.length !== 1 || only === undefined || !isOpenThroughout(only, call)) continue;
        if (answerOf(call) === '{"result":"OK"}') expect(receivedBy(only, call.text)).toBe(1);
      }
    });
  });

  it('shows all members one order, and loses nothing that it calls delivered', () => {
    always((record) => {
      const members = record.clients.map(({ upgrade }) => upgrade.connection?.received ?? []);
      for (const name of ['c0', 'c1', 'c2']) {
        const published = record.calls.filter(
          ({ happening: { type, ...facts } }) =>
            type === 'publish' && 'channel' in facts && facts.channel === name,
        );
        const texts = new Set(published.map(({ text }) => text));
        const seen = members.map((received) => received.filter((text) => texts.has(text)));
        for (const one of seen) {
          expect(new Set(one).size).toBe(one.length);
          for (const other of seen) {
            const common = one.filter((text) => other.includes(text));
            expect(other.filter((text) => one.includes(text))).toEqual(common);
          }
        }
        for (const call of record.answered) {
          if (published.includes(call)) checkDelivered(record, call, name);
        }
      }
    });
  });

  it('answers every call', () => {
    always((record) => {
      const silent = record.calls.filter((call) => !record.answered.includes(call));
      expect(silent.filter(({ worker }) => !record.killed.has(worker))).toEqual([]);
    });
  });
});

/** Whoever was a member from before the publish until after its answer has the message. */
function checkDelivered(record: RandomNode, call: Call, name: string): void {
  if (answerOf(call).includes('"errors"')) return;
  for (const client of record.clients) {
    if (client.channel !== name || !isOpenThroughout(client, call) || mayHaveLeft(record, client)) continue;
    expect([call.text, receivedBy(client, call.text)]).toEqual([call.text, 1]);
  }
}

function isOpenThroughout({ openedAt, endedAt }: Client, call: Call): boolean {
  return openedAt <= call.postedAt && endedAt > call.answeredAt;
}

/** Whether it was known to the node at any moment of the call. */
function overlaps({ askedAt, endedAt }: Client, { postedAt, answeredAt }: Call): boolean {
  return askedAt <= answeredAt && endedAt >= postedAt;
}

/** Whether some connection of the key was there at each moment of the call; one may follow another. */
function isHeldThroughout(holders: readonly Client[], call: Call): boolean {
  let heldUntil = Number.NEGATIVE_INFINITY;
  const first = holders.filter(({ openedAt }) => openedAt <= call.postedAt);
  for (const { endedAt } of first) heldUntil = Math.max(heldUntil, endedAt);
  if (heldUntil <= call.postedAt) return false;
  for (let grown = true; grown && heldUntil <= call.answeredAt; ) {
    grown = false;
    for (const next of holders) {
      // A connection that takes the key ends the one before it, some steps before its own 101.
      const replaces =
        next.openedAt < next.endedAt && holders.some((other) => replacedBy(other, next, heldUntil));
      if (!replaces || next.endedAt <= heldUntil) continue;
      heldUntil = next.endedAt;
      grown = true;
    }
  }
  return heldUntil > call.answeredAt;
}

function replacedBy(older: Client, newer: Client, at: number): boolean {
  return (
    older.endedAt === at &&
    older.upgrade.connection?.closed?.code === 4409 &&
    newer.askedAt < at &&
    newer.openedAt >= at
  );
}

function wasClosed({ calls }: RandomNode, client: Client): boolean {
  return calls.some(({ happening: facts }) => facts.type === 'close' && facts.key === client.key);
}

function mayHaveLeft({ calls }: RandomNode, client: Client): boolean {
  return calls.some(({ happening: facts }) => facts.type === 'unsubscribe' && facts.key === client.key);
}
