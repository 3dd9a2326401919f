/**
 * Sessions that are resumed: at another worker than they began at, and after all workers have died.
 */
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { expect, it } from 'vitest';
import {
  cleanUpAfterwards,
  handshake,
  type RunningNode,
  request,
  startApplication,
  startNode,
  TestAuthority,
} from '../support/index.ts';

const CLIENTS = 24;

async function startTwoWorkers() {
  const authority = new TestAuthority();
  const pairs = ['chat', 'other'].map((name) => authority.issue({ name, names: [`DNS:${name}.example`] }));
  const certificates = pairs.map(({ cert, key }) => ({ cert, key }));
  const application = await startApplication();
  const node = await startNode({
    config: {
      callback: application.callback,
      workers: 2,
      tls: { certificates },
      api: { listen: '127.0.0.1:0' },
    },
  });
  return { node, port: node.addresses.public.port, ca: authority.root.certPem };
}

/** A full handshake, and the ticket that the client may come back with. */
function firstSession(options: ConnectionOptions): Promise<Buffer> {
  const socket = connect(options);
  cleanUpAfterwards(() => {
    socket.destroy();
  });
  return new Promise((resolve, reject) => {
    socket.on('session', resolve);
    socket.on('error', reject);
  });
}

/** How many handshakes each gateway has resumed. */
async function resumedAt(node: RunningNode): Promise<number[]> {
  const page = (await request({ url: `${node.addresses.api?.url}/metrics` })).text;
  return [0, 1].map((slot) => {
    const line = `arrokoth_tls_handshakes_total\\{resumed="yes",worker="gateway/${slot}"\\} (\\d+)`;
    return Number(new RegExp(line).exec(page)?.[1] ?? 0);
  });
}

it.each(['TLSv1.2', 'TLSv1.3'] as const)(
  'resumes at every worker, and at their replacements (%s)',
  async (version) => {
    const { node, port, ca } = await startTwoWorkers();
    const options = {
      port,
      host: '127.0.0.1',
      ca,
      servername: 'other.example',
      minVersion: version,
      maxVersion: version,
    };
    const session = await firstSession(options);
    const comeBack = async (): Promise<boolean> => {
      const client = handshake({ port, tls: { ...options, session } });
      expect((await client.answered).status).toBe(101);
      return (client.socket as TLSSocket).isSessionReused();
    };
    // Connections are spread evenly, so that both workers get some of them.
    for (let client = 0; client < CLIENTS; client++) expect(await comeBack()).toBe(true);
    const resumed = await resumedAt(node);
    expect(Math.min(...resumed)).toBeGreaterThan(0);
    expect(resumed.reduce((sum, count) => sum + count)).toBe(CLIENTS);
    const ready = node.log.items.filter((line) => line.msg === 'worker ready').length;
    for (const pid of node.workers()) process.kill(pid, 'SIGKILL');
    await node.log.atLeast(ready + 3, (line) => line.msg === 'worker ready', 40_000);
    for (let client = 0; client < CLIENTS; client++) expect(await comeBack()).toBe(true);
  },
);
