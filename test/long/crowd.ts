/**
 * Many clients at once: opened with a bounded number of handshakes in progress.
 *
 * Source addresses are spread over 127.0.0.0/8, because one address has too few ports for a run
 * that opens and closes tens of thousands.
 */
import { LightClient, type LightTarget } from '../support/light-client.ts';

/** Whom to open. */
export interface CrowdOptions {
  readonly target: LightTarget;
  readonly count: number;
  /** The session key of each, which the application hands out as asked. */
  readonly key: (index: number) => string;
  readonly channels?: (index: number) => readonly string[];
  /** Handshakes in progress. */
  readonly width?: number;
}

/** Opens them all; rejects with the first refusal. */
export async function openCrowd(options: CrowdOptions): Promise<LightClient[]> {
  const { target, count, key, channels, width = 64 } = options;
  const clients: LightClient[] = new Array(count);
  await inLanes(width, count, async (index) => {
    const path = connectPath(key(index), channels?.(index));
    clients[index] = await LightClient.open({ ...target, ...spread(target, index), path });
  });
  return clients;
}

/** Path and query of a connect that the counting application understands. */
export function connectPath(key: string, channels: readonly string[] = []): string {
  const query = new URLSearchParams({ key });
  for (const channel of channels) query.append('channel', channel);
  return `/connect?${query}`;
}

/** Another source address for every so many clients; nothing for unix sockets. */
export function spread(target: LightTarget, index: number): { readonly localAddress?: string } {
  return target.socketPath === undefined ? { localAddress: `127.0.0.${2 + (index % 100)}` } : {};
}

/** Does `work` for 0 to count - 1, `width` at a time. */
export async function inLanes(
  width: number,
  count: number,
  work: (index: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: Math.min(width, count) }, lane));
}
