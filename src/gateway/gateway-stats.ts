/**
 * kuiperbelt's counters of one worker, and what is worth showing to Prometheus besides.
 *
 * Plain numbers on the hot path; they are read when somebody asks. What each counter counts is
 * specified by kuiperbelt's `/stats`.
 */
import type { Meter } from '../base/index.ts';
import type { StatsCounters } from '../process/index.ts';

/** Counts what happens on one worker. */
export class GatewayStats {
  #connections = 0;
  #totalConnections = 0;
  #totalMessages = 0;
  #connectErrors = 0;
  #messageErrors = 0;
  #pendingEvents: () => number = () => 0;
  #changed: () => void = () => {};

  constructor(meter: Meter) {
    const observed = (name: string, help: string, type: 'counter' | 'gauge', read: () => number): void =>
      meter.observed({ name: `arrokoth_${name}`, help, type }, read);
    observed(
      'connections',
      'Client connections, handshakes in progress included.',
      'gauge',
      () => this.#connections,
    );
    observed('connections_total', 'Attempts to connect.', 'counter', () => this.#totalConnections);
    observed(
      'connect_errors_total',
      'Attempts to connect that failed, refusals by 403 excepted.',
      'counter',
      () => this.#connectErrors,
    );
    observed(
      'messages_total',
      'Messages handed to connections, hellos and farewells included.',
      'counter',
      () => this.#totalMessages,
    );
    observed(
      'message_errors_total',
      'Messages that a connection did not take.',
      'counter',
      () => this.#messageErrors,
    );
    observed('close_events_pending', 'Close callbacks that are not answered yet.', 'gauge', () =>
      this.#pendingEvents(),
    );
  }

  /** `pendingEvents`: how many close callbacks are owed and not answered. */
  watchEvents(pendingEvents: () => number): void {
    this.#pendingEvents = pendingEvents;
  }

  /** `changed` is called whenever a counter has changed. */
  onChange(changed: () => void): void {
    this.#changed = changed;
  }

  connecting(): void {
    this.#connections++;
    this.#totalConnections++;
    this.#changed();
  }

  /** A connection whose attempt was given up and counted before the application said yes. */
  admittedLate(): void {
    this.#connections++;
    this.#changed();
  }

  /** A session, or an attempt that led to none, is over. */
  disconnected(): void {
    this.#connections--;
    this.#changed();
  }

  connectError(): void {
    this.#connectErrors++;
    this.#changed();
  }

  messages(count: number): void {
    this.#totalMessages += count;
    this.#changed();
  }

  messageError(): void {
    this.#messageErrors++;
    this.#changed();
  }

  get connections(): number {
    return this.#connections;
  }

  counters(): StatsCounters {
    return {
      connections: this.#connections,
      totalConnections: this.#totalConnections,
      totalMessages: this.#totalMessages,
      connectErrors: this.#connectErrors,
      messageErrors: this.#messageErrors,
      closingConnections: this.#pendingEvents(),
    };
  }
}
