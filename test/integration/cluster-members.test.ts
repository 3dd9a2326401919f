/**
 * A cluster of real processes on 127.0.0.1 to .3, with the same ports: founded, joined, left, purged,
 * cut off and come back to, as an operator and a client see it.
 */
import { createServer } from 'node:net';
import { describe, expect, test } from 'vitest';
import {
  LightClient,
  type RunningNode,
  startApplication,
  startNode,
  temporaryFolder,
} from '../support/index.ts';

/** One for all tests of this file; 127.0.0.1 to .3 are three hosts to it. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const nameOf = (number: number) => `node-0${number}@127.0.0.${number}`;
const NAMES = [1, 2, 3].map(nameOf);
/** Busy hosts need their time; nothing here is measured. */
const PATIENCE = { timeout: 30_000 };

/** Where nodes are started, and started again. */
class Site {
  readonly nodes = new Map<number, RunningNode>();
  readonly #folders = new Map<number, string>();
  readonly #port: number;
  readonly #connect: string;
  readonly #workers: number;

  private constructor(port: number, connect: string, workers: number) {
    this.#port = port;
    this.#connect = connect;
    this.#workers = workers;
  }

  static async open(workers: number): Promise<Site> {
    const { callback } = await startApplication();
    return new Site(await freePort(), callback.connect, workers);
  }

  async start(number: number, cluster: object = {}): Promise<RunningNode> {
    const folder = this.#folders.get(number) ?? temporaryFolder();
    this.#folders.set(number, folder);
    const host = `127.0.0.${number}`;
    const node = await startNode({
      folder,
      config: {
        host,
        workers: this.#workers,
        node: { name: nameOf(number) },
        api: { listen: `${host}:0` },
        callback: { connect: this.#connect },
        cluster: { listen: `${host}:${this.#port}`, secret: 'a-secret-of-all-three-nodes', ...cluster },
      },
    });
    this.nodes.set(number, node);
    return node;
  }

  async startThree(): Promise<void> {
    await Promise.all([1, 2, 3].map((number) => this.start(number)));
    expect(await this.ask(1, 'InitCluster', { node_name_list: NAMES })).toEqual([
      200,
      { node_name_list: NAMES },
    ]);
  }

  async ask(number: number, operation: string, request?: object): Promise<[number, unknown]> {
    const version = { InitCluster: '20221221', PurgeClusterNode: '20220629' }[operation] ?? '20211215';
    const response = await fetch(`${this.nodes.get(number)?.addresses.api?.url}/`, {
      method: 'POST',
      headers: { 'x-sora-target': `Sora_${version}.${operation}` },
      ...(request === undefined ? {} : { body: JSON.stringify(request) }),
    });
    return [response.status, await response.json()];
  }

  async modeOf(number: number): Promise<unknown> {
    const [, answer] = await this.ask(number, 'GetMode');
    return (answer as { mode: unknown }).mode;
  }

  /** Name, whether it is heard of, and its epoch, as node `number` lists them. */
  async listed(number: number): Promise<unknown[]> {
    const [, answer] = await this.ask(number, 'ListClusterNodes', { include_all_known_nodes: true });
    const nodes = answer as { node_name: string; connected: boolean; epoch?: number }[];
    return nodes.map(({ node_name, connected, epoch }) => [node_name, connected, epoch]);
  }

  port(number: number): { host: string; port: number } {
    return { host: `127.0.0.${number}`, port: this.nodes.get(number)?.addresses.public.port ?? 0 };
  }
}

describe.each([1, 2])('three nodes of %i workers', (workers) => {
  test('are founded once, joined, restarted with the next epoch, and purged when stopped', async () => {
    const site = await Site.open(workers);
    await Promise.all([1, 2].map((number) => site.start(number)));
    expect(await site.modeOf(1)).toBe('initial');
    const founding = (names: readonly string[]) => site.ask(1, 'InitCluster', { node_name_list: names });
    expect(await founding(NAMES)).toMatchObject([400, { error_type: 'NODE-UNREACHABLE' }]);
    expect(await founding(NAMES.slice(0, 2))).toEqual([200, { node_name_list: NAMES.slice(0, 2) }]);
    expect(await founding(NAMES)).toMatchObject([400, { error_type: 'ALREADY-INITIALIZED' }]);
    await site.start(3, { contact_node_name_list: [nameOf(2)] });
    await expect.poll(() => site.modeOf(3), PATIENCE).toBe('normal');
    const all = (epoch: number) => [
      [nameOf(1), true, 1],
      [nameOf(2), true, 1],
      [nameOf(3), true, epoch],
    ];
    await expect.poll(() => site.listed(1), PATIENCE).toEqual(all(1));
    expect(await site.ask(1, 'PurgeClusterNode', { target_node_name: nameOf(3) })).toEqual([
      400,
      { error_type: 'NODE-IS-ALIVE', error_reason: { target_node: nameOf(3) } },
    ]);
    await site.nodes.get(3)?.stop();
    await expect.poll(() => site.listed(2), PATIENCE).toContainEqual([nameOf(3), false, undefined]);
    await site.start(3);
    await expect.poll(() => site.modeOf(3), PATIENCE).toBe('normal');
    await expect.poll(() => site.listed(1), PATIENCE).toEqual(all(2));
    await site.nodes.get(3)?.stop();
    await expect
      .poll(() => site.ask(2, 'PurgeClusterNode', { target_node_name: nameOf(3) }), PATIENCE)
      .toEqual([200, { target_node_name: nameOf(3) }]);
    await expect.poll(() => site.listed(1), PATIENCE).toEqual(all(2).slice(0, 2));
    // Forgotten with all that it knows: it stays out until it is let in again, and no epoch comes twice.
    await site.start(3);
    expect(await site.modeOf(3)).toBe('initial');
    expect(await site.ask(3, 'JoinCluster', { contact_node_name: nameOf(1) })).toEqual([
      200,
      { node_name_list: NAMES },
    ]);
    await expect.poll(() => site.modeOf(3), PATIENCE).toBe('normal');
    await expect.poll(() => site.listed(1), PATIENCE).toEqual(all(3));
  });

  test('lose one by kill -9 and then a second one: the last refuses clients until one is back', async () => {
    const site = await Site.open(workers);
    await site.startThree();
    const client = await LightClient.open(site.port(3));
    await site.nodes.get(1)?.killAll();
    await expect.poll(() => site.listed(3), PATIENCE).toContainEqual([nameOf(1), false, undefined]);
    const downs = (line: { msg: string }) => line.msg === 'a node is silent and counts as down';
    await expect
      .poll(() => [2, 3].some((number) => site.nodes.get(number)?.log.items.some(downs)), PATIENCE)
      .toBe(true);
    expect(await site.modeOf(3)).toBe('normal');
    await site.nodes.get(2)?.killAll();
    await expect.poll(() => site.modeOf(3), PATIENCE).toBe('initial');
    expect(client.closeCode).toBeNull();
    await expect(LightClient.open(site.port(3))).rejects.toThrow();
    await site.start(2);
    await expect.poll(() => site.modeOf(3), PATIENCE).toBe('normal');
    await expect.poll(() => site.listed(3), PATIENCE).toContainEqual([nameOf(2), true, 2]);
    expect(client.closeCode).toBeNull();
  });
});

test('a stopped supervisor: its workers let nobody in, and what they held ends when it is back', async () => {
  const site = await Site.open(2);
  await site.startThree();
  const client = await LightClient.open(site.port(3));
  const pid = site.nodes.get(3)?.pid as number;
  process.kill(pid, 'SIGSTOP');
  try {
    const connects = async () => {
      const outcome = await LightClient.open(site.port(3)).then(
        (opened) => opened.socket.destroy(),
        () => 'refused',
      );
      return outcome ?? 'let in';
    };
    await expect.poll(connects, PATIENCE).toBe('refused');
    await expect.poll(() => site.listed(1), PATIENCE).toContainEqual([nameOf(3), false, undefined]);
    const isDown = (line: { msg: string }) => line.msg === 'a node is silent and counts as down';
    const downs = () => [1, 2].some((number) => site.nodes.get(number)?.log.items.some(isDown));
    await expect.poll(downs, PATIENCE).toBe(true);
    expect(client.closeCode).toBeNull();
  } finally {
    process.kill(pid, 'SIGCONT');
  }
  await client.closed;
  expect(client.closeCode).toBe(1012);
  await expect.poll(() => site.modeOf(3), PATIENCE).toBe('normal');
  await expect.poll(() => site.listed(1), PATIENCE).toContainEqual([nameOf(3), true, 2]);
});

test('a node by itself comes up with the next epoch at each start, and never waits in initial', async () => {
  const folder = temporaryFolder();
  for (const epoch of [1, 2]) {
    const node = await startNode({
      folder,
      config: { node: { name: nameOf(1) }, api: { listen: '127.0.0.1:0' } },
    });
    await node.waitForLog((line) => line.msg === 'this node is up' && line.epoch === epoch);
    const ready = await fetch(`${node.addresses.api?.url}/readyz`);
    expect(await ready.json()).toEqual({ status: 'ready' });
    expect((await (epoch === 1 ? node.stop() : node.kill())).code).toBe(epoch === 1 ? 0 : null);
  }
});
