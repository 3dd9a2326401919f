/** What gateway workers do for operators: lists in portions, ends that are told, messages in order. */
import { describe, expect, it } from 'vitest';
import { FakeGateways } from '../../../test/fakes/fake-gateways.ts';
import { seatAt } from '../../../test/fakes/worker-names.ts';
import { LIMITS, type WorkerSlot } from '../../base/index.ts';
import {
  type BusAnswer,
  type Json,
  LIST_PORTION_ROWS,
  type ListFacts,
  OPERATOR_KINDS,
  type OperatorTarget,
  type PortionFacts,
} from '../../bus/index.ts';

type Kind = (typeof OPERATOR_KINDS)[keyof typeof OPERATOR_KINDS];

function ask(node: FakeGateways, slot: WorkerSlot, kind: Kind, facts: Json, text = ''): BusAnswer {
  let told: BusAnswer | null = null;
  node.network.bus(0).ask(seatAt(slot), { kind, facts, bytes: Buffer.from(text) }, 60_000, (answer) => {
    if (answer.ok) told = answer.value;
  });
  node.settle();
  if (told === null) throw new Error(`${kind} was not answered`);
  return told;
}

function portion(node: FakeGateways, facts: Partial<ListFacts>, slot = 0) {
  const whole = { list: 'connections', channel: null, cursor: 0, ...facts };
  const answer = ask(node, slot, OPERATOR_KINDS.list, whole);
  const rows = JSON.parse(`[${Buffer.from(answer.bytes).toString()}]`) as Record<string, unknown>[];
  const told = answer.facts as unknown as PortionFacts;
  expect(told.rows).toBe(rows.length);
  return { ...told, values: rows };
}

/** All rows of a list, and how they came. */
function wholeList(node: FakeGateways, facts: Partial<ListFacts>, slot = 0) {
  const values: Record<string, unknown>[] = [];
  const portions: number[] = [];
  for (let cursor = 0; ; ) {
    const next = portion(node, { ...facts, cursor }, slot);
    values.push(...next.values);
    portions.push(next.rows);
    if (next.cursor === 0) return { values, portions };
    cursor = next.cursor;
  }
}

const target = (given: Partial<OperatorTarget>): Json => ({
  ...{ channel: null, client: null, connection: null },
  ...given,
});

describe('lists', () => {
  it('have a row for each channel of a connection, and one for a connection without', () => {
    const node = new FakeGateways();
    node.connect('key=alice&channel=lobby&channel=news');
    node.connect('key=bob');
    const { values } = wholeList(node, {});
    expect(values.map(({ client_id, channel_id }) => [client_id, channel_id])).toEqual([
      ['alice', 'lobby'],
      ['alice', 'news'],
      ['bob', null],
    ]);
    expect(values[0]).toEqual({
      channel_id: 'lobby',
      client_id: 'alice',
      session_id: null,
      connection_id: expect.stringMatching(/^[0-9a-z]{26}$/),
      role: 'sendrecv',
      kind: 'gateway',
      node_name: expect.stringContaining('@'),
      created_timestamp: new Date(Math.floor(node.time.wallMs())).toISOString(),
    });
    expect(wholeList(node, { channel: 'news' }).values).toHaveLength(1);
    expect(wholeList(node, { channel: 'nowhere' }).values).toEqual([]);
  });

  it('show the channels of a worker that orders them', () => {
    const node = new FakeGateways({ workers: 2 });
    const channel = node.nameAt(1, 'c');
    node.connect(`key=alice&channel=${channel}`, 0);
    expect(wholeList(node, { list: 'channels' }, 0).values).toEqual([]);
    expect(wholeList(node, { list: 'channels' }, 1).values).toEqual([
      { channel_id: channel, spotlight: false },
    ]);
  });

  it('come in portions, each connection once, while others come and go', () => {
    const node = new FakeGateways();
    const count = 2 * LIST_PORTION_ROWS + 10;
    const clients = Array.from({ length: count }, (_, number) => node.connect(`key=k${number}`));
    const first = portion(node, {});
    clients[0]?.leave();
    clients[count - 1]?.leave();
    node.connect('key=late');
    node.settle();
    const second = portion(node, { cursor: first.cursor });
    const third = portion(node, { cursor: second.cursor });
    expect([first.rows, second.rows, third.cursor]).toEqual([LIST_PORTION_ROWS, LIST_PORTION_ROWS, 0]);
    const seen = [...first.values, ...second.values, ...third.values].map(({ client_id }) => client_id);
    expect(new Set(seen).size).toBe(seen.length);
    for (let number = 0; number < count - 1; number++) expect(seen).toContain(`k${number}`);
    expect(portion(node, { cursor: first.cursor }).refused).toBe(true);
  });

  it('are bounded in number, and forgotten when nobody asks on', () => {
    const node = new FakeGateways();
    for (let number = 0; number <= LIST_PORTION_ROWS; number++) node.connect(`key=k${number}`);
    const open = Array.from({ length: LIMITS.operatorListsMax }, () => portion(node, {}));
    expect(open.every(({ refused }) => !refused)).toBe(true);
    expect(portion(node, {}).refused).toBe(true);
    node.advance(2 * LIMITS.operatorListMs);
    expect(portion(node, { cursor: open[0]?.cursor ?? 0 }).refused).toBe(true);
    expect(portion(node, {}).refused).toBe(false);
  });
});

describe('disconnects', () => {
  it('close a whole channel over several turns, and the application hears of each end', () => {
    const node = new FakeGateways();
    const members = Array.from({ length: 250 }, (_, number) => node.connect(`key=k${number}&channel=lobby`));
    const outsider = node.connect('key=other');
    expect(ask(node, 0, OPERATOR_KINDS.disconnect, target({ channel: 'lobby' })).facts).toBe(250);
    for (const member of members) expect(member.closed).toEqual({ code: 1000, reason: 'DISCONNECTED-API' });
    expect(outsider.open).toBe(true);
    node.advance(1_000);
    expect(node.app.closeEvents()).toHaveLength(250);
    expect(new Set(node.app.closeEvents().map(({ reason }) => reason))).toEqual(new Set(['operator']));
    expect(ask(node, 0, OPERATOR_KINDS.disconnect, target({ channel: 'lobby' })).facts).toBe(0);
  });

  it('find a connection by its id or its session key, in the channel that was named', () => {
    const node = new FakeGateways();
    const alice = node.connect('key=alice&channel=lobby');
    const bob = node.connect('key=bob');
    const id = wholeList(node, { channel: 'lobby' }).values[0]?.connection_id as string;
    const end = (given: Partial<OperatorTarget>) =>
      ask(node, 0, OPERATOR_KINDS.disconnect, target(given)).facts;
    expect(end({ connection: id, channel: 'news' })).toBe(0);
    expect(end({ client: 'alice', channel: 'news' })).toBe(0);
    expect([alice.open, bob.open]).toEqual([true, true]);
    expect(end({ connection: id, channel: 'lobby' })).toBe(1);
    expect(end({ client: 'bob' })).toBe(1);
    expect([alice.open, bob.open]).toEqual([false, false]);
  });
});

describe('pushes', () => {
  it('reach a channel wherever its members are, and single connections', () => {
    const node = new FakeGateways({ workers: 2 });
    const alice = node.connect('key=alice&channel=lobby', 0);
    const bob = node.connect('key=bob&channel=lobby', 1);
    expect(ask(node, 1, OPERATOR_KINDS.push, target({ channel: 'lobby' }), 'all').facts).toBe(2);
    expect(
      ask(node, 0, OPERATOR_KINDS.push, target({ channel: 'lobby', client: 'alice' }), 'one').facts,
    ).toBe(1);
    expect(ask(node, 0, OPERATOR_KINDS.push, target({ client: 'bob' }), 'not here').facts).toBe(0);
    expect([alice.received, bob.received]).toEqual([['all', 'one'], ['all']]);
    alice.takes = 'nothing';
    expect(ask(node, 0, OPERATOR_KINDS.push, target({ client: 'alice' }), 'lost').facts).toBe(0);
  });
});
