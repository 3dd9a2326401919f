/**
 * What a node answers to its operator's commands, one entry a command, and where it hears them.
 */
import { failed, type Logger, ok } from '../base/index.ts';
import { type ControlHandlers, serveControl } from '../process/index.ts';
import { readWatchOrder, type Supervisor } from '../supervisor/index.ts';
import { systemTimers } from '../system/index.ts';

/** What the answers are made of. */
export interface ControlSubject {
  readonly supervisor: Supervisor;
  readonly name: string;
  readonly processId: number;
  /** The file that a reload reads; null: the node has none. */
  readonly configFile: string | null;
}

/** Serves the commands to one node; resolves with the way to end that. */
export async function openControl(
  path: string,
  subject: ControlSubject,
  logger: Logger,
): Promise<() => void> {
  const served = await serveControl({ path, handlers: controlHandlers(subject), timers: systemTimers });
  if (served.ok) return () => served.value.close();
  // Signals still reach a node without it, and its clients do not need it at all.
  logger.warn({ code: served.error.code }, served.error.message);
  return () => {};
}

function controlHandlers({ supervisor, ...about }: ControlSubject): ControlHandlers {
  return {
    reload: async () => ok(await supervisor.reload()),
    watch: async (given) => {
      const order = readWatchOrder(given);
      return order === null ? failed('not a key and a time') : supervisor.watch(order);
    },
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
