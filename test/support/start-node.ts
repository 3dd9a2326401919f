/**
 * Starts a real node as its own process, the way an operator does, and watches its log.
 *
 * Everything a test learns comes through doors that users have too: the command line, the log,
 * the listeners, signals, /proc. Ports are always 0, files live in a folder that goes away.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { createInterface } from 'node:readline';
import { AwaitedList } from './awaited-list.ts';
import { cleanUpAfterwards, guardProcessGroup, killGroup } from './cleanup.ts';
import { ROOT } from './programs.ts';

/** One line of a node's log. */
export type LogLine = Readonly<Record<string, unknown>> & { readonly msg: string };

/** Where a listener can be reached. */
export interface NodeAddress {
  readonly host: string;
  readonly port: number;
  /** `http://HOST:PORT`; empty for a unix socket. */
  readonly url: string;
  /** Path of a unix socket, or null. */
  readonly socketPath: string | null;
}

/** How to start. */
export interface NodeOptions {
  /** An object is completed with loopback, port 0 and a data folder; text is written as it is. */
  readonly config: Readonly<Record<string, unknown>> | string;
  /** Further arguments, after `--config FILE`. */
  readonly args?: readonly string[];
  /** Which program; `ekbo` gets `-config=FILE`. */
  readonly bin?: 'arrokoth' | 'ekbo';
  readonly env?: Readonly<Record<string, string>>;
  /** Its limit of open files, and of each of its workers; absent: that of the test. */
  readonly descriptorsMax?: number;
  /** Puts what the command runs in front of it, such as a network of its own. */
  readonly inside?: (command: readonly string[]) => string[];
  /** A folder that outlives the node, for restarts; absent: one of its own. */
  readonly folder?: string;
}

/** How a process ended. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Between the signal and the end. */
  readonly ms: number;
}

/** A node that is ready. */
export interface RunningNode {
  readonly addresses: {
    readonly public: NodeAddress;
    readonly app: NodeAddress | null;
    readonly api: NodeAddress | null;
  };
  /** The supervisor's process id. */
  readonly pid: number;
  readonly folder: string;
  readonly configFile: string;
  readonly log: AwaitedList<LogLine>;
  /** What was printed for people. */
  stdout(): string;
  /** Process ids of the supervisor's children, as /proc has them now. */
  workers(): number[];
  waitForLog(fits: (line: LogLine) => boolean, timeoutMs?: number): Promise<LogLine>;
  /** Sends the signal (SIGTERM unless told) and resolves when the supervisor has ended. */
  stop(signal?: NodeJS.Signals): Promise<Exit>;
  /** `kill -9` of the supervisor alone; resolves when it has ended. */
  kill(): Promise<Exit>;
  /** `kill -9` of the supervisor and all its workers at once. */
  killAll(): Promise<Exit>;
  readonly exited: Promise<Exit>;
}

/** A folder for one test's files, removed after it. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'arrokoth-test-'));
  cleanUpAfterwards(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Starts a node and resolves when it is ready; rejects with its output when it ends before. */
export async function startNode(options: NodeOptions): Promise<RunningNode> {
  const folder = options.folder ?? temporaryFolder();
  const configFile = join(folder, 'config.yml');
  writeFileSync(configFile, configText(options.config, folder));
  const child = spawnNode(options, configFile, folder);
  const pid = child.pid as number;
  guardProcessGroup(pid);
  cleanUpAfterwards(() => killGroup(pid));

  const log = new AwaitedList<LogLine>('log lines');
  let stdout = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  const words: string[] = [];
  createInterface({ input: child.stderr as NodeJS.ReadableStream }).on('line', (text) => {
    words.push(text);
    const line = logLineOf(text);
    if (line !== null) log.push(line);
  });
  let signalledMs = 0;
  const exited = new Promise<Exit>((resolve) => {
    child.on('close', (code, signal) => {
      resolve({ code, signal, ms: signalledMs === 0 ? 0 : performance.now() - signalledMs });
      log.end(
        new Error(`the node ended with ${code ?? signal}; its last words:\n${words.slice(-30).join('\n')}`),
      );
    });
  });
  const signal = (send: () => void): Promise<Exit> => {
    signalledMs = performance.now();
    send();
    return exited;
  };

  await log.first((line) => line.msg === 'node ready', 30_000);
  return {
    addresses: {
      public: addressOf(log, 'public') ?? missing('public'),
      app: addressOf(log, 'app'),
      api: addressOf(log, 'api'),
    },
    pid,
    folder,
    configFile,
    log,
    stdout: () => stdout,
    workers: () => childrenOf(pid),
    waitForLog: (fits, timeoutMs) => log.first(fits, timeoutMs),
    stop: (name = 'SIGTERM') => signal(() => child.kill(name)),
    kill: () => signal(() => child.kill('SIGKILL')),
    killAll: () => signal(() => killGroup(pid)),
    exited,
  };
}

function spawnNode(options: NodeOptions, configFile: string, folder: string): ChildProcess {
  const bin = options.bin ?? 'arrokoth';
  const first = bin === 'ekbo' ? [`-config=${configFile}`] : ['start', '--config', configFile];
  const node = [join(ROOT, `dist/main/${bin}.js`), ...first, ...(options.args ?? [])];
  const command =
    options.descriptorsMax === undefined
      ? [process.execPath, ...node]
      : ['sh', '-c', `ulimit -n ${options.descriptorsMax} && exec "$@"`, 'sh', process.execPath, ...node];
  const whole = options.inside?.(command) ?? command;
  // A process group of its own, so that a test can end a node with all its workers.
  return spawn(whole[0] as string, whole.slice(1), {
    cwd: folder,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    // What a killed node leaves in the temporary directory goes away with the test's folder.
    env: { ...process.env, TMPDIR: folder, ...options.env },
  });
}

/** The file for `config`. JSON is YAML, so an object needs no YAML writer. */
export function configText(config: NodeOptions['config'], folder: string): string {
  if (typeof config === 'string') return config;
  const { node, ...rest } = config;
  const whole = {
    host: '127.0.0.1',
    port: 0,
    ...rest,
    node: { data_dir: join(folder, 'data'), ...(node as object | undefined) },
  };
  return JSON.stringify(whole, null, 2);
}

function logLineOf(text: string): LogLine | null {
  if (!text.startsWith('{')) return null;
  try {
    const line = JSON.parse(text) as LogLine;
    return typeof line.msg === 'string' ? line : null;
  } catch {
    // A crash report may begin with a brace too.
    return null;
  }
}

function addressOf(log: AwaitedList<LogLine>, listener: string): NodeAddress | null {
  const line = log.items.find((item) => item.msg === 'listening' && item.listener === listener);
  if (line === undefined) return null;
  const text = String(line.address);
  const match = /^(?:https?:\/\/)?(.*):(\d+)\/?$/.exec(text);
  if (match === null) return { host: '', port: 0, url: '', socketPath: text };
  const everywhere = ['', '*', '0.0.0.0', '::', '[::]'].includes(match[1] as string);
  const host = everywhere ? '127.0.0.1' : (match[1] as string);
  return { host, port: Number(match[2]), url: `http://${host}:${match[2]}`, socketPath: null };
}

function missing(listener: string): never {
  throw new Error(`the node is ready but has not said where its ${listener} listener is`);
}

/** Process ids whose parent is `parent`. */
export function childrenOf(parent: number): number[] {
  const children: number[] = [];
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      // After the name in parentheses: state, then the parent's id.
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
      const [state, parentId] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      if (Number(parentId) === parent && state !== 'Z') children.push(Number(name));
    } catch {
      // It ended while we looked.
    }
  }
  return children.sort((left, right) => left - right);
}
