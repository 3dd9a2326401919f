/** New certificates are taken over when they fit; a pair that does not is told once. */
import { describe, expect, test } from 'vitest';
import { CollectedLog } from '../../test/fakes/collected-log.ts';
import { FakeTime } from '../../test/fakes/fake-time.ts';
import { LIMITS } from '../base/index.ts';
import type { TlsMaterial } from '../config/index.ts';
import type { TlsReading } from '../net/index.ts';
import { TlsReloads } from './tls-reloads.ts';

const material = (cert: string): TlsMaterial => ({
  certificates: [{ cert, key: 'k', passphrase: null }],
  clientCa: null,
});
const good = (cert: string): TlsReading => ({
  material: material(cert),
  facts: [{ names: [], expiresAtMs: 0 }],
  problems: [],
  warnings: ['it is odd'],
});
const BAD: TlsReading = { material: null, facts: [], problems: ['the key does not fit'], warnings: [] };
const TRIES = LIMITS.tlsFilesSettleMs / LIMITS.tlsFilesPeriodMs;

function setUp() {
  const time = new FakeTime();
  const log = new CollectedLog();
  const outcomes: string[] = [];
  const shown = {
    material: material('first'),
    replaceMaterial(next: TlsMaterial) {
      this.material = next;
    },
  };
  let onDisk = good('first');
  const reloads = new TlsReloads({
    identity: shown,
    read: () => onDisk,
    clock: time,
    logger: log,
    reloaded: (outcome) => outcomes.push(outcome),
  });
  return {
    outcomes,
    log,
    cert: () => shown.material.certificates[0]?.cert,
    /** Files become what `reading` says. */
    change: (reading: TlsReading) => {
      onDisk = reading;
      time.advance(LIMITS.tlsFilesPeriodMs);
      reloads.looked(true);
    },
    wait: (looks: number) => {
      for (let look = 0; look < looks; look++) {
        time.advance(LIMITS.tlsFilesPeriodMs);
        reloads.looked(false);
      }
    },
  };
}

describe('TlsReloads', () => {
  test('says nothing about files that are what is shown', () => {
    const { change, outcomes, log } = setUp();
    change(good('first'));
    expect([outcomes, log.lines]).toEqual([[], []]);
  });

  test('takes a new certificate over, with its warnings', () => {
    const { change, outcomes, log, cert } = setUp();
    change(good('second'));
    expect([cert(), outcomes]).toEqual(['second', ['ok']]);
    expect(log.lines.map(({ level }) => level)).toEqual(['info', 'warn']);
  });

  test('waits for a key that comes after its certificate', () => {
    const { change, wait, outcomes, log, cert } = setUp();
    change(BAD);
    wait(1);
    expect(cert()).toBe('first');
    change(good('second'));
    wait(10);
    expect([cert(), outcomes]).toEqual(['second', ['ok']]);
    expect(log.lines.filter(({ level }) => level === 'error')).toEqual([]);
  });

  test('tells of a pair that stays broken, once, and takes the next good one', () => {
    const { change, wait, outcomes, log, cert } = setUp();
    change(BAD);
    wait(Math.ceil(TRIES) + 20);
    expect([cert(), outcomes]).toEqual(['first', ['failed']]);
    const errors = log.lines.filter(({ level }) => level === 'error');
    expect(errors).toHaveLength(1);
    expect(errors[0]?.fields).toMatchObject({ code: 'TLS_UNUSABLE', problems: ['the key does not fit'] });
    change(good('second'));
    wait(20);
    expect([cert(), outcomes]).toEqual(['second', ['failed', 'ok']]);
  });

  test('is calm while somebody goes on writing', () => {
    const { change, outcomes } = setUp();
    for (let write = 0; write < 50; write++) change(BAD);
    expect(outcomes).toEqual([]);
  });
});
