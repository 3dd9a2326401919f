/**
 * Nodes with real listeners on the loopback for the tests of this room, and what they were told.
 *
 * A node keeps what arrived; a test answers by hand or lets `answers` do it. Everything ends with
 * the test.
 */
import { CollectedLog } from '../../../test/fakes/collected-log.ts';
import { FakeTime } from '../../../test/fakes/fake-time.ts';
import { AwaitedList, cleanUpAfterwards } from '../../../test/support/index.ts';
import type { Meter } from '../../base/index.ts';
import type { MemberName, Message, Sender } from '../../consensus/index.ts';
import { bindTcp } from '../../process/index.ts';
import { systemClock, systemRandom, systemTimers } from '../../system/index.ts';
import {
  ClusterPeers,
  type ForeignAnswer,
  type ForeignCall,
  type MasterOutcome,
  type MasterRequest,
  PeerListener,
  type PeerListenerOptions,
} from '../index.ts';

/** A message and who sent it. */
export interface Received {
  readonly from: MemberName;
  readonly message: Message;
}

/** A node of the cluster `c`, and what it was told. */
export interface TestPeer {
  readonly name: MemberName;
  readonly port: number;
  readonly listener: PeerListener;
  readonly peers: ClusterPeers;
  readonly log: CollectedLog;
  readonly meter: CountingMeter;
  readonly received: AwaitedList<Received>;
  readonly foreign: AwaitedList<{ call: ForeignCall; reply: (answer: ForeignAnswer) => void }>;
  readonly asked: AwaitedList<{ request: MasterRequest; reply: (outcome: MasterOutcome) => void }>;
  readonly spokeForeign: AwaitedList<MemberName>;
  readonly doors: Pick<PeerListenerOptions, 'clock' | 'timers' | 'random' | 'logger' | 'meter'>;
  readonly time: FakeTime | null;
}

/** What a test may want otherwise. */
export interface TestPeerWish extends Partial<PeerListenerOptions> {
  readonly scheme?: 'http' | 'https';
  readonly host?: string;
  /** True: time stands still, until the test moves it. */
  readonly fakeTime?: boolean;
}

/** A sender as most tests want it. */
export const SENDER: Sender = {
  ...{ incarnation: 'inc', storage: 'disk', run: 7, knows: { kv: 1 }, muted: false },
};

/** Keeps what counters were told. */
export class CountingMeter implements Meter {
  readonly heads: { name: string; help: string; type: string }[] = [];
  readonly counts = new Map<string, number>();
  readonly gauges = new Map<string, () => number>();

  counter({ name, help }: { name: string; help: string }) {
    this.heads.push({ name, help, type: 'counter' });
    return {
      add: (amount: number, labels: Readonly<Record<string, string>> = {}) => {
        const key = [name, ...Object.values(labels)].join(' ');
        this.counts.set(key, (this.counts.get(key) ?? 0) + amount);
      },
    };
  }

  histogram(): { observe(): void } {
    return { observe: () => {} };
  }

  observed({ name, help, type }: { name: string; help: string; type: string }, read: () => number): void {
    this.heads.push({ name, help, type });
    this.gauges.set(name, read);
  }

  observedEach(): void {}
}

/** Starts a node; `wish` replaces the defaults one by one. */
export async function startPeer(wish: TestPeerWish = {}): Promise<TestPeer> {
  const { scheme = 'http', host = '127.0.0.1', fakeTime = false, ...options } = wish;
  const bound = await bindTcp({ host, port: 0 });
  if (!bound.ok) throw bound.error;
  const [log, meter] = [new CollectedLog(), new CountingMeter()];
  const time = fakeTime ? new FakeTime() : null;
  const [clock, timers] = [time ?? systemClock, time ?? systemTimers];
  const doors = { clock, timers, random: systemRandom, logger: log, meter };
  const listener = new PeerListener({ secrets: [], ...doors, ...options });
  listener.listen(bound.value.handle);
  const name = `${scheme}://${bound.value.address}`;
  const lists = {
    received: new AwaitedList<Received>('messages'),
    foreign: new AwaitedList<TestPeer['foreign'] extends AwaitedList<infer Call> ? Call : never>(
      'foreign calls',
    ),
    asked: new AwaitedList<TestPeer['asked'] extends AwaitedList<infer Ask> ? Ask : never>('wishes'),
    spokeForeign: new AwaitedList<MemberName>('foreign members'),
  };
  const opened = ClusterPeers.open({
    ...{ identity: { cluster: 'c', name, knows: { kv: 1 } }, server: listener.server },
    ...{ tls: listener.tls ?? null, ...doors },
    events: {
      receive: (from, message) => lists.received.push({ from, message }),
      foreign: (call, reply) => lists.foreign.push({ call, reply }),
      asked: (request, reply) => lists.asked.push({ request, reply }),
      spokeForeign: (member) => lists.spokeForeign.push(member),
    },
  });
  if (!opened.ok) throw new Error(opened.error);
  const port = bound.value.port as number;
  const peer: TestPeer = { name, port, listener, peers: opened.value, log, meter, ...lists, doors, time };
  cleanUpAfterwards(async () => {
    opened.value.close();
    await listener.close(0);
    bound.value.close();
  });
  return peer;
}
