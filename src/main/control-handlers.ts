/**
 * What a node answers to its operator's commands, one entry a command.
 */
import { ok } from '../base/index.ts';
import type { ControlHandlers } from '../process/index.ts';
import type { Supervisor } from '../supervisor/index.ts';

/** What the answers are made of. */
export interface ControlSubject {
  readonly supervisor: Supervisor;
  readonly name: string;
  readonly processId: number;
  /** The file that a reload reads; null: the node has none. */
  readonly configFile: string | null;
}

/** The handlers of one node. */
export function controlHandlers({ supervisor, ...about }: ControlSubject): ControlHandlers {
  return {
    reload: async () => ok(await supervisor.reload()),
    status: async () => {
      const { phase, workers } = supervisor.status();
      return ok({
        ...about,
        phase,
        workers: workers.map(({ kind, slot, run }) => ({ kind, slot, run })),
      });
    },
  };
}
