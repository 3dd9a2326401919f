/**
 * A server under test: how it is started, found ready, asked for its memory and ended.
 *
 * What differs between servers is in a `Peer`; everything else about a running one is here.
 */
import type { ChildProcess } from 'node:child_process';
import { mkdirSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { get as getPlain } from 'node:http';
import { get as getOverTls } from 'node:https';
import { type AddressInfo, connect, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Certificate } from '../certificate.ts';
import type { Address } from '../load/orders.ts';
import { killGroup, SERVER_CORE, startNode } from '../pinned-process.ts';

const START_TIMEOUT_MS = 20_000;
const LAST_WORDS_MAX = 2_000;
const PROBE = join(import.meta.dirname, 'probe.mjs');

/** What both servers of a sitting are told alike. */
export interface PeerTask {
  readonly applicationUrl: string;
  /** Whether it compresses for clients that offer permessage-deflate; see `COMPRESSION`. */
  readonly compression: boolean;
  /** With which it speaks TLS to everybody; null: not at all. */
  readonly certificate: Certificate | null;
}

/** How both servers compress: the gateway's defaults. */
export const COMPRESSION = { level: 6, windowBits: 15, memoryLevel: 8, thresholdBytes: 512 } as const;

/** What a server is told about the run. */
export interface PeerPlace extends PeerTask {
  /** Empty and the server's own. */
  readonly directory: string;
  readonly port: number;
}

/** How a server is started. */
export interface PeerCommand {
  /** What follows `node`. */
  readonly arguments: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

/** A kind of server. */
export interface Peer {
  readonly name: string;
  command(place: PeerPlace): PeerCommand;
}

/** Bytes held by all processes of a server after a forced collection. */
export interface HeldMemory {
  readonly rss: number;
  readonly heap: number;
}

/** A server that runs. */
export class RunningPeer {
  readonly name: string;
  readonly address: Address;
  readonly #process: ChildProcess;
  readonly #probes: string;
  readonly #log: string;

  private constructor(options: {
    readonly name: string;
    readonly address: Address;
    readonly process: ChildProcess;
    readonly probes: string;
    readonly log: string;
  }) {
    this.name = options.name;
    this.address = options.address;
    this.#process = options.process;
    this.#probes = options.probes;
    this.#log = options.log;
  }

  /** Starts a server and waits until it answers. */
  static async start(peer: Peer, directory: string, task: PeerTask): Promise<RunningPeer> {
    const port = await freePort();
    const probes = join(directory, 'probes');
    mkdirSync(probes, { recursive: true });
    const log = join(directory, 'log.txt');
    const logFile = openSync(log, 'a');
    const command = peer.command({ ...task, directory, port });
    const child = startNode(SERVER_CORE, command.arguments, {
      stdio: ['ignore', logFile, logFile],
      env: {
        ...process.env,
        ...command.environment,
        BENCH_PROBE_DIR: probes,
        NODE_OPTIONS: `--import=${PROBE}`,
        NODE_ENV: 'production',
      },
    });
    const address = { host: '127.0.0.1', port, tls: task.certificate !== null };
    const running = new RunningPeer({ name: peer.name, address, process: child, probes, log });
    const deadline = performance.now() + START_TIMEOUT_MS;
    while (!(await running.#answers())) {
      if (child.exitCode !== null || performance.now() > deadline) {
        running.kill();
        throw new Error(`${peer.name} did not start:\n${running.lastWords()}`);
      }
      await sleep(50);
    }
    return running;
  }

  /** Every process that belongs to the server. */
  pids(): number[] {
    return readdirSync(this.#probes).map((name) => Number.parseInt(name, 10));
  }

  async memory(): Promise<HeldMemory> {
    const held = (await this.#askAll({ type: 'memory' })) as HeldMemory[];
    const sum = (values: number[]): number => values.reduce((left, right) => left + right, 0);
    return { rss: sum(held.map(({ rss }) => rss)), heap: sum(held.map(({ heap }) => heap)) };
  }

  async startProfile(): Promise<void> {
    await this.#askAll({ type: 'profile_start' });
  }

  /** Writes one profile a process, named `file-PID.cpuprofile`. */
  async stopProfile(file: string): Promise<void> {
    await this.#askAll({ type: 'profile_stop', file });
  }

  /** The end of what the server has logged. */
  lastWords(): string {
    return readFileSync(this.#log, 'utf8').slice(-LAST_WORDS_MAX);
  }

  kill(): void {
    killGroup(this.#process);
  }

  #answers(): Promise<boolean> {
    const { host, port, tls } = this.address;
    const get = tls ? getOverTls : getPlain;
    return new Promise((resolve) => {
      const question = get({ host, port, path: '/ping', rejectUnauthorized: false, agent: false });
      question.on('response', (answer) => {
        answer.resume();
        resolve(answer.statusCode === 200);
      });
      question.on('error', () => resolve(false));
    });
  }

  #askAll(request: object): Promise<unknown[]> {
    const sockets = readdirSync(this.#probes).map((name) => join(this.#probes, name));
    return Promise.all(sockets.map((path) => askProbe(path, request)));
  }
}

function askProbe(path: string, request: object): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    let answer = '';
    socket.setEncoding('utf8');
    socket.on('data', (text: string) => {
      answer += text;
    });
    socket.on('end', () => resolve(JSON.parse(answer)));
    socket.on('error', reject);
    socket.write(JSON.stringify(request));
  });
}

/** A port that nobody listens on at the moment. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
