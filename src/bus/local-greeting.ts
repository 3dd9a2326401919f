/**
 * How two workers of one node greet each other over a unix socket: a name, and a nod.
 *
 * The socket's directory is for the node's user alone, so nothing has to be proven. What has to be
 * certain is which run is at the other end: a path may by now belong to another one.
 */
import { type WorkerName, workerAddress } from '../base/index.ts';
import type { Json, Sister } from './bus.ts';
import type { DialGreeting, DialStep, Greeting, ServeGreeting, ServeStep } from './handshake.ts';

/** Names this worker to one run of a sister. */
export class LocalDialGreeting implements DialGreeting {
  readonly #greeting: Greeting;

  constructor(greeting: Greeting) {
    this.#greeting = greeting;
  }

  begin(): Json {
    return this.#greeting as unknown as Json;
  }

  receive(): DialStep {
    return { type: 'up', sister: this.#greeting.to };
  }
}

/** Hears who dials; whether it may stay is decided elsewhere. */
export class LocalServeGreeting implements ServeGreeting {
  receive(facts: Json): ServeStep {
    const greeting = readGreeting(facts);
    if (greeting === null) return { type: 'refused', fault: 'its first frame was no greeting' };
    return { type: 'greeted', greeting, facts: null };
  }
}

/** Reads the facts of a hello; null when they are none. */
function readGreeting(facts: Json): Greeting | null {
  const greeting = facts as unknown as Partial<Greeting> | null;
  if (typeof greeting !== 'object' || greeting === null) return null;
  const { kind } = greeting;
  if (kind !== 'gateway' && kind !== 'api') return null;
  const [from, to] = [readAddress(greeting.from), readAddress(greeting.to)];
  return from === null || to === null ? null : { from, kind, to };
}

/** Its seat is put together here and not believed. */
function readAddress(value: Partial<WorkerName> | undefined): Sister | null {
  if (typeof value?.node !== 'string') return null;
  const { node, epoch, slot, run } = value as WorkerName;
  return [epoch, slot, run].every(Number.isInteger) ? workerAddress({ node, epoch, slot, run }) : null;
}
