/**
 * The figures by which a process knows that it has too much to do: lag, heap, descriptors.
 *
 * Cheap enough to be read twice a second with tens of thousands of sockets open; what they mean is
 * decided in `relay/overload.ts`.
 */
import { readdir, statSync } from 'node:fs';
import { type IntervalHistogram, monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';
import type { Vitals } from '../relay/index.ts';

/** What the descriptors are counted against. */
export interface WatchedVitals {
  /** How many may be open; null: they are not counted. */
  readonly descriptorsMax: () => number | null;
  /** How many of those that are open do not count. */
  readonly descriptorsExcepted: () => number;
}

/** How often the event loop is asked; what it is late by is measured against this. */
const LAG_RESOLUTION_MS = 20;
const NANOSECONDS = 1e6;
const DESCRIPTORS_FOLDER = '/proc/self/fd';
/** Listing tens of thousands of descriptors takes milliseconds, so that it is done seldom. */
const LISTING_PERIOD_MS = 10_000;

/** Starts to measure; each call of the result tells the figures since the one before. */
export function watchVitals(watched: WatchedVitals): () => Vitals {
  const delays = monitorEventLoopDelay({ resolution: LAG_RESOLUTION_MS });
  delays.enable();
  const count = descriptorCounter();
  return () => {
    const heap = getHeapStatistics();
    const descriptorsMax = watched.descriptorsMax();
    const descriptors = descriptorsMax === null ? null : count();
    return {
      lagMs: readLag(delays),
      // What waits for slow clients is in buffers, which V8 keeps beside its heap.
      heapBytes: heap.used_heap_size + heap.external_memory,
      heapBytesMax: heap.heap_size_limit,
      descriptors: descriptors === null ? null : Math.max(0, descriptors - watched.descriptorsExcepted()),
      descriptorsMax,
    };
  };
}

/** The middle of all delays: half of the turns were this late or later. */
function readLag(delays: IntervalHistogram): number {
  const delayMs = delays.count === 0 ? 0 : delays.percentile(50) / NANOSECONDS;
  delays.reset();
  return Math.max(0, delayMs - LAG_RESOLUTION_MS);
}

/** Counts open descriptors, as the host allows; null while it does not. */
function descriptorCounter(): () => number | null {
  // Linux 6.2 and later tell their number as the size of the folder.
  return sizeOfFolder() === 0 ? listingCounter() : sizeOfFolder;
}

function sizeOfFolder(): number {
  return statSync(DESCRIPTORS_FOLDER, { throwIfNoEntry: false })?.size ?? 0;
}

/** Lists them now and then, beside the event loop; in between the last number counts. */
function listingCounter(): () => number | null {
  let last: number | null = null;
  let dueMs = 0;
  return () => {
    const nowMs = performance.now();
    if (nowMs >= dueMs) {
      dueMs = nowMs + LISTING_PERIOD_MS;
      readdir(DESCRIPTORS_FOLDER, (error, names) => {
        if (error === null) last = names.length;
      });
    }
    return last;
  };
}
