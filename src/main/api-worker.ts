/**
 * Builds the api worker: the operator's listener on its real adapters.
 */
import { Api } from '../api/index.ts';
import { workerAddress } from '../base/index.ts';
import { MeshBus } from '../bus/index.ts';
import { HttpServer } from '../net/index.ts';
import { canOpen, systemClock, systemTimers } from '../system/index.ts';
import { returningListeners } from './listener-returns.ts';
import { serverRules } from './server-rules.ts';
import { readVersion } from './version.ts';
import type { WorkerDoors } from './worker-doors.ts';
import type { WorkerRole } from './worker-duties.ts';
import { openWorkerTls } from './worker-tls.ts';

/** Builds the role; it is ready when this resolves. */
export async function buildApiWorker(doors: WorkerDoors): Promise<WorkerRole> {
  const { init, live, logger, meter, channel } = doors;
  const tls = live.current.api.tls ? openWorkerTls(doors) : null;
  const bus = new MeshBus({
    self: workerAddress({ node: init.nodeName, epoch: 0, slot: init.slot, run: init.run }),
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
    live,
    clock: systemClock,
    bus,
    logger,
    meter: meter.meter,
    snapshot: meter.snapshot,
    timers: systemTimers,
    operate: (message) => channel.send(message),
    version: readVersion(),
    createServer: (handlers) => {
      const tools = { clock: systemClock, timers: systemTimers, logger, tls: tls?.callers ?? null };
      const rules = serverRules(live.current, 'api');
      const server = new HttpServer({ ...rules, ...tools, lowerCase: true, handlers });
      live.onChange((now) => server.adjust(serverRules(now, 'api')));
      return server;
    },
  });
  return {
    ...returningListeners(
      { channel, timers: systemTimers, logger, canOpen },
      { listen: (_listener, handle) => api.listen(handle), unlisten: () => api.unlisten() },
    ),
    peers: (peers, ended) => {
      bus.peers(peers);
      api.peers(peers, ended);
    },
    grant: (granted) => api.grant(granted),
    cluster: (index, snapshot) => api.cluster(index, snapshot),
    changes: (index, changes) => api.changes(index, changes),
    bulletins: (self, nodes) => api.bulletins(self, nodes),
    operated: (id, outcome) => api.operated(id, outcome),
    health: (health) => api.health(health),
    reload: (settings) => live.replace(settings),
    reloads: (counts) => api.reloads(counts),
    ticketKeys: (ticketKeys) => tls?.replaceTicketKeys(ticketKeys),
    drain: async (timeoutMs) => {
      await api.drain(timeoutMs);
      return { connectionsClosed: 0, closeCallbacksGivenUp: 0 };
    },
    supervisorLost: () => api.drain(0),
  };
}
