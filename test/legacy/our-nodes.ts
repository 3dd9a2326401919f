/** Nodes of ours in this process, on real sockets and disks, for tests beside originals. */
import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KeyValues, type KvChange, kvCodec } from '../../examples/replicated-kv/key-values.ts';
import { type LogMode, ReplicatedLog } from '../../src/main/library.ts';
import { CollectedLog } from '../fakes/collected-log.ts';

/** One node, which can be stopped and started again from its disk. */
export class OurNode {
  readonly address: string;
  readonly logger = new CollectedLog();
  values: KeyValues = new KeyValues();
  log: ReplicatedLog<KvChange>;
  readonly #make: () => ReplicatedLog<KvChange>;
  readonly #folder: string;

  constructor(options: { port: number; mode: LogMode; initMaster: boolean; participants: string[] }) {
    const { port, mode, initMaster, participants } = options;
    this.address = `http://127.0.0.1:${port}`;
    this.#folder = mkdtempSync(join(tmpdir(), 'arrokoth-ours-'));
    this.#make = () => {
      this.values = new KeyValues();
      return new ReplicatedLog<KvChange>({
        ...{
          cluster: 'cluster1',
          address: this.address,
          dataDir: this.#folder,
          mode,
          initMaster,
          participants,
        },
        ...{ codec: kvCodec, state: this.values, logger: this.logger, foundingPauseMs: 100 },
        listen: { host: '127.0.0.1', port },
        timing: { heartbeatMs: 50, electionMs: 250 },
      });
    };
    this.log = this.#make();
  }

  get kv(): Record<string, string> {
    return this.values.toJSON();
  }

  /** Another life from the same disk. */
  async restart(): Promise<void> {
    await this.log.close();
    this.log = this.#make();
    await this.log.start();
  }

  async end(): Promise<void> {
    await this.log.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** Ports that nobody listens to at this moment. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  const ports: number[] = [];
  for (const server of servers) {
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    ports.push((server.address() as AddressInfo).port);
  }
  for (const server of servers) await new Promise((closed) => server.close(closed));
  return ports;
}

/** `count` nodes of one cluster that has `guests` among its members; they have started. */
export async function startOurs(count: number, mode: LogMode, guests: string[] = []): Promise<OurNode[]> {
  const ports = await freePorts(count);
  const others = ports.slice(1).map((port) => `http://127.0.0.1:${port}`);
  const nodes = ports.map((port, at) => {
    return new OurNode({
      port,
      mode,
      initMaster: at === 0,
      participants: at === 0 ? [...others, ...guests] : [],
    });
  });
  for (const node of nodes) await node.log.start();
  return nodes;
}

/** Looks until `condition` holds; what does not come true in half a minute never will. */
export async function until(condition: () => boolean, describe: () => unknown = () => ''): Promise<void> {
  for (let looks = 0; !condition(); looks++) {
    if (looks > 3_000) throw new Error(`never came true: ${condition} ${JSON.stringify(describe())}`);
    await new Promise((look) => setTimeout(look, 10));
  }
}
