/**
 * IP addresses and ranges of them (CIDR), as plain text in and plain numbers inside.
 *
 * An IPv4 address inside IPv6 (`::ffff:192.0.2.1`) is the IPv4 address, whoever writes it: a socket
 * that listens on both kinds shows its peers that way. Names are never resolved.
 */
import { failed, ok, type Result } from '../base/index.ts';

/** An address: four numbers below 2^8, or eight below 2^16. */
export type IpAddress = readonly number[];

/** The addresses whose first `bits` are those of `base`. */
export interface AddressRange {
  readonly base: IpAddress;
  readonly bits: number;
}

const BYTE = /^(?:0|[1-9]\d{0,2})$/;
const GROUP = /^[\da-f]{1,4}$/i;
const PREFIX = /^(?:0|[1-9]\d{0,2})$/;
/** The longest text of an address, with room for a zone. */
const TEXT_LENGTH_MAX = 64;
const GROUPS = 8;
const MAPPED_BITS = 96;

/** Reads an address; null when `text` is none. A zone (`fe80::1%eth0`) is dropped. */
export function parseAddress(text: string): IpAddress | null {
  if (text.length > TEXT_LENGTH_MAX) return null;
  if (!text.includes(':')) return parseV4(text);
  const [address = '', zone] = text.split('%', 2);
  const groups = zone === '' ? null : parseV6(address);
  if (groups === null) return null;
  return isMapped(groups) ? bytesOf(groups.slice(6)) : groups;
}

/** The one way to write an address (RFC 5952). */
export function formatAddress(address: IpAddress): string {
  if (address.length === 4) return address.join('.');
  const words = address.map((group) => group.toString(16));
  const { start, length } = longestZeros(address);
  if (length < 2) return words.join(':');
  return `${words.slice(0, start).join(':')}::${words.slice(start + length).join(':')}`;
}

/** Reads `192.0.2.0/24`, `2001:db8::/32` or a single address. The failure says what is wrong. */
export function parseRange(text: string): Result<AddressRange, string> {
  const slash = text.indexOf('/');
  const [host, prefix] = slash < 0 ? [text, null] : [text.slice(0, slash), text.slice(slash + 1)];
  const base = host.includes('%') ? null : parseAddress(host);
  if (base === null) return failed('it is not an IP address');
  const width = bitsOf(base);
  // Written as IPv6, the range of a mapped address counts 96 bits more.
  const offset = width === 32 && host.includes(':') ? MAPPED_BITS : 0;
  if (prefix === null) return ok({ base, bits: width });
  const bits = PREFIX.test(prefix) ? Number(prefix) - offset : Number.NaN;
  if (!(bits >= 0 && bits <= width)) {
    return failed(`what follows the slash is not a number from ${offset} to ${offset + width}`);
  }
  const first = masked(base, bits);
  if (formatAddress(first) !== formatAddress(base)) {
    return failed(`it has bits behind its prefix; ${formatAddress(first)}/${bits} would be a range`);
  }
  return ok({ base, bits });
}

/** Whether `range` holds `address`; a range of one kind never holds an address of the other. */
export function isInRange({ base, bits }: AddressRange, address: IpAddress): boolean {
  if (address.length !== base.length) return false;
  const width = address.length === 4 ? 8 : 16;
  for (let at = 0, left = bits; left > 0; at++, left -= width) {
    const unused = Math.max(0, width - left);
    if ((address[at] as number) >> unused !== (base[at] as number) >> unused) return false;
  }
  return true;
}

function parseV4(text: string): number[] | null {
  const parts = text.split('.', 5);
  if (parts.length !== 4 || !parts.every((part) => BYTE.test(part) && Number(part) < 256)) return null;
  return parts.map(Number);
}

function parseV6(text: string): number[] | null {
  const halves = text.split('::', 3);
  if (halves.length > 2) return null;
  const head = readGroups(halves[0] as string, halves.length === 1);
  const tail = halves.length === 2 ? readGroups(halves[1] as string, true) : [];
  if (head === null || tail === null) return null;
  const missing = GROUPS - head.length - tail.length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) return null;
  return [...head, ...new Array<number>(missing).fill(0), ...tail];
}

/** The groups of one side of `::`; the last of an address may be written as IPv4. */
function readGroups(text: string, endsAddress: boolean): number[] | null {
  if (text === '') return [];
  const words = text.split(':', GROUPS + 1);
  const groups: number[] = [];
  for (const [at, word] of words.entries()) {
    if (GROUP.test(word)) groups.push(Number.parseInt(word, 16));
    else {
      const bytes = endsAddress && at === words.length - 1 ? parseV4(word) : null;
      if (bytes === null) return null;
      const [a, b, c, d] = bytes as [number, number, number, number];
      groups.push(a * 256 + b, c * 256 + d);
    }
  }
  return groups;
}

function isMapped(groups: IpAddress): boolean {
  return groups[5] === 0xffff && groups.slice(0, 5).every((group) => group === 0);
}

function bytesOf(groups: IpAddress): number[] {
  return groups.flatMap((group) => [group >> 8, group & 0xff]);
}

function bitsOf(address: IpAddress): number {
  return address.length === 4 ? 32 : 128;
}

/** `address` with everything behind its first `bits` set to zero. */
function masked(address: IpAddress, bits: number): number[] {
  const width = address.length === 4 ? 8 : 16;
  return address.map((part, at) => {
    const unused = Math.min(width, Math.max(0, (at + 1) * width - bits));
    return (part >> unused) << unused;
  });
}

function longestZeros(groups: IpAddress): { start: number; length: number } {
  let longest = { start: 0, length: 0 };
  for (let start = 0; start < groups.length; start++) {
    let length = 0;
    while (groups[start + length] === 0) length++;
    if (length > longest.length) longest = { start, length };
  }
  return longest;
}
