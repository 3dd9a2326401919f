/**
 * The module that every worker process runs; the supervisor's first message says as what.
 *
 * Wires this process to its duties: its channel, its signals, its failures, its exit.
 */
import { LiveConfig } from '../config/index.ts';
import { openWorkerChannel, type WorkerInit } from '../process/index.ts';
import { onSignals, systemTimers } from '../system/index.ts';
import { createLogger, createMeter, type ProcessLogger } from '../telemetry/index.ts';
import { buildApiWorker } from './api-worker.ts';
import { buildGatewayWorker } from './gateway-worker.ts';
import { logRules } from './log-rules.ts';
import { WorkerDuties, type WorkerRole } from './worker-duties.ts';
import { workerName } from './worker-name.ts';

let logs: ProcessLogger | null = null;

const channel = openWorkerChannel();
const duties = new WorkerDuties({
  channel,
  timers: systemTimers,
  build,
  exit: (exitCode) => {
    logs?.flush();
    process.exit(exitCode);
  },
  note: (failure, message) => {
    if (logs !== null) logs.logger.error({ failure }, message);
    else process.stderr.write(`${message}: ${failure instanceof Error ? failure.stack : failure}\n`);
  },
});

// A terminal's interrupt and its end reach the whole process group; what a worker does about them is
// the supervisor's decision, which comes as a message.
onSignals({ stop: () => {}, hup: () => {} });
// Unhandled rejections arrive here too.
process.on('uncaughtException', (failure) => duties.fatal(failure));

function build(init: WorkerInit): Promise<WorkerRole> {
  const worker = workerName(init);
  process.title = `arrokoth ${worker}`;
  const made = createLogger({
    ...logRules(init.config),
    base: { node: init.nodeName, worker, run: init.run },
  });
  logs = made;
  const live = new LiveConfig({ ...init.config, endpoint: init.endpoint });
  live.onChange((now) => made.adjust(logRules(now)));
  const doors = { init, live, channel, logger: made.logger, meter: createMeter({ worker }) };
  return init.kind === 'gateway' ? buildGatewayWorker(doors) : buildApiWorker(doors);
}
