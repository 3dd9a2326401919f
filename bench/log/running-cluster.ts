/**
 * Three members of one kind that run, on 127.0.0.1 to 3 and on one core: started, killed, started
 * again, asked for their master.
 */
import type { ChildProcess } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Address } from '../load/orders.ts';
import { killGroup, SERVER_CORE, startProgram } from '../pinned-process.ts';
import type { LogPeer, MemberPlace } from './log-peer.ts';

const HOSTS = ['127.0.0.1', '127.0.0.2', '127.0.0.3'];
const START_TIMEOUT_MS = 30_000;
const LAST_WORDS_MAX = 2_000;
/** How often members are asked whether they are there yet. */
const LOOK_MS = 25;

/** One member. */
export interface Member {
  readonly place: MemberPlace;
  readonly address: Address;
  readonly log: string;
  process: ChildProcess;
}

/** A cluster that runs. */
export class RunningCluster {
  readonly peer: LogPeer;
  readonly members: readonly Member[];

  private constructor(peer: LogPeer, members: readonly Member[]) {
    this.peer = peer;
    this.members = members;
  }

  /** Starts three members in empty folders and waits until all of them answer linearizable reads. */
  static async start(peer: LogPeer, directory: string): Promise<RunningCluster> {
    const [port, peerPort] = await freePorts();
    const members = HOSTS.map((host, number) => {
      const place: MemberPlace = {
        number,
        hosts: HOSTS,
        port,
        peerPort,
        directory: join(directory, `member-${number}`),
      };
      mkdirSync(place.directory, { recursive: true, mode: 0o700 });
      const log = join(directory, `member-${number}.txt`);
      return { place, log, address: { host, port, tls: false }, process: launch(peer, place, log) };
    });
    const cluster = new RunningCluster(peer, members);
    try {
      for (const member of members) await cluster.current(member);
    } catch (error) {
      cluster.kill();
      throw error;
    }
    return cluster;
  }

  /** Process ids of the members. */
  pids(): number[] {
    return this.members.map(({ process }) => process.pid as number);
  }

  /** The one member that says it is the master; waits until there is one. */
  master(): Promise<Member> {
    return this.#until('a master', async () => {
      const answers = await Promise.all(this.members.map(({ address }) => this.peer.isMaster(address)));
      return this.members[answers.indexOf(true)] ?? null;
    });
  }

  /** Waits until the member knows the master and has caught up. */
  async current(member: Member): Promise<void> {
    const what = `a read at member ${member.place.number}`;
    await this.#until(what, async () => ((await this.peer.isCurrent(member.address)) ? true : null));
  }

  /** Starts a member again that was killed. */
  async restart(member: Member): Promise<void> {
    member.process = launch(this.peer, member.place, member.log);
    await this.current(member);
  }

  /** The end of what the members have logged. */
  lastWords(): string {
    return this.members.map(({ log }) => readFileSync(log, 'utf8').slice(-LAST_WORDS_MAX)).join('\n');
  }

  /** `kill -9` of all. */
  kill(): void {
    for (const member of this.members) killGroup(member.process);
  }

  async #until<T>(what: string, look: () => Promise<T | null>): Promise<T> {
    const deadline = performance.now() + START_TIMEOUT_MS;
    while (performance.now() < deadline) {
      const found = await look();
      if (found !== null) return found;
      await sleep(LOOK_MS);
    }
    throw new Error(`${this.peer.name}: no ${what} within ${START_TIMEOUT_MS} ms\n${this.lastWords()}`);
  }
}

function launch(peer: LogPeer, place: MemberPlace, log: string): ChildProcess {
  const file = openSync(log, 'a');
  const child = startProgram(SERVER_CORE, peer.command(place), {
    stdio: ['ignore', file, file],
    env: { ...process.env, NODE_ENV: 'production', ...peer.environment },
  });
  closeSync(file);
  return child;
}

/** Two ports that nobody listens on at the moment, on any of the hosts. */
async function freePorts(): Promise<[number, number]> {
  const servers = [createServer(), createServer()];
  const ports = await Promise.all(servers.map(listen));
  for (const server of servers) server.close();
  return ports as [number, number];
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '0.0.0.0', () => resolve((server.address() as AddressInfo).port));
  });
}
