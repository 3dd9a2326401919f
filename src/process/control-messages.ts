/**
 * What an operator's command line and a running node say to each other over the control socket.
 *
 * One request and one answer a connection, each one line of JSON. Types only; `control-socket.ts`
 * carries them, the supervisor's process answers. A new command is a line in `ControlCommands` and
 * its handler in `main/control-handlers.ts`.
 */

/** What became of a wish to read the configuration again. Names keys, never values. */
export interface ReloadReport {
  /** `refused`: nothing has changed. `unchanged`: nothing could be applied now. */
  readonly result: 'applied' | 'unchanged' | 'refused';
  /** Names of keys, such as `callback.connect`, whose new values are in force. */
  readonly applied: readonly string[];
  /** Names of keys that differ from what is in force until the node is started again. */
  readonly restart: readonly string[];
  /** Why it was refused: one line a problem, with file, line and key where they are known. */
  readonly problems: readonly string[];
  /** What an operator should know about the file, refused or not. */
  readonly warnings: readonly string[];
  /** Workers that did not say in time that they have taken it over; they do when they can. */
  readonly late: readonly string[];
}

/** What a node says about itself. */
export interface NodeStatus {
  readonly name: string;
  readonly processId: number;
  /** `serving` between the start and the end; the supervisor's words for what comes before and after. */
  readonly phase: string;
  /** The file that a reload reads; null: the node was started without one. */
  readonly configFile: string | null;
  /** Those that are ready. */
  readonly workers: readonly { readonly kind: string; readonly slot: number; readonly run: number }[];
}

/** A session key whose steps are to be logged. */
export interface WatchOrder {
  readonly key: string;
  /** For how long from now on; 0: no longer. At most `LIMITS.watchMaxMs`. */
  readonly forMs: number;
}

/** What is watched after an order. */
export interface WatchReport {
  readonly watched: readonly { readonly key: string; readonly forMs: number }[];
}

/** Command -> what it is given and what it answers. */
export interface ControlCommands {
  reload: { readonly given: null; readonly answer: ReloadReport };
  watch: { readonly given: WatchOrder; readonly answer: WatchReport };
  status: { readonly given: null; readonly answer: NodeStatus };
}

/** The name of a command. */
export type ControlCommand = keyof ControlCommands;
