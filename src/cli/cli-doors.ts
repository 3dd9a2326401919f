/**
 * What the verbs need of the world.
 *
 * Interfaces only: `main/` opens the real doors, tests open small ones. A verb never touches the
 * process: it is given words, writes words, and returns an exit code.
 */
import type { ArrokothError, Random, Result } from '../base/index.ts';
import type { Config, LoadedConfig } from '../config/index.ts';
import type { LogDisk } from '../journal/index.ts';
import type { ControlCommand, ControlCommands, ControlFailure } from '../process/index.ts';

/** Exit codes of both programs; `docs/reference/command-line.md` lists them. */
export const EXIT = { ok: 0, failed: 1, usage: 2, absent: 2 } as const;

/** A listener and where it was bound, port included. */
export interface BoundAddress {
  readonly listener: 'public' | 'app' | 'api';
  readonly address: string;
}

/** A node that has started. It hears signals by itself. */
export interface StartedNode {
  readonly name: string;
  readonly addresses: readonly BoundAddress[];
  /** Resolves with an exit code when the node has ended. */
  readonly ended: Promise<number>;
}

/** What to start: a configuration, doubts about it for the log, and where it came from. */
export interface NodeRequest extends LoadedConfig {
  /** The file, as an absolute path; null: there is none, and nothing can be reloaded. */
  readonly file: string | null;
  /** Reads it again, with whatever else the configuration is made of. The failure is one line a problem. */
  readonly reread: () => Result<LoadedConfig, readonly string[]>;
}

/** An application that was started beside a node. */
export interface StartedApplication {
  readonly url: string;
  /** Resolves when its process has ended, whoever ended it. */
  readonly ended: Promise<void>;
  /** Asks it to end, and insists after a while. */
  stop(): Promise<void>;
}

/** The doors. */
export interface CliDoors {
  readonly version: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
  /** Reads a text file; throws as the file system does. */
  readonly readText: (path: string) => string;
  /** `path` as it reads from everywhere. */
  readonly absolutePath: (path: string) => string;
  /** Where a node with that configuration, started in this folder, keeps its data; the likeliest first. */
  readonly dataDirectories: (config: Config) => readonly string[];
  /** Sends a command to the node whose data is in one of the directories. */
  readonly askNode: <Name extends ControlCommand>(
    dataDirs: readonly string[],
    command: Name,
    given: ControlCommands[Name]['given'],
  ) => Promise<Result<ControlCommands[Name]['answer'], ControlFailure>>;
  /** Looks at the files of certificates that a configuration names. */
  readonly checkTls: (config: Config) => {
    readonly problems: readonly string[];
    readonly warnings: readonly string[];
  };
  readonly startNode: (request: NodeRequest) => Promise<Result<StartedNode, ArrokothError>>;
  /** Starts the example chat application; the error is its last words. */
  readonly startApplication: (place: {
    readonly port: number;
    readonly gatewayUrl: string;
  }) => Promise<Result<StartedApplication, string>>;
  /** `port` when nobody listens there on loopback, a free one for 0, null when it is taken. */
  readonly findPort: (port: number) => Promise<number | null>;
  /** The disk that logs and their backups are on, and the numbers that a new cluster is drawn from. */
  readonly logDisk: LogDisk;
  readonly random: Random;
  /** Makes an empty directory that goes away with `remove`. */
  readonly makeTemporaryDir: () => { readonly path: string; remove(): void };
}
