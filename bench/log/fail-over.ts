/**
 * How long a cluster accepts no writes after its master was killed with signal 9.
 *
 * A client that does not know who is next asks both survivors, again and again, and does not wait
 * for one answer before it asks the next time: a server that lets a question hang costs nobody more
 * than one that refuses it at once. What counts is the first acknowledgement of a write that was
 * sent after the kill.
 */
import { HttpCaller } from '../load/http-caller.ts';
import type { Address } from '../load/orders.ts';
import type { LogPeer } from './log-peer.ts';
import type { RunningCluster } from './running-cluster.ts';
import { isAcknowledged, writeRequest } from './writes.ts';

/** How often each survivor is asked. */
const ASK_MS = 10;
/** No cluster may take longer; it has lost its majority or its wits. */
const GIVE_UP_MS = 30_000;

/** Kills the master, returns the milliseconds until a write was acknowledged, and brings it back. */
export async function failOver(cluster: RunningCluster): Promise<number> {
  const master = await cluster.master();
  const survivors = cluster.members.filter((member) => member !== master);
  const asker = new Asker(
    cluster.peer,
    survivors.map(({ address }) => address),
  );
  process.kill(master.process.pid as number, 'SIGKILL');
  const ms = await asker.untilAcknowledged();
  await cluster.restart(master);
  return ms;
}

/** Asks for writes until one is acknowledged; then ends all its connections. */
class Asker {
  readonly #peer: LogPeer;
  readonly #survivors: readonly Address[];
  readonly #callers = new Set<HttpCaller>();
  /** Connections whose last question was answered, for each survivor. */
  readonly #idle: HttpCaller[][];

  constructor(peer: LogPeer, survivors: readonly Address[]) {
    this.#peer = peer;
    this.#survivors = survivors;
    this.#idle = survivors.map(() => []);
  }

  untilAcknowledged(): Promise<number> {
    const startedMs = performance.now();
    return new Promise<number>((resolve, reject) => {
      const acknowledged = (): void => finish(() => resolve(performance.now() - startedMs));
      const timer = setInterval(() => {
        if (performance.now() - startedMs > GIVE_UP_MS)
          finish(() => reject(new Error(`${this.#peer.name}: no write within ${GIVE_UP_MS} ms of a kill`)));
        else for (let index = 0; index < this.#survivors.length; index += 1) this.#ask(index, acknowledged);
      }, ASK_MS);
      const finish = (settle: () => void): void => {
        clearInterval(timer);
        for (const caller of this.#callers) caller.close();
        settle();
      };
    });
  }

  #ask(index: number, acknowledged: () => void): void {
    const address = this.#survivors[index] as Address;
    const caller = this.#idle[index]?.pop() ?? this.#dial(index, address, acknowledged);
    caller.post(writeRequest(this.#peer.protocol, `${address.host}:${address.port}`));
  }

  #dial(index: number, address: Address, acknowledged: () => void): HttpCaller {
    let granted = false;
    const caller: HttpCaller = new HttpCaller(
      address,
      () => {
        if (granted) acknowledged();
        else this.#idle[index]?.push(caller);
      },
      (head, body) => {
        granted = isAcknowledged(this.#peer.protocol, head, body);
        return true;
      },
    );
    this.#callers.add(caller);
    return caller;
  }
}
