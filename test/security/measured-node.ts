/**
 * A node whose costs can be read: processor time and memory as the kernel counts them, bytes that
 * go out in answers, callbacks and log lines.
 *
 * Its witness receives messages all the while; what that costs is small and counts as the attack's.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';
import { ApplicationCalls } from '../conformance/application-calls.ts';
import { Witness } from '../conformance/witness.ts';
import {
  type Application,
  handshakeText,
  type NodeAddress,
  openWebSocket,
  type RunningNode,
  startApplication,
  startNode,
} from '../support/index.ts';
import { Attacker } from './attacker.ts';

/** What an attack cost a node. */
export interface Cost {
  /** Of the supervisor and all workers, on a processor. */
  readonly cpuNs: number;
  /** By how much the memory of the worker that grew most was larger at its peak than before. */
  readonly peakBytes: number;
  /** What the attacker said. */
  readonly payloadBytes: number;
  /** The same with the headers of TCP/IP. */
  readonly wireBytes: number;
  /** What the node said to anybody: the attacker, the application, the log. */
  readonly answeredBytes: number;
  readonly callbackBytes: number;
  readonly logBytes: number;
}

/** What an attack is carried out with. */
export interface Arena {
  readonly attacker: Attacker;
  readonly application: Application;
  readonly port: number;
  /** The listener of the application's calls. */
  readonly appPort: number;
}

/** Of the application's calls, on every node of these tests. */
export const TOKEN = 'a-token-that-nobody-guesses';
/** Between two messages to the witness. */
const WITNESS_PAUSE_MS = 20;

/** A running node with its application and a witness. */
export class MeasuredNode {
  readonly node: RunningNode;
  readonly application: Application;
  readonly witness: Witness;
  readonly port: number;
  readonly appPort: number;
  readonly #workers: readonly number[];

  private constructor(node: RunningNode, application: Application, witness: Witness) {
    this.node = node;
    this.application = application;
    this.witness = witness;
    this.port = node.addresses.public.port;
    this.appPort = (node.addresses.app as NodeAddress).port;
    this.#workers = node.workers();
  }

  /** One worker, so that the witness shares it with every attacker. `greeting`: before a handshake. */
  static async start(
    config: Readonly<Record<string, unknown>>,
    callbacks: readonly ('receive' | 'close')[] = ['close'],
    { greeting = '', tls }: { readonly greeting?: string; readonly tls?: ConnectionOptions } = {},
  ): Promise<MeasuredNode> {
    const application = await startApplication();
    const { connect } = application.callback;
    const chosen = callbacks.map((kind) => [kind, application.callback[kind]]);
    const node = await startNode({
      config: {
        callback: { connect, ...Object.fromEntries(chosen) },
        app: { listen: '127.0.0.1:0', token: TOKEN },
        // The witness answers no pings.
        ping: { interval: '0s' },
        ...config,
      },
    });
    const { port } = node.addresses.public;
    const witness = { port, path: '/connect?key=witness' };
    const rawRequest = greeting + handshakeText(witness);
    const client = await openWebSocket({ ...witness, rawRequest, ...(tls === undefined ? {} : { tls }) });
    const calls = new ApplicationCalls(node.addresses.app as NodeAddress, [
      'Authorization',
      `Bearer ${TOKEN}`,
    ]);
    return new MeasuredNode(node, application, new Witness(client, calls, WITNESS_PAUSE_MS));
  }

  /** Carries out an attack and tells what it cost; fails when the witness or a worker does. */
  async measure(attack: (arena: Arena) => Promise<void>): Promise<Cost> {
    const { application, port, appPort } = this;
    const attacker = new Attacker();
    const pids = [this.node.pid, ...this.#workers];
    const before = { cpuNs: cpuNs(pids), log: this.#logBytes(), callbacks: this.#callbackBytes() };
    const restingBytes = this.#workers.map((pid) => memoryBytes(pid, 'VmRSS'));
    for (const pid of this.#workers) writeFileSync(`/proc/${pid}/clear_refs`, '5');
    const heard = this.witness.hears(2);
    // A failure of the attack must not hide behind one of the witness, nor the other way round.
    heard.catch(() => undefined);
    try {
      await attack({ attacker, application, port, appPort });
      await heard;
    } finally {
      attacker.leave();
    }
    const alive = this.node.workers();
    if (alive.join() !== this.#workers.join()) throw new Error('a worker did not survive');
    const growth = this.#workers.map(
      (pid, index) => memoryBytes(pid, 'VmHWM') - (restingBytes[index] as number),
    );
    return {
      cpuNs: cpuNs(pids) - before.cpuNs,
      peakBytes: Math.max(0, ...growth),
      payloadBytes: attacker.payloadBytes,
      wireBytes: attacker.wireBytes,
      answeredBytes: attacker.answeredBytes,
      callbackBytes: this.#callbackBytes() - before.callbacks,
      logBytes: this.#logBytes() - before.log,
    };
  }

  /** Without what the witness is sent. */
  #logBytes(): number {
    const lines = this.node.log.items.filter(({ url, status }) => url !== '/send' || status !== 200);
    return lines.reduce((sum, line) => sum + JSON.stringify(line).length + 1, 0);
  }

  /** Heads and bodies, framing left out. */
  #callbackBytes(): number {
    const kinds = ['connect', 'receive', 'close'] as const;
    const calls = kinds.flatMap((kind) => this.application.calls(kind));
    return calls.reduce(
      (sum, { url, rawHeaders, body }) => sum + url.length + rawHeaders.join('..').length + body.length,
      0,
    );
  }
}

/** Time on a processor since each process began, all its threads together. */
function cpuNs(pids: readonly number[]): number {
  let sum = 0;
  for (const pid of pids) {
    for (const thread of readdirSync(`/proc/${pid}/task`)) {
      sum += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'latin1').split(' ')[0]);
    }
  }
  return sum;
}

function memoryBytes(pid: number, figure: 'VmRSS' | 'VmHWM'): number {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  return Number(new RegExp(`^${figure}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) * 1_024;
}
