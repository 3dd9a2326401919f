/** The real doors to time, randomness, signals and host keep the promises of `base/ports.ts`. */
import { describe, expect, test } from 'vitest';
import {
  onSignals,
  parseDescriptorsMax,
  readHost,
  systemClock,
  systemRandom,
  systemTimers,
} from './index.ts';

describe('the clock', () => {
  test('the monotonic one never goes back', () => {
    let lastMs = systemClock.monotonicMs();
    for (let count = 0; count < 1_000; count++) {
      const nowMs = systemClock.monotonicMs();
      expect(nowMs).toBeGreaterThanOrEqual(lastMs);
      lastMs = nowMs;
    }
    expect(systemClock.wallMs()).toBeGreaterThan(1_700_000_000_000);
  });
});

describe('timers', () => {
  test('run once, and not when they were cancelled', async () => {
    const ran: string[] = [];
    systemTimers.after(1, () => ran.push('cancelled')).cancel();
    await new Promise<void>((resolve) => {
      systemTimers.after(1, () => ran.push('first'));
      systemTimers.after(5, resolve);
    });
    expect(ran).toEqual(['first']);
  });

  test('a delay longer than Node can count does not run at once', async () => {
    let ran = false;
    const long = systemTimers.after(2 ** 40, () => {
      ran = true;
    });
    await new Promise<void>((resolve) => systemTimers.after(5, resolve));
    long.cancel();
    expect(ran).toBe(false);
  });

  test('an interval runs until it is cancelled', async () => {
    let count = 0;
    await new Promise<void>((resolve) => {
      const interval = systemTimers.every(1, () => {
        count++;
        if (count < 3) return;
        interval.cancel();
        systemTimers.after(5, resolve);
      });
    });
    expect(count).toBe(3);
  });

  test('ends of one turn run in order, later ones a turn later', async () => {
    const ran: string[] = [];
    await new Promise<void>((resolve) => {
      systemTimers.endOfTurn(() => {
        ran.push('first');
        systemTimers.endOfTurn(() => {
          ran.push('next turn');
          resolve();
        });
      });
      systemTimers.endOfTurn(() => ran.push('second'));
    });
    expect(ran).toEqual(['first', 'second', 'next turn']);
  });
});

describe('randomness', () => {
  test('bytes are fresh, and a later draw leaves them alone', () => {
    const first = systemRandom.bytes(16);
    const copy = first.slice();
    const seen = new Set<string>();
    for (let count = 0; count < 2_000; count++) seen.add(Buffer.from(systemRandom.bytes(16)).toString('hex'));
    expect(seen.size).toBe(2_000);
    expect(first).toEqual(copy);
    expect(systemRandom.bytes(20_000)).toHaveLength(20_000);
  });

  test('fractions are in [0, 1)', () => {
    for (let count = 0; count < 1_000; count++) {
      const fraction = systemRandom.fraction();
      expect(fraction >= 0 && fraction < 1).toBe(true);
    }
  });
});

describe('the host', () => {
  test('the limit of descriptors is read from the words of the kernel', () => {
    const line = (soft: string): string =>
      `Limit  Soft Limit\nMax open files            ${soft}    524288    files \n`;
    expect(parseDescriptorsMax(line('20000'))).toBe(20_000);
    expect(parseDescriptorsMax(line('unlimited'))).toBe(Number.POSITIVE_INFINITY);
    expect(parseDescriptorsMax('something else')).toBe(null);
  });

  test('has a name, memory and processors', () => {
    const host = readHost();
    expect(host.hostname).not.toBe('');
    expect(host.memoryBytes).toBeGreaterThan(0);
    expect(host.processors).toBeGreaterThan(0);
    expect(host.processId).toBe(process.pid);
  });
});

describe('signals', () => {
  test('each one is told, until cancelled', async () => {
    const told: string[] = [];
    const next = (): Promise<void> => new Promise((resolve) => process.once('SIGHUP', () => resolve()));
    const listening = onSignals({ stop: (signal) => told.push(signal), hup: () => told.push('SIGHUP') });
    process.emit('SIGTERM', 'SIGTERM');
    process.emit('SIGINT', 'SIGINT');
    const arrived = next();
    process.kill(process.pid, 'SIGHUP');
    await arrived;
    listening.cancel();
    expect(told).toEqual(['SIGTERM', 'SIGINT', 'SIGHUP']);
    expect(process.listeners('SIGHUP')).toHaveLength(0);
  });
});
