/**
 * The load maker's process: connects clients to one server, is its application, and makes the loads
 * that it is ordered to.
 *
 * One process on one core, told what to do over IPC. Any surprise - a lost, repeated or foreign
 * message, an ended connection, a wrong answer - is reported and ends it.
 */
import { Application } from './application.ts';
import { BroadcastLoad } from './broadcast-load.ts';
import { CallbackLoad } from './callback-load.ts';
import { Crowd } from './crowd.ts';
import type { Load } from './load.ts';
import { measureLoad } from './measure-load.ts';
import { MeasuringWindow } from './measuring-window.ts';
import type { Address, MakerAnswer, Measurement, Order } from './orders.ts';
import { UnicastLoad } from './unicast-load.ts';

const application = new Application();
const crowd = new Crowd();
let address: Address = { host: '', port: 0, tls: false };

process.on('message', (order: Order) => {
  carryOut(order).then((measurement) => tell({ type: 'measured', measurement }), fail);
});
process.on('uncaughtException', fail);
process.on('disconnect', () => process.exit(0));
tell({ type: 'ready', applicationUrl: await application.listen() });

async function carryOut(order: Order): Promise<Measurement> {
  if (order.type === 'measure') return measure(order);
  const window = new MeasuringWindow(order.serverPids);
  address = order.address;
  window.open();
  const { clients: wanted, inProgress, compression } = order;
  await crowd.open({ address, wanted, inProgress, compression, window });
  return window.close();
}

async function measure(order: Extract<Order, { type: 'measure' }>): Promise<Measurement> {
  const window = new MeasuringWindow(order.serverPids);
  return measureLoad(makeLoad(order, window), window, order);
}

function makeLoad(order: Extract<Order, { type: 'measure' }>, window: MeasuringWindow): Load {
  const { inFlight } = order;
  if (order.load === 'broadcast' || order.load === 'compressed_broadcast') {
    const compressed = order.load === 'compressed_broadcast';
    return new BroadcastLoad({ crowd, window, address, publishers: inFlight, compressed });
  }
  if (order.load === 'unicast') return new UnicastLoad({ crowd, window, address, inFlight });
  return new CallbackLoad({ crowd, window, application, speakers: inFlight });
}

function tell(answer: MakerAnswer): void {
  process.send?.(answer);
}

function fail(error: Error): void {
  process.send?.({ type: 'failed', message: error.message } satisfies MakerAnswer, () => process.exit(1));
}
