import { describe, expect, it, test } from 'vitest';
import { AddressLimits, type AddressRefusal, addressGroup } from './address-limits.ts';

const OFF = { connectsPerSecond: 0, connectsBurst: 3, connectionsMax: 0, addressesMax: 10 };

describe('connects of one address', () => {
  const limits = () => new AddressLimits({ ...OFF, connectsPerSecond: 2 });

  it('may come in a burst, then at their rate', () => {
    const book = limits();
    for (let time = 0; time < 3; time++) expect(book.enter('a', 0)).toBeNull();
    expect(book.enter('a', 0)).toEqual({ limit: 'connects', leastMs: 500, spreadMs: 0 });
    expect(book.enter('a', 499)).not.toBeNull();
    expect(book.enter('a', 500)).toBeNull();
    expect(book.enter('a', 500)).not.toBeNull();
  });

  it('are not set back by refused ones', () => {
    const book = limits();
    for (let time = 0; time < 50; time++) book.enter('a', 0);
    expect(book.enter('a', 500)).toBeNull();
  });

  it('do not touch another address', () => {
    const book = limits();
    for (let time = 0; time < 9; time++) book.enter('a', 0);
    expect(book.enter('b', 0)).toBeNull();
  });

  it('say how long to wait', () => {
    const book = new AddressLimits({ ...OFF, connectsPerSecond: 0.1, connectsBurst: 1 });
    book.enter('a', 0);
    expect(book.refusalOf('a', 0)).toEqual({ limit: 'connects', leastMs: 10_000, spreadMs: 0 });
    expect(book.refusalOf('a', 7_000)).toEqual({
      limit: 'connects',
      leastMs: expect.closeTo(3_000),
      spreadMs: 0,
    });
  });

  it('send those who share an address away for one wait after the other, and forget them in time', () => {
    const book = limits();
    for (let time = 0; time < 3; time++) book.enter('a', 0);
    const spans = () => {
      const { leastMs, spreadMs } = book.enter('a', 0) as AddressRefusal;
      return [leastMs, leastMs + spreadMs];
    };
    expect([spans(), spans(), spans()]).toEqual([
      [500, 500],
      [750, 1_000],
      [1_000, 1_500],
    ]);
    expect(book.refusalOf('a', 0)).toMatchObject({ leastMs: 1_250, spreadMs: 750 });
    for (let time = 0; time < 1_000; time++) book.enter('a', 0);
    expect(spans()).toEqual([15_500, 30_500]);
    // 28 s later 56 of 60 are due again; the burst of three is let in, and the next waits for four.
    for (let time = 0; time < 3; time++) expect(book.enter('a', 28_000)).toBeNull();
    expect(book.enter('a', 28_000)).toEqual({ limit: 'connects', leastMs: 1_500, spreadMs: 1_000 });
  });

  it('can be asked about without being counted', () => {
    const book = limits();
    expect(book.refusalOf('a', 0)).toBeNull();
    for (let time = 0; time < 3; time++) {
      expect(book.refusalOf('a', 0)).toBeNull();
      book.enter('a', 0);
    }
    for (let time = 0; time < 3; time++) {
      expect(book.refusalOf('a', 100)).toEqual({ limit: 'connects', leastMs: 400, spreadMs: 0 });
    }
    expect(book.refusalOf('b', 0)).toBeNull();
    expect(book.enter('a', 500)).toBeNull();
  });

  it('are counted for a bounded number of addresses, and forgotten when it does not matter any more', () => {
    const book = limits();
    const enterAndLeave = (address: string, nowMs: number): void => {
      if (book.enter(address, nowMs) === null) book.leave(address);
    };
    for (let number = 0; number < 100; number++) enterAndLeave(`a${number}`, 0);
    expect(book.size).toBe(10);
    for (let number = 0; number < 6; number++) enterAndLeave('later', 10_000 + number);
    expect(book.size).toBe(1);
  });

  it('keep the bucket of whoever comes again and again', () => {
    const book = limits();
    for (let number = 0; number < 100; number++) {
      book.enter('busy', 0);
      book.enter(`a${number}`, 0);
    }
    expect(book.enter('busy', 0)).not.toBeNull();
  });
});

describe('connections of one address', () => {
  it('are bounded, and free again when they end', () => {
    const book = new AddressLimits({ ...OFF, connectionsMax: 2 });
    expect([book.enter('a', 0), book.enter('a', 0)]).toEqual([null, null]);
    const refusal = { limit: 'connections', leastMs: 5_000, spreadMs: 5_000 };
    expect([book.refusalOf('a', 0), book.enter('a', 0)]).toEqual([refusal, refusal]);
    expect(book.refusalOf('b', 0)).toBeNull();
    expect(book.enter('b', 0)).toBeNull();
    book.leave('a');
    expect(book.enter('a', 0)).toBeNull();
    for (const address of ['a', 'a', 'b']) book.leave(address);
    expect(book.size).toBe(0);
  });

  it('stay when the bound becomes smaller, and are counted where there was none', () => {
    const book = new AddressLimits({ ...OFF, connectsPerSecond: 9 });
    for (let time = 0; time < 3; time++) book.enter('a', 0);
    expect(book.enter('a', 0)).toMatchObject({ limit: 'connects' });
    book.replace({ ...OFF, connectionsMax: 2 });
    expect(book.enter('a', 0)).toMatchObject({ limit: 'connections' });
    book.leave('a');
    book.leave('a');
    expect(book.enter('a', 0)).toBeNull();
    book.replace(OFF);
    expect(book.enter('a', 0)).toBeNull();
    for (let time = 0; time < 3; time++) book.leave('a');
    expect(book.size).toBe(0);
  });

  it('are not left more often than entered', () => {
    expect(() => new AddressLimits({ ...OFF, connectionsMax: 2 }).leave('a')).toThrow('as often');
  });
});

test.each([
  ['192.0.2.7', '192.0.2.7'],
  ['::ffff:192.0.2.7', '192.0.2.7'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::'],
  ['2001:0DB8:0001:0002::9', '2001:db8:1:2::'],
  ['2001:db8:1:3::9', '2001:db8:1:3::'],
  ['fe80::1%eth0', 'fe80::'],
  ['unknown', 'unknown'],
  ['', null],
])('the address %s counts as %s', (address, group) => {
  expect(addressGroup(address)).toBe(group);
});
