/**
 * What a node speaks TLS with, in the process that starts workers: the files at the start, and keys
 * for tickets.
 *
 * It keeps the last files that were good: a worker that is replaced while somebody writes a new
 * certificate begins with those, and not not at all. Handshakes are the workers' business.
 */
import { ArrokothError, failed, ok, type Random, type Result } from '../base/index.ts';
import type { TlsConfig, TlsMaterial } from '../config/index.ts';
import { type FileReading, readTlsMaterial } from '../net/index.ts';
import type { WorkerTls } from '../process/index.ts';

/** What it is made with. */
export interface NodeTlsDoors {
  readonly readFile: (path: string) => FileReading;
  readonly random: Random;
  /** Milliseconds since 1970. */
  readonly wallMs: () => number;
}

/** Bytes that node:tls takes for the keys of tickets. */
const TICKET_KEY_BYTES = 48;

/** The secrets of one node. */
export class NodeTls {
  readonly #config: TlsConfig;
  readonly #doors: NodeTlsDoors;
  #material: TlsMaterial;
  #ticketKeys: string;

  private constructor(config: TlsConfig, doors: NodeTlsDoors, material: TlsMaterial) {
    this.#config = config;
    this.#doors = doors;
    this.#material = material;
    this.#ticketKeys = drawKeys(doors.random);
  }

  /** Reads the files for the first time; null where TLS is off, a failure where they cannot be used. */
  static open(
    config: TlsConfig | null,
    doors: NodeTlsDoors,
  ): Result<{ readonly tls: NodeTls | null; readonly warnings: readonly string[] }, ArrokothError> {
    if (config === null) return ok({ tls: null, warnings: [] });
    const { material, problems, warnings } = readTlsMaterial(config, doors.readFile, doors.wallMs());
    if (material === null) return failed(new ArrokothError('TLS_UNUSABLE', `${problems.join('; ')}.`));
    return ok({ tls: new NodeTls(config, doors, material), warnings });
  }

  /** For a worker that begins: the files as they are now, or as they were when they were last good. */
  forWorker(): WorkerTls {
    const { material } = readTlsMaterial(this.#config, this.#doors.readFile, this.#doors.wallMs());
    this.#material = material ?? this.#material;
    return { material: this.#material, ticketKeys: this.#ticketKeys };
  }

  nextTicketKeys(): string {
    this.#ticketKeys = drawKeys(this.#doors.random);
    return this.#ticketKeys;
  }
}

function drawKeys(random: Random): string {
  return Buffer.from(random.bytes(TICKET_KEY_BYTES)).toString('base64');
}
