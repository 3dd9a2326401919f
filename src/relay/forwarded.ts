/**
 * Who a request comes from, when proxies stand between: whose `X-Forwarded-*` is believed, and what
 * the application is told.
 *
 * What a trusted proxy says is believed, one hop at a time from the nearest on; what anybody else
 * says is thrown away. The application gets three headers, all of them ours, and the first address
 * in `X-Forwarded-For` is the client's. Without the key `trusted_proxies` nothing of this happens,
 * and the client's headers pass as they are, as in kuiperbelt.
 */
import { failed, ok, type Result } from '../base/index.ts';
import {
  type AddressRange,
  formatAddress,
  type IpAddress,
  isInRange,
  parseAddress,
  parseRange,
} from './address-range.ts';
import { comparableName } from './callbacks/header-lines.ts';
import type { ClientTls } from './connect/client-certificate.ts';

/** What is looked at. */
export interface ForwardedFacts {
  /** Address of the peer of the socket; empty for a unix socket. */
  readonly remoteAddress: string;
  /** What TLS showed of the peer; null: its connection to this node is not TLS. */
  readonly tls: ClientTls | null;
  header(name: string): string | undefined;
  headerLines(name: string): readonly string[];
}

/** Who a request comes from, as far as that can be believed. */
export interface RequestOrigin {
  /** The client's address, or `unknown`. */
  readonly address: string;
  /** The host that the client asked for. */
  readonly host: string | undefined;
  /** Whether the client is known to speak TLS: to this node, or to a proxy that is believed. */
  readonly secure: boolean;
  /** Name, value, name, value: what replaces the client's own lines; null: those pass as they are. */
  readonly lines: readonly string[] | null;
}

/** Stands for a client whose address nobody knows, as in RFC 7239. */
export const UNKNOWN_ADDRESS = 'unknown';
/** The word for peers of a unix socket in `trusted_proxies`. */
const UNIX = 'unix';

/** More proxies than this are a mistake, or an attempt to make us read for long. */
const HOPS_MAX = 32;
const HOST = /^[\w.:[\]-]{1,255}$/;
/** Some proxies add the port of the client, which is of no use to anybody. */
const WITH_PORT = /^(?:\[([^\]]*)\]|([^:]*))(?::\d{1,5})?$/;
const SCHEMES = new Map<string, 'http' | 'https'>([
  ['http', 'http'],
  ['https', 'https'],
  ['ws', 'http'],
  ['wss', 'https'],
]);
/** Other headers that say who a client is. Nobody could tell whether a proxy wrote or only passed them. */
const OTHER_NAMES = new Set(['forwarded', 'x-real-ip']);

/** Whether a client's header line tells about proxies; the rule takes such lines away. */
export function isForwardedName(name: string): boolean {
  const comparable = comparableName(name);
  return comparable.startsWith('x-forwarded-') || OTHER_NAMES.has(comparable);
}

/** One entry of `trusted_proxies`. The failure says what is wrong with it. */
export function checkTrustedProxy(text: string): Result<string, string> {
  if (text === UNIX) return ok(text);
  const range = parseRange(text);
  return range.ok ? ok(text) : failed(range.error);
}

/** The proxies that are believed. */
export class TrustedProxies {
  readonly #ranges: AddressRange[] = [];
  readonly #unix: boolean;

  /** Entries that `checkTrustedProxy` would refuse trust nobody. */
  constructor(entries: readonly string[]) {
    this.#unix = entries.includes(UNIX);
    for (const entry of entries) {
      const range = parseRange(entry);
      if (range.ok) this.#ranges.push(range.value);
    }
  }

  /** `peer`: the text of an address, empty for a unix socket. */
  trusts(peer: string): boolean {
    if (peer === '') return this.#unix;
    const address = parseAddress(peer);
    return address !== null && this.holds(address);
  }

  holds(address: IpAddress): boolean {
    return this.#ranges.some((range) => isInRange(range, address));
  }
}

/** Reads where requests come from, by one configuration. */
export class ForwardedRule {
  #trusted: TrustedProxies | null = null;

  /** `trusted` null: everything passes as it is. */
  constructor(trusted: readonly string[] | null) {
    this.replace(trusted);
  }

  /** From now on these are trusted, and nobody else. */
  replace(trusted: readonly string[] | null): void {
    this.#trusted = trusted === null ? null : new TrustedProxies(trusted);
  }

  read(request: ForwardedFacts): RequestOrigin {
    const host = request.header('host');
    const { remoteAddress } = request;
    const secure = request.tls !== null;
    if (this.#trusted === null) return { address: remoteAddress, host, secure, lines: null };
    const peer = plainAddress(remoteAddress);
    const own = secure ? 'https' : 'http';
    if (!this.#trusted.trusts(remoteAddress)) return origin([peer], own, host);
    const hops = [...believedHops(this.#trusted, request.headerLines('x-forwarded-for')), peer];
    const scheme = SCHEMES.get(lastElement(request.headerLines('x-forwarded-proto')).toLowerCase());
    const askedFor = lastElement(request.headerLines('x-forwarded-host'));
    return origin(hops, scheme ?? own, HOST.test(askedFor) ? askedFor : host);
  }
}

function origin(hops: readonly string[], scheme: 'http' | 'https', host: string | undefined): RequestOrigin {
  const lines = ['X-Forwarded-For', hops.join(', '), 'X-Forwarded-Proto', scheme];
  if (host !== undefined && HOST.test(host)) lines.push('X-Forwarded-Host', host);
  return { address: hops[0] as string, host, secure: scheme === 'https', lines };
}

function plainAddress(text: string): string {
  const address = parseAddress(text);
  return address === null ? UNKNOWN_ADDRESS : formatAddress(address);
}

/**
 * From the client to the proxy before the peer. Read from the right, where each hop was written
 * down by the one behind it, up to the first that nobody vouches for: what is left of that is
 * hearsay. Empty when the peer says nothing, and then the peer itself is the client.
 */
function believedHops(trusted: TrustedProxies, lines: readonly string[]): string[] {
  const hops: string[] = [];
  for (const element of elementsFromRight(lines)) {
    const address = hops.length < HOPS_MAX ? hopAddress(element) : null;
    hops.unshift(address === null ? UNKNOWN_ADDRESS : formatAddress(address));
    if (address === null || !trusted.holds(address)) break;
  }
  return hops;
}

/** One by one: whoever is behind a proxy can write a megabyte of elements that nobody has to read. */
function* elementsFromRight(lines: readonly string[]): Generator<string> {
  for (let at = lines.length - 1; at >= 0; at--) {
    const line = lines[at] as string;
    for (let end = line.length; end >= 0; ) {
      const comma = end === 0 ? -1 : line.lastIndexOf(',', end - 1);
      const element = line.slice(comma + 1, end).trim();
      if (element !== '') yield element;
      end = comma;
    }
  }
}

function hopAddress(text: string): IpAddress | null {
  const whole = parseAddress(text);
  if (whole !== null) return whole;
  const match = WITH_PORT.exec(text);
  return match === null ? null : parseAddress(match[1] ?? match[2] ?? '');
}

/** What the nearest proxy said, where several have added to a line. */
function lastElement(lines: readonly string[]): string {
  const line = lines.at(-1) ?? '';
  return line.slice(line.lastIndexOf(',') + 1).trim();
}
