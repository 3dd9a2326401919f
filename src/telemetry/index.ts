/** Logs and metrics: pino and prom-client behind the doors of `base/ports.ts`. */
export { createLogger, type LogRules, type LogSeverity, type LogSink, type ProcessLogger } from './logger.ts';
export {
  createMeter,
  METRICS_CONTENT_TYPE,
  type MetricsSnapshot,
  type ProcessMeter,
  renderSnapshots,
} from './meter.ts';
