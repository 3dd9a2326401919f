/**
 * One node of the replicated log as its own process: the example `replicated-kv`, started as its
 * npm script starts it, but without npm in between.
 *
 * Killed, stopped, continued, emptied and started again by tests; asked over HTTP only, as its users
 * do. Every question has a deadline, because a stopped process still accepts connections.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { AwaitedList } from './awaited-list.ts';
import { cleanUpAfterwards, guardProcessGroup, killGroup } from './cleanup.ts';
import { ROOT } from './programs.ts';

/** What follows `node` to start the example; flags come after it. */
export const KV_PROGRAM: readonly string[] = ['--import=tsx', join(ROOT, 'examples/replicated-kv/kv.ts')];

const ANSWER_TIMEOUT_MS = 3_000;

/** An applied state: a flat object. */
export type KvState = Readonly<Record<string, string>>;

/** `refused`: the node said no, nothing will come of it; `unknown`: it may still be committed. */
export type SubmitOutcome = 'accepted' | 'refused' | 'unknown';

/** How a node is started, now and every other time. */
export interface KvNodeOptions {
  readonly cluster: string;
  /** 127.0.0.1 and on; the port is the same everywhere. */
  readonly host: string;
  readonly port: number;
  readonly dataDir: string;
  /** Flags of this node alone: who founds, whom it invites, its mode, its timeouts. */
  readonly flags: readonly string[];
}

/** A node, running or not. */
export class KvNode {
  readonly address: string;
  readonly url: string;
  readonly dataDir: string;
  /** Everything it ever printed, a line an item, over all its runs. */
  readonly lines = new AwaitedList<string>('lines');
  readonly #options: KvNodeOptions;
  #child: ChildProcess | null = null;
  #gone: Promise<unknown> = Promise.resolve();

  constructor(options: KvNodeOptions) {
    this.#options = options;
    this.address = `${options.host}:${options.port}`;
    this.url = `http://${this.address}`;
    this.dataDir = options.dataDir;
    cleanUpAfterwards(() => this.kill());
  }

  get running(): boolean {
    return this.#child !== null;
  }

  /** Its process id, while it runs. */
  pids(): number[] {
    return this.#child?.pid === undefined ? [] : [this.#child.pid];
  }

  /** Starts the process and does not wait for it; questions are asked until one is answered. */
  start(): void {
    if (this.#child !== null) throw new Error(`${this.address} runs already`);
    const { cluster, dataDir, flags } = this.#options;
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    const args = ['-listen', this.address, '-cluster', cluster, '-interval', '86400', '-data', dataDir];
    const child = spawn(process.execPath, [...KV_PROGRAM, ...args, ...flags], {
      cwd: ROOT,
      // A group of its own, so that whatever it starts ends with it.
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    guardProcessGroup(child.pid as number);
    for (const stream of [child.stdout, child.stderr])
      createInterface({ input: stream as NodeJS.ReadableStream }).on('line', (line) => this.lines.push(line));
    this.#child = child;
    this.#gone = once(child, 'close').then(([code, signal]) => {
      this.lines.push(`[ended with ${code ?? signal}]`);
      if (this.#child === child) this.#child = null;
    });
  }

  /** `kill -9`; resolves when it is gone. The signal is sent before this returns. */
  async kill(): Promise<void> {
    if (this.#child !== null) killGroup(this.#child.pid as number);
    await this.#gone;
  }

  /** SIGTERM; resolves when it has ended by itself. */
  async stop(): Promise<void> {
    this.#child?.kill('SIGTERM');
    await this.#gone;
  }

  /** SIGSTOP: from the outside it looks as if its machine hung. */
  pause(): void {
    this.#child?.kill('SIGSTOP');
  }

  /** SIGCONT. */
  resume(): void {
    this.#child?.kill('SIGCONT');
  }

  /** Removes all it has on disk; it must not run. */
  wipe(): void {
    if (this.#child !== null) throw new Error(`${this.address} still runs`);
    rmSync(this.dataDir, { recursive: true, force: true });
  }

  /** One submission; no retries. */
  async submit(changes: readonly string[], requestId: string, timeoutMs?: number): Promise<SubmitOutcome> {
    const Changes = changes.map((change) => Buffer.from(change).toString('base64'));
    const path = `/_clusterc/${this.#options.cluster}/submit`;
    const answer = await this.ask(path, { body: JSON.stringify({ Changes, ReqId: requestId }), timeoutMs });
    if (answer === null) return 'unknown';
    const { Accepted, Err } = answer.json() as { Accepted: boolean; Err: { Code: string } };
    if (Accepted) return 'accepted';
    return Err.Code === 'ERR_STATE' ? 'refused' : 'unknown';
  }

  /** The state it has applied so far; null when it does not answer. */
  async state(): Promise<KvState | null> {
    const answer = await this.ask('/kv');
    return answer?.status === 200 ? (answer.json() as KvState) : null;
  }

  /** A linearizable read; null when it is not confirmed in time. */
  async read(timeoutMs?: number): Promise<KvState | null> {
    const answer = await this.ask('/kv?read=linearizable', { timeoutMs });
    return answer?.status === 200 ? (answer.json() as KvState) : null;
  }

  /** What it says of itself; null when it does not answer. */
  async status(): Promise<Readonly<Record<string, unknown>> | null> {
    const answer = await this.ask('/status');
    return answer?.status === 200 ? (answer.json() as Record<string, unknown>) : null;
  }

  /** One request; null when there is no whole answer in time. A POST when there is a body. */
  async ask(
    path: string,
    options: { readonly body?: string; readonly timeoutMs?: number | undefined } = {},
  ): Promise<{ readonly status: number; readonly text: string; json(): unknown } | null> {
    try {
      const answer = await fetch(this.url + path, {
        method: options.body === undefined ? 'GET' : 'POST',
        body: options.body ?? null,
        signal: AbortSignal.timeout(options.timeoutMs ?? ANSWER_TIMEOUT_MS),
      });
      const text = await answer.text();
      return { status: answer.status, text, json: () => JSON.parse(text) };
    } catch {
      return null;
    }
  }

  /** What it said last, for the messages of failures. */
  lastWords(): string {
    return `${this.address}:\n${this.lines.items.slice(-25).join('\n')}`;
  }
}
