/**
 * Counts latencies in buckets 3 % wide, so that a million of them a second cost next to nothing.
 *
 * Microseconds from 0 to about 70 minutes. Not a general histogram: it only ever grows and is
 * thrown away with its measurement.
 */

const STEPS_LOG2 = 5;
const STEPS = 1 << STEPS_LOG2;
const BUCKETS = STEPS * (32 - STEPS_LOG2 + 1);

/** Latencies of one measurement. */
export class LatencyHistogram {
  readonly #counts = new Uint32Array(BUCKETS);
  #total = 0;

  get total(): number {
    return this.#total;
  }

  add(latencyUs: number): void {
    const bucket = bucketOf(latencyUs);
    this.#counts[bucket] = (this.#counts[bucket] as number) + 1;
    this.#total += 1;
  }

  /** The middle of the bucket that holds the given share (0..1) of all latencies; 0 when there are none. */
  percentileUs(share: number): number {
    const rank = Math.max(1, Math.ceil(this.#total * share));
    let seen = 0;
    for (let bucket = 0; bucket < BUCKETS; bucket += 1) {
      seen += this.#counts[bucket] as number;
      if (seen >= rank) return (lowestOf(bucket) + lowestOf(bucket + 1) - 1) / 2;
    }
    return 0;
  }
}

/** Below 2 x STEPS a bucket is one microsecond wide; then each power of two has STEPS buckets. */
function bucketOf(latencyUs: number): number {
  const value = latencyUs < 0 ? 0 : Math.min(latencyUs, 0xffff_ffff) >>> 0;
  if (value < STEPS) return value;
  const exponent = 31 - Math.clz32(value) - STEPS_LOG2;
  return exponent * STEPS + (value >>> exponent);
}

function lowestOf(bucket: number): number {
  if (bucket < 2 * STEPS) return bucket;
  const exponent = Math.floor(bucket / STEPS) - 1;
  return (bucket - exponent * STEPS) * 2 ** exponent;
}
