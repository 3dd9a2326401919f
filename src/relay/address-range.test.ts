/** Addresses and ranges as people and programs write them. */
import { describe, expect, it } from 'vitest';
import { formatAddress, isInRange, parseAddress, parseRange } from './address-range.ts';

const format = (text: string) => {
  const address = parseAddress(text);
  return address === null ? null : formatAddress(address);
};

describe('parseAddress', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['0.0.0.0', '0.0.0.0'],
    ['::', '::'],
    ['::1', '::1'],
    ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['1::', '1::'],
    ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0'],
    ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
    ['fe80::1%eth0', 'fe80::1'],
  ])('reads %s', (text, written) => {
    expect(format(text)).toBe(written);
  });

  it.each(['::ffff:192.0.2.1', '::ffff:c000:201', '0:0:0:0:0:FFFF:192.0.2.1'])(
    'takes %s for the IPv4 address that it is',
    (text) => {
      expect(format(text)).toBe('192.0.2.1');
    },
  );

  it.each([
    ...[
      '',
      ' ',
      'localhost',
      '1.2.3',
      '1.2.3.4.5',
      '256.1.1.1',
      '01.2.3.4',
      '1.2.3.4 ',
      '-1.2.3.4',
      '1..2.3',
    ],
    ...[':', ':::', '1::2::3', '1:2:3:4:5:6:7', '1:2:3:4:5:6:7:8:9', '1:2:3:4:5:6:7:8::', '12345::', 'g::'],
    ...['::1.2.3', '1.2.3.4::', '::1.2.3.4:1', ':1::', '1:', '1.2.3.4%eth0', '::1%', `::1%${'x'.repeat(80)}`],
  ])('does not read %j', (text) => {
    expect(parseAddress(text)).toBeNull();
  });
});

describe('parseRange', () => {
  const holds = (range: string, text: string) => {
    const parsed = parseRange(range);
    if (!parsed.ok) throw new Error(parsed.error);
    return isInRange(parsed.value, parseAddress(text) ?? []);
  };

  it.each([
    ['10.0.0.0/8', '10.255.255.255', '11.0.0.0'],
    ['192.0.2.128/25', '192.0.2.128', '192.0.2.127'],
    ['192.0.2.1', '192.0.2.1', '192.0.2.0'],
    ['192.0.2.1/32', '::ffff:192.0.2.1', '192.0.2.3'],
    ['::ffff:10.0.0.0/104', '10.1.2.3', '11.1.2.3'],
    ['0.0.0.0/0', '203.0.113.7', '2001:db8::1'],
    ['::/0', '2001:db8::1', '203.0.113.7'],
    ['2001:db8::/33', '2001:db8:7fff::', '2001:db8:8000::'],
    ['::1', '::1', '::2'],
  ])('%s holds %s and not %s', (range, inside, outside) => {
    expect([holds(range, inside), holds(range, outside)]).toEqual([true, false]);
  });

  it.each([
    ['', 'it is not an IP address'],
    ['proxy.example', 'it is not an IP address'],
    ['fe80::1%eth0', 'it is not an IP address'],
    ['10.0.0.0/33', 'what follows the slash is not a number from 0 to 32'],
    ['10.0.0.0/', 'what follows the slash is not a number from 0 to 32'],
    ['10.0.0.0/8/8', 'what follows the slash is not a number from 0 to 32'],
    ['2001:db8::/129', 'what follows the slash is not a number from 0 to 128'],
    ['::ffff:10.0.0.0/8', 'what follows the slash is not a number from 96 to 128'],
    ['10.1.0.0/8', 'it has bits behind its prefix; 10.0.0.0/8 would be a range'],
    ['2001:db8::1/32', 'it has bits behind its prefix; 2001:db8::/32 would be a range'],
  ])('refuses %j: %s', (text, error) => {
    expect(parseRange(text)).toEqual({ ok: false, error });
  });
});
