/**
 * The time in which a load is counted: a warm-up that is not, then the window.
 *
 * Loads run on through both and stop sending afterwards; what is still under way then must arrive,
 * but is not counted.
 */
import { cpuSeconds } from './cpu-time.ts';
import { LatencyHistogram } from './latency-histogram.ts';
import type { Measurement } from './orders.ts';

/** One measurement under way. */
export class MeasuringWindow {
  readonly #histogram = new LatencyHistogram();
  readonly #serverPids: readonly number[];
  #open = false;
  #startedMs = 0;
  #makerCpuUs = 0;
  #serverCpuS = 0;

  constructor(serverPids: readonly number[]) {
    this.#serverPids = serverPids;
  }

  /** Counts one delivery, if the window is open. */
  count(latencyMs: number): void {
    if (this.#open) this.#histogram.add(latencyMs * 1_000);
  }

  open(): void {
    this.#open = true;
    this.#serverCpuS = cpuSeconds(this.#serverPids);
    this.#makerCpuUs = makerCpuUs();
    this.#startedMs = performance.now();
  }

  close(): Measurement {
    const elapsedS = (performance.now() - this.#startedMs) / 1_000;
    this.#open = false;
    return {
      perSecond: this.#histogram.total / elapsedS,
      p50Us: this.#histogram.percentileUs(0.5),
      p99Us: this.#histogram.percentileUs(0.99),
      makerIdle: Math.max(0, 1 - (makerCpuUs() - this.#makerCpuUs) / 1e6 / elapsedS),
      serverBusy: (cpuSeconds(this.#serverPids) - this.#serverCpuS) / elapsedS,
    };
  }
}

function makerCpuUs(): number {
  const usage = process.cpuUsage();
  return usage.user + usage.system;
}
