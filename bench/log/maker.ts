/**
 * The load maker's process for the log: writes to one member as it is ordered to.
 *
 * One process on one core, told what to do over IPC. Whatever is not an acknowledgement is reported
 * and ends it.
 */
import type { Load } from '../load/load.ts';
import { measureLoad } from '../load/measure-load.ts';
import { MeasuringWindow } from '../load/measuring-window.ts';
import type { Measurement } from '../load/orders.ts';
import { CommitLoad } from './commit-load.ts';
import { GrpcLoad } from './grpc-load.ts';
import type { CommitAnswer, CommitOrder } from './orders.ts';

process.on('message', (order: CommitOrder) => {
  measure(order).then((measurement) => tell({ type: 'measured', measurement }), fail);
});
process.on('uncaughtException', fail);
process.on('disconnect', () => process.exit(0));

async function measure(order: CommitOrder): Promise<Measurement> {
  const window = new MeasuringWindow(order.serverPids);
  return measureLoad(makeLoad(order, window), window, order);
}

function makeLoad(order: CommitOrder, window: MeasuringWindow): Load {
  const { address, protocol, inFlight } = order;
  if (protocol === 'etcd_grpc') return new GrpcLoad({ window, address, inFlight });
  return new CommitLoad({ window, address, protocol, inFlight });
}

function tell(answer: CommitAnswer): void {
  process.send?.(answer);
}

function fail(error: Error): void {
  process.send?.({ type: 'failed', message: error.message } satisfies CommitAnswer, () => process.exit(1));
}
