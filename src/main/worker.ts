/**
 * The module that every worker process runs; the supervisor's first message says as what.
 *
 * Wires this process to its duties: its channel, its signals, its failures, its exit.
 */
import { openWorkerChannel, type WorkerInit } from '../process/index.ts';
import { onSignals, systemTimers } from '../system/index.ts';
import { createLogger, createMeter, type ProcessLogger } from '../telemetry/index.ts';
import { buildApiWorker } from './api-worker.ts';
import { buildGatewayWorker } from './gateway-worker.ts';
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

// A terminal's interrupt reaches the whole process group; when a worker ends is the supervisor's
// decision, which comes as a message.
onSignals({ stop: () => {} });
// Unhandled rejections arrive here too.
process.on('uncaughtException', (failure) => duties.fatal(failure));

function build(init: WorkerInit): Promise<WorkerRole> {
  const worker = workerName(init);
  process.title = `arrokoth ${worker}`;
  logs = createLogger({
    level: init.config.log.level,
    base: { node: init.nodeName, worker, run: init.run },
    showSecrets: init.config.log.headers,
  });
  const doors = { init, channel, logger: logs.logger, meter: createMeter({ worker }) };
  return init.kind === 'gateway' ? buildGatewayWorker(doors) : buildApiWorker(doors);
}
