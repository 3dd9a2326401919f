/**
 * A network of its own whose loopback carries any addresses, and programs that run in it.
 *
 * A network namespace without root's rights on the host: ports and addresses that examples print can
 * be used as printed, whatever else runs on the machine.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cleanUpAfterwards } from './cleanup.ts';

/** What a command printed, and how it ended. */
export interface CommandOutcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A network namespace that lives as long as the test. */
export class NetworkRoom {
  readonly #holder: ChildProcess;

  constructor(holder: ChildProcess) {
    this.#holder = holder;
  }

  /** Opens one whose loopback has `addresses` beside 127.0.0.0/8. */
  static async open(addresses: readonly string[]): Promise<NetworkRoom> {
    const added = addresses.map((address) => `ip addr add ${address}/32 dev lo`);
    const script = ['ip link set lo up', ...added, 'echo open', 'exec sleep 3600'].join(' && ');
    const holder = spawn('unshare', ['-Urn', 'sh', '-c', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    cleanUpAfterwards(() => void holder.kill('SIGKILL'));
    await Promise.race([
      once(holder.stdout as NodeJS.ReadableStream, 'data'),
      once(holder, 'exit').then(([code]) => {
        throw new Error(`no network of its own can be had here (unshare ended with ${code})`);
      }),
    ]);
    return new NetworkRoom(holder);
  }

  /** The words that run `command` in here. */
  inside(command: readonly string[]): string[] {
    return ['nsenter', '-t', String(this.#holder.pid), '-U', '-n', '--preserve-credentials', ...command];
  }

  /** Runs a shell's text to its end. */
  run(text: string): CommandOutcome {
    const [program = '', ...words] = this.inside(['sh', '-c', text]);
    const { status, stdout, stderr } = spawnSync(program, words, { encoding: 'utf8', timeout: 60_000 });
    return { status, stdout, stderr };
  }
}
