/** Operations on the cluster: lists from the copy, the rest by the supervisor's word. */
import { describe, expect, it } from 'vitest';
import { FakeTime } from '../../../test/fakes/fake-time.ts';
import { decodeUtf8, OPERATOR_LIMITS } from '../../base/index.ts';
import { type ClusterChange, ClusterState, type NodeFacts } from '../../cluster/index.ts';
import type { Bulletin, OperationOutcome } from '../../process/index.ts';
import { ClusterCopy } from '../cluster/cluster-copy.ts';
import { SupervisorCalls } from '../cluster/supervisor-calls.ts';
import type { Handler, OperationAnswer } from '../front/operation-answer.ts';
import { clusterLists } from './cluster-lists.ts';
import { clusterOrders } from './cluster-orders.ts';

const [A, B, C] = ['a@10.0.0.1', 'b@10.0.0.2', 'c@10.0.0.3'] as const;

const factsOf = (node: string): NodeFacts => ({
  version: '1.2.3',
  workers: 1,
  meshPorts: [],
  externalSignalingUrl: `ws://${node}/signaling`,
  externalApiUrl: `http://${node}/`,
  maxConnections: 500,
  maxNodes: 5,
});
const up = (node: string, boot = 'one'): ClusterChange => {
  return { type: 'node_up', node, boot, facts: factsOf(node), atMs: 1_000 };
};
const claim = (node: string, epoch: number, ...channels: string[]): ClusterChange => {
  return { type: 'channels_claimed', node, epoch, channels };
};
const bulletin = (node: string, more: Partial<Bulletin> = {}): Bulletin => ({
  ...{ node, epoch: 1, mode: 'normal', connections: 7, connectionsMax: 500, connected: true },
  ...{ voter: true, master: false, ballot: 3, commitIndex: 9, version: '1.2.4' },
  ...more,
});

function copyOf(changes: readonly ClusterChange[], bulletins: readonly Bulletin[]): ClusterCopy {
  const copy = new ClusterCopy();
  changes.forEach((change, at) => {
    copy.apply(at + 1, [change]);
  });
  copy.hear(A, bulletins);
  return copy;
}

async function read(cluster: ClusterCopy, name: string, values = {}) {
  const time = new FakeTime();
  const answer = await (clusterLists({ cluster, timers: time })[name] as Handler)(values);
  if (answer.type !== 'list') throw new Error(answer.type);
  const slices: number[] = [];
  const rows: Record<string, unknown>[] = [];
  const turns = setInterval(() => time.endTurn(), 0);
  for await (const slice of answer.slices) {
    const some = JSON.parse(`[${Buffer.from(slice).toString()}]`) as Record<string, unknown>[];
    slices.push(some.length);
    rows.push(...some);
  }
  clearInterval(turns);
  return { rows, slices, headers: answer.headers };
}

describe('ListClusterNodes', () => {
  const changes = [up(A), up(B), up(C)];
  const bulletins = [
    bulletin(A),
    bulletin(B, { mode: 'block_new_session' }),
    bulletin(C, { connected: false }),
  ];

  it('shows the nodes that are heard of, and names those that should be', async () => {
    const { rows, headers } = await read(copyOf(changes, bulletins), 'ListClusterNodes');
    expect(rows.map(({ node_name }) => node_name)).toEqual([A, B]);
    expect(headers).toEqual(['x-arrokoth-silent-nodes', C]);
    expect(rows[1]).toEqual({
      external_api_url: `http://${B}/`,
      epoch: 1,
      license_max_connections: 500,
      license_max_nodes: 5,
      license_serial_code: 'ARROKOTH-N5-500',
      license_type: 'MIT',
      node_name: B,
      mode: 'block_new_session',
      connected: true,
      external_signaling_url: `ws://${B}/signaling`,
      version: '1.2.4',
      cluster_node_name: B,
      cluster_api_url: `http://${B}/`,
      cluster_signaling_url: `ws://${B}/signaling`,
      sora_version: '1.2.4',
      member_since: '1970-01-01T00:00:01.000000Z',
      temporary_node: false,
      voter: true,
      session_count: 7,
    });
  });

  it('shows the others with two keys, when asked', async () => {
    const { rows } = await read(copyOf(changes, bulletins), 'ListClusterNodes', {
      include_all_known_nodes: true,
    });
    expect(rows[2]).toEqual({ node_name: C, connected: false });
    const none = await read(new ClusterCopy(), 'ListClusterNodes', { include_all_known_nodes: true });
    expect([none.rows, none.headers]).toEqual([[], []]);
  });
});

describe('ListClusterChannels', () => {
  it('shows owners, and which of them came up anew since', async () => {
    const changes = [up(A), up(B), claim(A, 1, 'sora'), claim(B, 1, 'lemon'), up(B, 'two')];
    const { rows } = await read(copyOf(changes, [bulletin(A)]), 'ListClusterChannels');
    expect(rows).toEqual([
      { channel_id: 'sora', owners: [{ node_name: A, epoch: 1, epoch_latest: true, connected: true }] },
      { channel_id: 'lemon', owners: [{ node_name: B, epoch: 1, epoch_latest: false, connected: false }] },
    ]);
  });

  it('of 40,000 rows is made a slice a turn', async () => {
    const names = Array.from({ length: 40_000 }, (_, number) => `c${number}`);
    const { rows, slices } = await read(copyOf([up(A), claim(A, 1, ...names)], []), 'ListClusterChannels');
    expect(new Set(rows.map(({ channel_id }) => channel_id)).size).toBe(40_000);
    expect(Math.max(...slices)).toBe(500);
  });
});

describe('the copy', () => {
  it('goes on from a snapshot, and takes nothing over twice', () => {
    const state = new ClusterState();
    state.apply(up(A), 1);
    state.apply(claim(A, 1, 'sora'), 2);
    const copy = new ClusterCopy();
    copy.install(2, decodeUtf8(state.snapshot()));
    copy.apply(2, [up(B)]);
    expect(copy.state.node(B)).toBeNull();
    copy.apply(3, [up(B)]);
    expect(copy.state.node(B)?.epoch).toBe(1);
  });

  it('knows where the owner of a channel is asked, unless that is here or its epoch is over', () => {
    const changes = [up(A), up(B), claim(A, 1, 'near'), claim(B, 1, 'far')];
    const copy = copyOf(changes, [bulletin(A), bulletin(B)]);
    expect(['near', 'far', 'free'].map((channel) => copy.ownerElsewhere(channel))).toEqual([
      null,
      `http://${B}/`,
      null,
    ]);
    copy.apply(9, [{ type: 'node_down', node: B, epoch: 1, reason: 'silent', atMs: 1 }]);
    expect(copy.ownerElsewhere('far')).toBeNull();
  });
});

describe('orders', () => {
  function makeOrders() {
    const time = new FakeTime();
    const sent: { id: number; operation: string; request: unknown }[] = [];
    const supervisor = new SupervisorCalls({ timers: time, send: (message) => sent.push(message) });
    const handlers = clusterOrders({ supervisor, mode: () => 'initial' });
    const perform = (name: string, values = {}) => (handlers[name] as Handler)(values);
    const told = async (outcome: OperationOutcome): Promise<OperationAnswer> => {
      const answer = perform('PurgeClusterNode', { target_node_name: B });
      supervisor.settle(sent.at(-1)?.id as number, outcome);
      return await answer;
    };
    return { time, sent, perform, told };
  }

  it('are handed on, and answered with what the supervisor says', async () => {
    const { sent, perform, told } = makeOrders();
    expect(await told({ ok: true, answer: { target_node_name: B } })).toEqual({
      type: 'answer',
      value: { target_node_name: B },
    });
    const reason = { target_node: B };
    expect(await told({ ok: false, error: 'NODE-IS-ALIVE', reason })).toEqual({
      ...{ type: 'refused', error: 'NODE-IS-ALIVE', reason },
    });
    expect(await told({ ok: false, error: 'TOO-MANY-OPERATIONS' })).toEqual({ type: 'busy' });
    await expect(told({ ok: false, error: 'INTERNAL-ERROR' })).rejects.toThrow();
    void perform('RegisterClusterNode', { contact_node_name: B });
    expect(sent.at(-1)).toMatchObject({ operation: 'JoinCluster', request: { contact_node_name: B } });
  });

  it('end in time without an answer, and a late one belongs to nobody else', async () => {
    const { time, perform, told } = makeOrders();
    const silent = perform('ChangeMode', { mode: 'normal' });
    time.advance(OPERATOR_LIMITS.supervisorWaitMs);
    expect(await silent).toEqual({ type: 'refused', error: 'SUPERVISOR-UNAVAILABLE' });
    expect((await told({ ok: true, answer: 1 })).type).toBe('answer');
  });

  it('tell the mode without asking anybody', async () => {
    const { sent, perform } = makeOrders();
    expect(await perform('GetMode')).toEqual({ type: 'answer', value: { mode: 'initial' } });
    expect(sent).toEqual([]);
  });
});
