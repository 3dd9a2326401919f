/**
 * Replicated logs in the process of the test: real disks, real sockets on 127.0.0.1 to .9, the
 * library as applications import it, and a state that remembers how it came about.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ReplicatedLog, type ReplicatedLogOptions } from '../../src/main/library.ts';
import { CollectedLog } from '../fakes/collected-log.ts';
import { cleanUpAfterwards } from './cleanup.ts';

/** Quick enough for tests, slow enough for a busy host. */
const TIMING = { heartbeatMs: 50, electionMs: 500 };
const FOUNDING_PAUSE_MS = 100;
const POLL_MS = 10;
const PATIENCE_MS = 30_000;

/** A list of words in the order in which they were applied. */
export class Words {
  words: string[] = [];

  snapshot(): Uint8Array {
    return new TextEncoder().encode(JSON.stringify(this.words));
  }

  install(bytes: Uint8Array): void {
    this.words = JSON.parse(new TextDecoder().decode(bytes)) as string[];
  }

  apply(word: string): void {
    this.words.push(word);
  }
}

const codec: ReplicatedLogOptions<string>['codec'] = {
  kind: 'word',
  version: 1,
  encode: (word) => new TextEncoder().encode(word),
  decode: (bytes) => {
    const word = new TextDecoder().decode(bytes);
    if (word.startsWith('undecodable')) throw new Error('no word');
    return word;
  },
};

/** What tests may set about one member. */
export type MemberOptions = Partial<ReplicatedLogOptions<string>>;

/** One member, started or about to be. */
export interface RunningMember {
  readonly log: ReplicatedLog<string>;
  readonly state: Words;
  readonly lines: CollectedLog;
  /** Names of events and what they bore. */
  readonly events: string[];
}

/** Members of one cluster, by the last number of their addresses. */
export class LogCluster {
  readonly folder: string;
  readonly port: number;
  scheme: 'http' | 'https' = 'http';
  readonly #running = new Map<number, RunningMember>();

  private constructor(folder: string, port: number) {
    this.folder = folder;
    this.port = port;
  }

  /** Nobody runs yet. */
  static async make(): Promise<LogCluster> {
    const folder = mkdtempSync(join(tmpdir(), 'arrokoth-log-'));
    const cluster = new LogCluster(folder, await freePort());
    cleanUpAfterwards(async () => {
      await cluster.stopAll();
      rmSync(folder, { recursive: true });
    });
    return cluster;
  }

  /** Members 1 to `size`, all of them voters. */
  static async ofVoters(size: number, options: MemberOptions = {}): Promise<LogCluster> {
    const cluster = await LogCluster.make();
    await cluster.found(size, options);
    return cluster;
  }

  /** Founds the cluster; members 1 to `size` are voters when this resolves. */
  async found(size: number, options: MemberOptions = {}): Promise<void> {
    const numbers = Array.from({ length: size }, (_, index) => index + 1);
    const participants = numbers.slice(1).map((number) => this.address(number));
    for (const number of numbers.slice(1)) await this.start(number, options);
    await this.start(1, { ...options, initMaster: true, participants });
    await this.until(() => numbers.every((number) => this.votersOf(number).length === size));
  }

  address(number: number): string {
    return `${this.scheme}://127.0.0.${number}:${this.port}`;
  }

  dataDir(number: number): string {
    return join(this.folder, String(number));
  }

  member(number: number): RunningMember {
    const member = this.#running.get(number);
    if (member === undefined) throw new Error(`member ${number} does not run`);
    return member;
  }

  log(number: number): ReplicatedLog<string> {
    return this.member(number).log;
  }

  words(number: number): string[] {
    return this.member(number).state.words;
  }

  votersOf(number: number): string[] {
    const { members } = this.log(number).status();
    return members.filter(({ role }) => role === 'voter').map(({ name }) => name);
  }

  get numbers(): number[] {
    return [...this.#running.keys()].sort();
  }

  async start(number: number, options: MemberOptions = {}): Promise<RunningMember> {
    const state = new Words();
    const lines = new CollectedLog();
    const events: string[] = [];
    const log = new ReplicatedLog<string>({
      cluster: 'words',
      address: this.address(number),
      listen: { host: `127.0.0.${number}`, port: this.port },
      dataDir: this.dataDir(number),
      codec,
      state,
      logger: lines,
      timing: TIMING,
      foundingPauseMs: FOUNDING_PAUSE_MS,
      ...options,
    });
    log.on('becameMaster', (ballot) => events.push(`becameMaster ${ballot}`));
    log.on('lostMaster', (ballot) => events.push(`lostMaster ${ballot}`));
    log.on('committed', (index, changes) => events.push(`committed ${index} ${changes.join()}`));
    log.on('undecodable', (index) => events.push(`undecodable ${index}`));
    log.on('contradicted', (error) => events.push(`contradicted ${error.code}`));
    log.on('removed', () => events.push('removed'));
    log.on('stopped', (error) => events.push(`stopped ${error.code}`));
    await log.start();
    const member = { log, state, lines, events };
    this.#running.set(number, member);
    return member;
  }

  async stop(number: number): Promise<void> {
    const { log } = this.member(number);
    this.#running.delete(number);
    await log.close();
  }

  async stopAll(): Promise<void> {
    await Promise.all(this.numbers.map((number) => this.stop(number)));
  }

  /** The number of the confirmed master, once there is one. */
  async master(): Promise<number> {
    let found: number | undefined;
    await this.until(() => {
      found = this.numbers.find((number) => this.log(number).status().isMaster);
      return found !== undefined;
    });
    return found as number;
  }

  /** Somebody who is not the master. */
  async follower(): Promise<number> {
    const master = await this.master();
    return this.numbers.find((number) => number !== master) as number;
  }

  /** Waits for what comes about by itself. */
  async until(isTrue: () => boolean): Promise<void> {
    const endMs = performance.now() + PATIENCE_MS;
    while (!isTrue()) {
      if (performance.now() > endMs) throw new Error(`in vain: ${this.#describe()}`);
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  #describe(): string {
    return JSON.stringify([...this.#running.values()].map(({ log }) => log.status()));
  }
}

/** A port that nobody has on any of our addresses. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
