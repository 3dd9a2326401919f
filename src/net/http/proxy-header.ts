/**
 * Reads the header that a proxy in TCP mode puts before everything else: PROXY protocol, version 1
 * (a line of text) and version 2 (binary), as haproxy.org describes them.
 *
 * Bytes in, verdict out; no sockets. It keeps at most one line, whatever comes and however it is
 * cut, and gives up at the first byte that cannot be right. Destinations and TLVs are skipped.
 */
import { isIPv4, isIPv6 } from 'node:net';

/** What stands before the client's own bytes. */
export type ProxyHeader =
  | { readonly type: 'incomplete' }
  | { readonly type: 'malformed' }
  /**
   * `source`: the client's address; null when the proxy speaks for itself; `unknown` when the
   * client has none. `byteLength`: how much of the last chunk belongs to the header.
   */
  | { readonly type: 'complete'; readonly source: string | null; readonly byteLength: number };

const INCOMPLETE: ProxyHeader = { type: 'incomplete' };
const MALFORMED: ProxyHeader = { type: 'malformed' };

const V1_START = Buffer.from('PROXY ', 'latin1');
const V2_START = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
/** The longest line of version 1, line end included. */
const V1_BYTES_MAX = 107;
const V2_FIXED_BYTES = 16;
/** A connection without an address of its own: a unix socket behind the proxy, or something unheard of. */
const UNKNOWN = 'unknown';
/** Addresses take 216 bytes at most; the rest is for TLVs, of which certificates are the largest. */
const V2_REST_BYTES_MAX = 4_096;
const LINE_FEED = 0x0a;

const V1_LINE = /^PROXY (TCP4|TCP6) (\S+) (\S+) (\d{1,5}) (\d{1,5})\r\n$/;
const V1_UNKNOWN = /^PROXY UNKNOWN(?: [^\r\n]*)?\r\n$/;

/** Family and transport of version 2 -> bytes of both addresses and ports. */
const V2_ADDRESS_BYTES = new Map([
  [0x00, 0],
  [0x11, 12],
  [0x12, 12],
  [0x21, 36],
  [0x22, 36],
  [0x31, 216],
  [0x32, 216],
]);

/** Reads one header, from as many chunks as it comes in. */
export class ProxyHeaderReader {
  readonly #kept = Buffer.alloc(V1_BYTES_MAX);
  /** Bytes seen so far, kept or not. */
  #seen = 0;
  #version: 0 | 1 | 2 = 0;
  /** Of version 2, once it is known: the whole header. */
  #bytes = 0;

  /** Takes the next chunk; after `complete` or `malformed` it must not be called again. */
  read(chunk: Uint8Array): ProxyHeader {
    for (let at = 0; at < chunk.length; at++) {
      if (this.#bytes > 0 && this.#seen >= this.#kept.length) {
        // Nothing that is left is of interest.
        const rest = Math.min(chunk.length - at, this.#bytes - this.#seen);
        this.#seen += rest;
        return this.#seen === this.#bytes ? this.#endOfV2(at + rest) : INCOMPLETE;
      }
      this.#kept[this.#seen++] = chunk[at] as number;
      const verdict = this.#look(at + 1);
      if (verdict !== INCOMPLETE) return verdict;
    }
    return INCOMPLETE;
  }

  #look(byteLength: number): ProxyHeader {
    const last = this.#seen - 1;
    const byte = this.#kept[last];
    if (this.#version === 0) this.#version = byte === V1_START[0] ? 1 : 2;
    if (this.#version === 1) {
      if (last < V1_START.length && byte !== V1_START[last]) return MALFORMED;
      if (byte === LINE_FEED) return this.#endOfV1(byteLength);
      return this.#seen === V1_BYTES_MAX ? MALFORMED : INCOMPLETE;
    }
    if (last < V2_START.length) return byte === V2_START[last] ? INCOMPLETE : MALFORMED;
    if (this.#seen === V2_FIXED_BYTES && !this.#readFixed()) return MALFORMED;
    return this.#seen === this.#bytes ? this.#endOfV2(byteLength) : INCOMPLETE;
  }

  #endOfV1(byteLength: number): ProxyHeader {
    const line = this.#kept.toString('latin1', 0, this.#seen);
    if (V1_UNKNOWN.test(line)) return { type: 'complete', source: UNKNOWN, byteLength };
    const [, family, source = '', destination = '', ...ports] = V1_LINE.exec(line) ?? [];
    const isAddress = family === 'TCP4' ? isIPv4 : isIPv6;
    if (family === undefined || !isAddress(source) || !isAddress(destination)) return MALFORMED;
    if (source.includes('%') || !ports.every(isPort)) return MALFORMED;
    return { type: 'complete', source, byteLength };
  }

  #readFixed(): boolean {
    const command = this.#kept[12] as number;
    const rest = this.#kept.readUInt16BE(14);
    if ((command !== 0x20 && command !== 0x21) || rest > V2_REST_BYTES_MAX) return false;
    this.#bytes = V2_FIXED_BYTES + rest;
    // Of its own connections (health checks) a proxy need not say anything.
    if (command === 0x20) return true;
    const addressBytes = V2_ADDRESS_BYTES.get(this.#kept[13] as number);
    return addressBytes !== undefined && rest >= addressBytes;
  }

  #endOfV2(byteLength: number): ProxyHeader {
    const isLocal = this.#kept[12] === 0x20;
    return { type: 'complete', source: isLocal ? null : this.#v2Source(), byteLength };
  }

  #v2Source(): string {
    const family = (this.#kept[13] as number) >> 4;
    if (family === 1) return this.#kept.subarray(16, 20).join('.');
    if (family !== 2) return UNKNOWN;
    const groups: string[] = [];
    for (let at = 16; at < 32; at += 2) groups.push(this.#kept.readUInt16BE(at).toString(16));
    return groups.join(':');
  }
}

/** Without leading zeros, as the description demands. */
function isPort(text: string): boolean {
  return Number(text) <= 65_535 && String(Number(text)) === text;
}
