import { describe, expect, it } from 'vitest';
import { ArrokothError } from '../../base/index.ts';
import { FACTS } from '../testdata/facts.ts';
import { DOWN_MS, FakePart, FakePorts, ISOLATION_MS, nameOf } from '../testdata/fake-parts.ts';
import { addressOf } from './addresses.ts';

const addressAt = (number: number) => addressOf(nameOf(number), 7_400);

const up = (number: number, boot: string) => {
  return { type: 'node_up', node: nameOf(number), boot, facts: FACTS, atMs: 1 } as const;
};
const down = (number: number, epoch: number) => {
  return { type: 'node_down', node: nameOf(number), epoch, reason: 'silent', atMs: 2 } as const;
};

describe('a node by itself', () => {
  it('founds its log without a pause, comes up, and is in normal all the time', async () => {
    const part = new FakePart(null);
    expect(part.mode).toBe('normal');
    await part.start();
    expect(part.current.order.founding).toEqual([]);
    await part.advance(250);
    expect(part.current.submitted).toMatchObject([{ type: 'node_up', node: part.name }]);
    expect(part.node.grant()).toEqual({ type: 'grant', mode: 'normal', isolated: false, contactAgeMs: 0 });
    expect(part.got('changes')).toMatchObject([{ index: 1, changes: [{ type: 'node_up' }] }]);
    const [state] = part.node.greetings();
    expect(state).toMatchObject({ type: 'cluster', index: 1, snapshot: expect.stringContaining(part.name) });
  });

  it('takes no new connections while its disk fails, and any while its log fails otherwise', async () => {
    const part = await new FakePart(null).start();
    part.current.status_ = { ...part.current.status_, condition: 'disk_full' };
    await part.advance(250);
    expect(part.mode).toBe('block_new_connection');
    part.current.status_ = { ...part.current.status_, condition: 'running' };
    await part.advance(250);
    expect(part.mode).toBe('normal');
    part.current.tell('stopped', new ArrokothError('LOG_STATE_FAILED', 'x'));
    expect(part.mode).toBe('normal');
    part.current.tell('stopped', new ArrokothError('LOG_DISK_FAILED', 'x'));
    expect(part.mode).toBe('block_new_connection');
  });

  it('changes its mode as told, and answers when the workers know', async () => {
    const part = await new FakePart(null).start();
    const before = part.grants;
    expect(await part.ask('ChangeMode', { mode: 'block_new_session' })).toEqual({
      ok: true,
      answer: { mode: 'block_new_session' },
    });
    expect(part.grants).toBeGreaterThan(before);
    expect(await part.ask('GetMode')).toEqual({ ok: true, answer: { mode: 'block_new_session' } });
    expect(await part.ask('ChangeMode', { mode: 'initial' })).toMatchObject({
      ok: false,
      error: 'INVALID-MODE',
    });
    const founding = part.ask('InitCluster', { node_name_list: [part.name] });
    expect(await founding).toEqual({ ok: false, error: 'CLUSTER-NOT-CONFIGURED' });
    expect(await part.ask('RaftStatus')).toMatchObject({ answer: { raft_state: 'leader', raft_term: 1 } });
  });

  it('says goodbye in its log when it stops in order, and only then', async () => {
    const part = await new FakePart(null).start();
    await part.advance(250);
    await part.node.stop(true);
    expect(part.current.submitted.at(-1)).toMatchObject({ type: 'node_down', epoch: 1, reason: 'stopped' });
    expect(part.current.isClosed).toBe(true);
    expect(part.got('epoch_ended')).toEqual([]);
    const killed = await new FakePart(null).start();
    await killed.advance(250);
    await killed.node.stop(false);
    expect(killed.current.submitted).toHaveLength(1);
  });
});

describe('a node for a cluster', () => {
  it('waits in initial, refuses to be told normal, and takes a block', async () => {
    const part = await new FakePart(1).start();
    expect(part.node.grant()).toMatchObject({ mode: 'initial', isolated: true });
    expect(await part.ask('ChangeMode', { mode: 'normal' })).toMatchObject({ error: 'NODE-NOT-JOINED' });
    expect(await part.ask('ChangeMode', { mode: 'block_new_session' })).toMatchObject({ ok: true });
    expect(part.mode).toBe('block_new_session');
  });

  it('comes up when it is a member in contact, falls back when it is isolated, and returns', async () => {
    const part = await (await new FakePart(1).start()).joined();
    expect(part.mode).toBe('normal');
    part.current.status_ = { ...part.current.status_, contactAgeMs: ISOLATION_MS + 1 };
    await part.advance(250);
    expect(part.node.grant()).toMatchObject({ mode: 'initial', isolated: true });
    part.current.status_ = { ...part.current.status_, contactAgeMs: 10 };
    await part.advance(250);
    expect(part.mode).toBe('normal');
    expect(part.got('epoch_ended')).toEqual([]);
    expect(part.current.submitted).toHaveLength(1);
  });

  it('begins another epoch when its own was ended, after its workers were told', async () => {
    const part = await (await new FakePart(1).start()).joined();
    part.told.length = 0;
    part.current.commit(down(1, 1));
    await part.advance(250);
    expect(part.told.map(({ type }) => type).filter((type) => type !== 'bulletins')).toEqual([
      'changes',
      'epoch_ended',
      'changes',
    ]);
    expect(part.got('epoch_ended')).toEqual([{ type: 'epoch_ended', epoch: 1 }]);
    const [first, second] = part.current.submitted as { type: string; boot: string }[];
    expect(second?.boot).not.toBe(first?.boot);
    expect(part.node.greetings()[1]).toMatchObject({ nodes: [{ epoch: 2, mode: 'normal' }] });
  });

  it('comes up in another life when it was purged before it saw itself up', async () => {
    const part = await new FakePart(1).start();
    part.current.forgets = true;
    await part.joined();
    expect(part.mode).toBe('initial');
    part.current.forgets = false;
    await part.advance(500);
    const [first, second] = part.current.submitted as { type: string; boot: string }[];
    expect(second?.boot).not.toBe(first?.boot);
    expect(part.mode).toBe('normal');
  });

  it('tells of nothing twice when the state is replaced as a whole', async () => {
    const part = await new FakePart(1).start();
    const other = new FakePart(2);
    await other.start();
    other.current.commit(up(2, 'boot'));
    part.told.length = 0;
    part.current.order.state.install(other.current.order.state.snapshot());
    part.current.commit(up(3, 'boot'));
    await part.settle();
    expect(part.got('changes')).toEqual([]);
    expect(part.got('cluster')).toHaveLength(1);
    expect(part.got('cluster')[0]?.snapshot).toContain(nameOf(3));
  });
});

describe('the master', () => {
  async function master() {
    const part = await (await new FakePart(1).start()).joined();
    part.current.status_ = { ...part.current.status_, isMaster: true, master: addressAt(1) };
    await part.current.addMember(addressAt(2));
    part.current.commit(up(2, 'b'));
    return part;
  }
  const downs = (part: FakePart) => part.current.submitted.filter(({ type }) => type === 'node_down');

  it('declares down who is silent for too long, once', async () => {
    const part = await master();
    part.current.silences_.set(addressAt(2), { silentMs: DOWN_MS, isHeard: true });
    await part.advance(500);
    expect(downs(part)).toEqual([]);
    part.current.silences_.set(addressAt(2), { silentMs: DOWN_MS + 1, isHeard: true });
    await part.advance(500);
    expect(downs(part)).toMatchObject([{ node: nameOf(2), epoch: 1, reason: 'silent' }]);
  });

  it('counts the silence of the master before it from its last contact', async () => {
    const part = await master();
    part.current.status_ = {
      ...part.current.status_,
      isMaster: false,
      master: addressAt(2),
      contactAgeMs: 0,
    };
    await part.advance(250);
    part.current.status_ = { ...part.current.status_, master: null, contactAgeMs: 1_000 };
    await part.advance(1_000);
    part.current.status_ = { ...part.current.status_, isMaster: true, master: addressAt(1), contactAgeMs: 0 };
    part.current.silences_.set(addressAt(2), { silentMs: 0, isHeard: false });
    await part.advance(DOWN_MS - 1_500);
    expect(downs(part)).toEqual([]);
    await part.advance(750);
    expect(downs(part)).toHaveLength(1);
  });
});

describe('members', () => {
  it('are founded from exactly the list, after each was asked, and only once', async () => {
    const ports = new FakePorts();
    const [one, two] = [await new FakePart(1, ports).start(), await new FakePart(2, ports).start()];
    const found = (names: unknown) => one.ask('InitCluster', { node_name_list: names });
    expect(await found([nameOf(2)])).toMatchObject({ error: 'NODE-NOT-FOUND' });
    expect(await found(['nobody'])).toMatchObject({ error: 'INVALID-NODE-NAME' });
    expect(await found([1, 2, 3, 4, 5].map(nameOf))).toMatchObject({ error: 'TOO-MANY-NODES' });
    expect(await found([nameOf(1), nameOf(3)])).toMatchObject({ error: 'NODE-UNREACHABLE' });
    expect(one.logs).toHaveLength(1);
    const founding = found([nameOf(1), nameOf(2)]);
    await one.advance(250);
    expect(one.current.order.founding).toEqual([addressAt(2)]);
    expect(await two.ask('InitCluster', { node_name_list: [nameOf(2)] })).toMatchObject({
      error: 'INITIALIZATION-UNDER-WAY',
      reason: { by: nameOf(1) },
    });
    one.current.commit(up(2, 'b'));
    expect(await founding).toEqual({ ok: true, answer: { node_name_list: [nameOf(1), nameOf(2)] } });
    expect(await found([nameOf(1)])).toMatchObject({ error: 'ALREADY-INITIALIZED' });
  });

  it('are let in by a member, and by nobody else', async () => {
    const ports = new FakePorts();
    const [one, two] = [await new FakePart(1, ports).start(), await new FakePart(2, ports).start()];
    const join = (contact: number) => two.ask('JoinCluster', { contact_node_name: nameOf(contact) });
    const early = join(1);
    expect(await early).toMatchObject({ error: 'CLUSTER-NOT-INITIALIZED' });
    expect(await join(3)).toMatchObject({ error: 'NODE-UNREACHABLE' });
    expect(await join(2)).toMatchObject({ error: 'NODE-NOT-FOUND' });
    await one.joined();
    one.current.hasQuorum = false;
    expect(await join(1)).toMatchObject({ error: 'NO-QUORUM' });
    one.current.hasQuorum = true;
    const joining = join(1);
    await one.settle();
    expect(one.current.members()).toMatchObject([{ name: addressAt(2), role: 'learner' }]);
    two.current.commit(up(1, 'a'));
    await two.joined();
    const names = [nameOf(1), nameOf(2)];
    expect(await joining).toEqual({ ok: true, answer: { node_name_list: names } });
    expect(await join(1)).toMatchObject({ answer: { node_name_list: names } });
  });

  it('join by themselves through their contacts, again and again', async () => {
    const ports = new FakePorts();
    const two = await new FakePart(2, ports, { contacts: [nameOf(3), nameOf(1)] }).start();
    await two.advance(2_000);
    const one = await (await new FakePart(1, ports).start()).joined();
    await two.advance(15_000);
    expect(one.current.members()).toMatchObject([{ name: addressAt(2) }]);
    await two.joined();
    expect(two.log.lines.filter(({ message }) => message === 'this node joined its cluster')).toHaveLength(1);
  });

  it('are purged when they are down, by a majority', async () => {
    const part = await (await new FakePart(1).start()).joined();
    const purge = (number: number) => part.ask('PurgeClusterNode', { target_node_name: nameOf(number) });
    expect(await purge(2)).toMatchObject({ error: 'NODE-NOT-FOUND' });
    await part.current.addMember(addressAt(2));
    part.current.commit(up(2, 'b'));
    expect(await purge(2)).toEqual({
      ok: false,
      error: 'NODE-IS-ALIVE',
      reason: { target_node: nameOf(2) },
    });
    expect(await purge(1)).toMatchObject({ error: 'NODE-IS-ALIVE' });
    part.current.commit(down(2, 1));
    part.current.hasQuorum = false;
    expect(await purge(2)).toMatchObject({ error: 'NO-QUORUM' });
    part.current.hasQuorum = true;
    expect(await purge(2)).toEqual({ ok: true, answer: { target_node_name: nameOf(2) } });
    expect(part.current.members()).toEqual([]);
    expect(await purge(2)).toMatchObject({ error: 'NODE-NOT-FOUND' });
    expect(
      await (await new FakePart(3).start()).ask('PurgeClusterNode', { target_node_name: nameOf(2) }),
    ).toEqual({
      ok: false,
      error: 'CLUSTER-NOT-INITIALIZED',
    });
  });
});

describe('bulletins', () => {
  it('show the other nodes as they are, and whom nobody hears of as not connected', async () => {
    const ports = new FakePorts();
    const one = await (await new FakePart(1, ports).start()).joined();
    const two = await (await new FakePart(2, ports).start()).joined();
    one.current.commit(up(2, 'b'));
    two.current.commit(up(1, 'a'));
    await one.advance(2_500);
    const last = () => one.got('bulletins').at(-1)?.nodes ?? [];
    expect(last()).toMatchObject([
      { node: nameOf(1), connected: true },
      { node: nameOf(2), connected: true, mode: 'normal', connections: 7, voter: true, epoch: 1 },
    ]);
    await two.ask('ChangeMode', { mode: 'block_new_session' });
    await two.settle();
    await one.advance(500);
    expect(last()[1]).toMatchObject({ mode: 'block_new_session' });
    await two.node.stop(false);
    await one.advance(7_500);
    expect(last()[1]).toMatchObject({ connected: false });
    one.current.commit(down(2, 1));
    await one.advance(500);
    expect(last()[1]).toMatchObject({ connected: false, mode: 'initial', connections: 0 });
  });
});
