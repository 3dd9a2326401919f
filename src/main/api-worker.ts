/**
 * Builds the api worker: the operator's listener on its real adapters.
 */
import { Api } from '../api/index.ts';
import { LIMITS } from '../base/index.ts';
import { MeshBus } from '../bus/index.ts';
import { HttpServer } from '../net/index.ts';
import { systemClock, systemTimers } from '../system/index.ts';
import type { WorkerDoors } from './worker-doors.ts';
import type { WorkerRole } from './worker-duties.ts';

/** Builds the role; it is ready when this resolves. */
export async function buildApiWorker({ init, logger, meter }: WorkerDoors): Promise<WorkerRole> {
  const bus = new MeshBus({
    self: { slot: init.slot, run: init.run },
    kind: 'api',
    meshPath: init.meshPath,
    clock: systemClock,
    timers: systemTimers,
    logger,
    meter: meter.meter,
  });
  await bus.listen();
  const api = new Api({
    init,
    bus,
    logger,
    meter: meter.meter,
    snapshot: meter.snapshot,
    createServer: (handlers) =>
      new HttpServer({
        limits: { ...init.config.limits, headerLinesMax: LIMITS.headerLinesMax },
        slowClient: init.config.slowClient,
        idleTimeoutMs: 0,
        ping: { intervalMs: 0, timeoutMs: 0 },
        clock: systemClock,
        timers: systemTimers,
        logger,
        handlers,
      }),
  });
  return {
    listen: (_listener, handle) => api.listen(handle),
    unlisten: () => api.unlisten(),
    peers: (peers, ended) => {
      bus.peers(peers);
      api.peers(peers, ended);
    },
    grant: (mode) => api.grant(mode),
    health: (health) => api.health(health),
    drain: async (timeoutMs) => {
      await api.drain(timeoutMs);
      return { connectionsClosed: 0, closeCallbacksGivenUp: 0 };
    },
    supervisorLost: () => api.drain(0),
  };
}
