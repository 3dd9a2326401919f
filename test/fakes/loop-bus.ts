/**
 * Buses of several workers inside one process, moved by hand.
 *
 * Keeps the promises of `MeshBus` without sockets: every delivery waits in one queue until the
 * test lets it happen, so that a test decides who is slow, cut off or dead. Deterministic.
 */
import {
  assert,
  type Cancellable,
  failed,
  ok,
  type Result,
  type Seat,
  type Timers,
  type WorkerAddress,
  type WorkerSlot,
} from '../../src/base/index.ts';
import type {
  Bus,
  BusAnswer,
  BusFailure,
  BusHandler,
  BusMessage,
  Json,
  Reply,
  Sister,
} from '../../src/bus/index.ts';
import { NO_BYTES } from '../../src/bus/index.ts';
import { FakeTime } from './fake-time.ts';
import { seatAt, workerAt } from './worker-names.ts';

type Done = (answer: Result<BusAnswer, BusFailure>) => void;

/** Something that happens at `to` because of `from`; never, if one of the two runs ends before. */
interface Delivery {
  readonly from: LoopBus;
  readonly to: LoopBus;
  readonly happen: () => void;
}

interface Question {
  readonly seat: Seat;
  readonly message: BusMessage;
  /** Null as long as it waits for somebody to be asked. */
  target: LoopBus | null;
  readonly finish: Done;
}

/** A worker: a slot of the one node, or a whole address. */
type Worker = WorkerSlot | WorkerAddress;
/** A seat, named likewise. */
type Place = WorkerSlot | Seat;

function seatIn(place: Place): Seat {
  return typeof place === 'number' ? seatAt(place) : place;
}

/** Deliveries without end are a bug of what is tested. */
const STEPS_MAX = 1_000_000;

/** The network between the buses of one test. */
export class LoopNetwork {
  readonly #timers: Timers;
  #buses = new Map<string, LoopBus>();
  #up = new Map<Seat, LoopBus>();
  #deliveries: Delivery[] = [];
  #held = new Set<string>();

  /** `timers` decides when questions are overdue; by default nobody's patience ends. */
  constructor(timers: Timers = new FakeTime()) {
    this.#timers = timers;
  }

  /** The bus of a run; the same one each time. It hears and reaches others once it is up. */
  bus(place: Worker, run = 1): LoopBus {
    const self = typeof place === 'number' ? workerAt(place, run) : place;
    const name = `${self.seat}.${self.epoch}.${self.run}`;
    const bus = this.#buses.get(name) ?? new LoopBus(this, this.#timers, self);
    this.#buses.set(name, bus);
    return bus;
  }

  /** Connects a run with all that are up; an earlier run of its slot ends. */
  up(place: Worker, run = 1): LoopBus {
    const bus = this.bus(place, run);
    const { seat } = bus.self;
    if (this.#up.get(seat) === bus) return bus;
    this.down(seat);
    const others = [...this.#up.values()];
    this.#up.set(seat, bus);
    for (const other of others) {
      this.post({ from: bus, to: other, happen: () => other.sisterUp(bus) });
      this.post({ from: other, to: bus, happen: () => bus.sisterUp(other) });
    }
    return bus;
  }

  /** Ends the run in `slot` as a kill does: what was under way from it or to it never arrives. */
  down(place: Place): void {
    const bus = this.#up.get(seatIn(place));
    if (bus === undefined) return;
    this.#up.delete(seatIn(place));
    this.#deliveries = this.#deliveries.filter((delivery) => delivery.from !== bus && delivery.to !== bus);
    for (const other of this.#up.values()) {
      this.#deliveries.push({ from: other, to: other, happen: () => other.sisterDown(bus) });
    }
  }

  /**
   * Breaks the link between two slots: what is under way between them is lost, both notice, and they
   * meet again as soon as deliveries go on.
   */
  cut(left: Place, right: Place): void {
    const [one, other] = [this.#up.get(seatIn(left)), this.#up.get(seatIn(right))];
    if (one === undefined || other === undefined || one === other) return;
    this.#deliveries = this.#deliveries.filter(
      ({ from, to }) => !(from === one && to === other) && !(from === other && to === one),
    );
    one.sisterDown(other);
    other.sisterDown(one);
    this.post({ from: other, to: one, happen: () => one.sisterUp(other) });
    this.post({ from: one, to: other, happen: () => other.sisterUp(one) });
  }

  /** Keeps what one slot sends to another on its way until `release`. */
  hold(from: Place, to: Place): void {
    this.#held.add(`${seatIn(from)}>${seatIn(to)}`);
  }

  /** Lets it go on. */
  release(from: Place, to: Place): void {
    this.#held.delete(`${seatIn(from)}>${seatIn(to)}`);
  }

  /** Lets the oldest delivery happen that nobody holds; false when there is none. */
  step(): boolean {
    const index = this.#deliveries.findIndex(
      ({ from, to }) => !this.#held.has(`${from.self.seat}>${to.self.seat}`),
    );
    if (index < 0) return false;
    const [delivery] = this.#deliveries.splice(index, 1);
    delivery?.happen();
    return true;
  }

  /** Steps until nothing is under way; returns the number of steps. */
  runAll(): number {
    let steps = 0;
    for (; this.step(); steps++) assert(steps < STEPS_MAX, 'deliveries come to an end');
    return steps;
  }

  /** Puts a delivery on its way; for the buses of this file. */
  post(delivery: Delivery): void {
    this.#deliveries.push(delivery);
  }

  /** The bus that is up in `slot`; for the buses of this file. */
  at(seat: Seat): LoopBus | undefined {
    return this.#up.get(seat);
  }
}

/** One worker's place on a `LoopNetwork`. */
export class LoopBus implements Bus {
  readonly self: Sister;
  readonly #network: LoopNetwork;
  readonly #timers: Timers;
  #handlers = new Map<string, BusHandler>();
  #upListeners: ((sister: Sister) => void)[] = [];
  #downListeners: ((sister: Sister) => void)[] = [];
  /** Sisters whose coming up has been delivered. */
  #linked = new Map<Seat, LoopBus>();
  #questions = new Set<Question>();

  constructor(network: LoopNetwork, timers: Timers, self: Sister) {
    this.#network = network;
    this.#timers = timers;
    this.self = self;
  }

  sisters(): readonly Sister[] {
    const sisters = [this.self, ...[...this.#linked.values()].map((bus) => bus.self)];
    return sisters.sort((left, right) => left.slot - right.slot);
  }

  ask(seat: Seat, message: BusMessage, timeoutMs: number, done: Done): void {
    let overdue: Cancellable | null = null;
    const question: Question = {
      seat,
      message: copyMessage(message),
      target: null,
      finish: (answer) => {
        if (!this.#questions.delete(question)) return;
        overdue?.cancel();
        done(answer);
      },
    };
    this.#questions.add(question);
    overdue = this.#timers.after(timeoutMs, () => {
      question.finish(failed(question.target === null ? 'unreachable' : 'timeout'));
    });
    const target = seat === this.self.seat ? this : this.#linked.get(seat);
    if (target !== undefined) this.#send(question, target);
  }

  tell(seat: Seat, message: BusMessage): void {
    const to = seat === this.self.seat ? this : this.#linked.get(seat);
    if (to === undefined || (to !== this && this.#network.at(seat) !== to)) return;
    const copy = copyMessage(message);
    const happen = () => to.#handlers.get(copy.kind)?.(this.self, copy, () => {});
    this.#network.post({ from: this, to, happen });
  }

  handle(kind: string, handler: BusHandler): void {
    assert(!this.#handlers.has(kind), 'a kind of message has one handler');
    this.#handlers.set(kind, handler);
  }

  onSisterUp(listener: (sister: Sister) => void): void {
    this.#upListeners.push(listener);
  }

  onSisterDown(listener: (sister: Sister) => void): void {
    this.#downListeners.push(listener);
  }

  /** Called by the network when the link to `bus` is up. */
  sisterUp(bus: LoopBus): void {
    const earlier = this.#linked.get(bus.self.seat);
    if (earlier !== undefined && earlier !== bus) this.sisterDown(earlier);
    this.#linked.set(bus.self.seat, bus);
    for (const question of this.#questions) {
      if (question.seat === bus.self.seat && question.target === null) this.#send(question, bus);
    }
    for (const listener of this.#upListeners) listener(bus.self);
  }

  /** Called by the network when the run of `bus` is over. */
  sisterDown(bus: LoopBus): void {
    if (this.#linked.get(bus.self.seat) !== bus) return;
    this.#linked.delete(bus.self.seat);
    for (const listener of this.#downListeners) listener(bus.self);
    for (const question of [...this.#questions]) {
      if (question.target === bus) question.finish(failed('unreachable'));
    }
  }

  #send(question: Question, target: LoopBus): void {
    question.target = target;
    if (target !== this && this.#network.at(question.seat) !== target) return;
    this.#network.post({ from: this, to: target, happen: () => target.#answer(this, question) });
  }

  #answer(asker: LoopBus, { message, finish }: Question): void {
    const handler = this.#handlers.get(message.kind);
    const post = (answer: Result<BusAnswer, BusFailure>) => {
      // Nothing leaves a run that is over; the asker hears of its end instead.
      if (asker !== this && this.#network.at(this.self.seat) !== this) return;
      this.#network.post({ from: this, to: asker, happen: () => finish(answer) });
    };
    if (handler === undefined) return post(failed('unreachable'));
    let replied = false;
    const reply: Reply = (facts, bytes = NO_BYTES) => {
      assert(!replied, 'a question is answered once');
      replied = true;
      post(ok({ facts: copyFacts(facts), bytes: bytes.slice() }));
    };
    handler(asker.self, message, reply);
  }
}

function copyMessage({ kind, facts, bytes }: BusMessage): BusMessage {
  return { kind, facts: copyFacts(facts), bytes: bytes.slice() };
}

/** What a link would make of facts: references do not survive it. */
function copyFacts(facts: Json): Json {
  return JSON.parse(JSON.stringify(facts)) as Json;
}
