/**
 * A real cluster in `interop` with a peer of the original in it, whose state must follow fail-overs.
 *
 * Keys are overwritten again and again, so that a change that was applied twice, late or out of order
 * shows as an old value.
 */
import { cleanUpAfterwards, KvCluster } from '../support/index.ts';
import { KeyValues } from './key-values.ts';
import { LegacyServer } from './legacy-server.ts';

/** Of the one foreign peer; ours have the numbers before it. */
const HOST = '127.0.0.9';
/** A committed entry reaches a foreign peer within this time, a fail-over included. */
const FOLLOWS_MS = 15_000;
const KEYS = 7;

/** A peer of the original on a port, inside the test's own process: it remembers nothing anyway. */
export class ForeignPeer {
  readonly #values = new KeyValues();
  readonly #server: LegacyServer;

  constructor(place: { readonly cluster: string; readonly host: string; readonly port: number }) {
    this.#server = new LegacyServer({ ...place, application: this.#values });
    cleanUpAfterwards(() => this.#server.close());
  }

  /** What it has applied. */
  get values(): Readonly<Record<string, string>> {
    return this.#values.toObject();
  }

  async listen(): Promise<void> {
    await this.#server.listen();
  }

  /** False: it was not taken; the original's client is told no more than that. */
  submit(key: string, value: string): Promise<boolean> {
    const taken = this.#server.submit(KeyValues.add(key, value));
    return taken.then(
      () => true,
      () => false,
    );
  }
}

/** Starts three nodes of ours and invites a peer of the original. */
export async function startWithForeignPeer(): Promise<{
  readonly cluster: KvCluster;
  readonly foreign: ForeignPeer;
}> {
  const cluster = await KvCluster.start({
    flags: ['-mode', 'interop'],
    invited: (port) => [`${HOST}:${port}`],
  });
  const foreign = new ForeignPeer({ cluster: 'c', host: HOST, port: cluster.port });
  await foreign.listen();
  return { cluster, foreign };
}

/** Kills the master `count` times; after each, the foreign peer ends up with the cluster's state. */
export async function failOversWithForeignPeer(
  cluster: KvCluster,
  foreign: ForeignPeer,
  count: number,
): Promise<void> {
  let written = 0;
  const write = async (): Promise<void> => {
    written += 1;
    await cluster.put(`key-${written % KEYS}`, String(written));
  };
  await follows(cluster, foreign);
  for (let turn = 1; turn <= count; turn += 1) {
    for (let number = 0; number < 5; number += 1) await write();
    const master = await cluster.master();
    const under = [write(), write(), write()];
    await master.kill();
    await Promise.all(under);
    await follows(cluster, foreign);
    await submitsToo(cluster, foreign, `foreign-${turn}`);
    master.start();
    await cluster.current(master);
  }
  await follows(cluster, foreign);
}

/** Waits until the peer has applied what the master has. */
async function follows(cluster: KvCluster, foreign: ForeignPeer): Promise<void> {
  await cluster.until(
    'the same state at the foreign peer',
    async () => {
      const master = await cluster.master();
      return sameState(await master.read(), foreign.values) ? true : null;
    },
    FOLLOWS_MS,
  );
}

/** What the peer submits arrives, once it has learned who the master is. */
async function submitsToo(cluster: KvCluster, foreign: ForeignPeer, key: string): Promise<void> {
  await cluster.until('a submission of the foreign peer', async () =>
    (await foreign.submit(key, 'theirs')) ? true : null,
  );
  cluster.acknowledged.set(key, 'theirs');
  await follows(cluster, foreign);
}

function sameState(
  left: Readonly<Record<string, string>> | null,
  right: Readonly<Record<string, string>>,
): boolean {
  const text = (state: Readonly<Record<string, string>>): string =>
    JSON.stringify(Object.entries(state).sort());
  return left !== null && text(left) === text(right);
}
