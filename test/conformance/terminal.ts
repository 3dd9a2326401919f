/**
 * Command lines as somebody types them: `sh` in a folder, and what it writes, line by line.
 *
 * `ekbo` and `wscat` are on the path as they are after an installation. Lines are waited for; nobody
 * sleeps.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import { AwaitedList, cleanUpAfterwards, guardProcessGroup, killGroup, ROOT } from '../support/index.ts';

/** State of a socket that listens, in /proc/net/tcp. */
const LISTENS = '0A';
const LOOK_MS = 10;

/** A command line that runs. */
export interface Running {
  /** Lines of stdout and stderr, without what moves the cursor and colours. */
  readonly lines: AwaitedList<string>;
  /** All of stdout, byte for byte, when it has ended. */
  readonly output: Promise<string>;
  readonly ended: Promise<number | null>;
  signal(name: NodeJS.Signals): void;
}

/** A shell in a folder. */
export class Terminal {
  readonly folder: string;
  readonly #path: string;

  constructor(folder: string) {
    this.folder = folder;
    const bin = join(folder, 'bin');
    mkdirSync(bin);
    // A link would do, but a fresh compilation has not made the file executable yet.
    const ekbo = `#!/bin/sh\nexec "${process.execPath}" "${join(ROOT, 'dist/main/ekbo.js')}" "$@"\n`;
    writeFileSync(join(bin, 'ekbo'), ekbo, { mode: 0o755 });
    this.#path = [bin, join(ROOT, 'node_modules/.bin'), process.env.PATH].join(delimiter);
  }

  /** Types a line and does not wait for its end. */
  start(line: string): Running {
    return this.#watch(this.#spawn('sh', ['-c', line]));
  }

  /** Types a line into a terminal with a screen, for programs that want one. */
  startOnScreen(line: string): Running {
    return this.#watch(this.#spawn('script', ['-q', '-f', '-e', '-c', line, '/dev/null']));
  }

  /** Types a line, waits for its end, and returns what it printed. */
  async run(line: string): Promise<string> {
    const running = this.start(line);
    const code = await running.ended;
    if (code !== 0) throw new Error(`${line} ended with ${code}: ${running.lines.items.join('\n')}`);
    return await running.output;
  }

  #spawn(program: string, words: readonly string[]): ChildProcess {
    return spawn(program, words, {
      cwd: this.folder,
      detached: true,
      // Not /dev/null: programs that read lines take the end of their input for a goodbye.
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, PATH: this.#path },
    });
  }

  #watch(child: ChildProcess): Running {
    const pid = child.pid as number;
    guardProcessGroup(pid);
    cleanUpAfterwards(() => killGroup(pid));
    const lines = new AwaitedList<string>('lines');
    let output = '';
    for (const stream of [child.stdout, child.stderr] as NodeJS.ReadableStream[]) {
      createInterface({ input: stream }).on('line', (line) => lines.push(withoutEscapes(line)));
    }
    child.stdout?.on('data', (chunk: Buffer) => {
      output += chunk.toString('utf8');
    });
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
    void ended.then((code) => lines.end(new Error(`it ended with ${code}:\n${lines.items.join('\n')}`)));
    return {
      lines,
      output: ended.then(() => output),
      ended,
      signal: (name) => process.kill(-pid, name),
    };
  }
}

/** Resolves when somebody listens on `port`, without connecting: `nc` serves only one connection. */
export async function untilListening(port: number): Promise<void> {
  const place = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const untilMs = performance.now() + 10_000;
  while (performance.now() < untilMs) {
    for (const table of ['/proc/net/tcp', '/proc/net/tcp6']) {
      for (const line of readFileSync(table, 'utf8').split('\n')) {
        const [, local, , state] = line.trim().split(/\s+/);
        if (state === LISTENS && local?.endsWith(place)) return;
      }
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
  throw new Error(`nobody listens on port ${port}`);
}

/** What moves the cursor, clears lines and colours them. */
const ESCAPES = new RegExp(`${String.fromCharCode(0x1b)}\\[[0-9;]*[A-Za-z]`, 'g');
/** What is written over later, and the prompt of `wscat`. */
const OVERWRITTEN = /^.*\r(?=.)|\r+$/g;
const PROMPT = /^> (?=[<A-Z])/;

/** A line as it stands on the screen in the end. */
function withoutEscapes(line: string): string {
  return line.replace(ESCAPES, '').replace(OVERWRITTEN, '').replace(PROMPT, '');
}
