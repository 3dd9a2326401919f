/**
 * What the fields of safe calls may hold: each is looked at before anybody believes it.
 *
 * A field that does not fit makes the whole call unreadable; `Misfit` says which one, and is caught
 * by the codec that asked. Nothing here knows which call has which fields.
 */
import { PEER_LIMITS } from '../base/index.ts';
import type { KnownKinds } from '../consensus/index.ts';

/** A field that is not what it has to be. */
export class Misfit extends Error {}

/** The fields of one JSON object, as `JSON.parse` made it. */
export class Fields {
  readonly #values: Readonly<Record<string, unknown>>;

  constructor(value: unknown, place: string) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) misfit(place, 'an object');
    this.#values = value as Readonly<Record<string, unknown>>;
  }

  /** The object under `name`. */
  object(name: string): Fields {
    return new Fields(this.#get(name), name);
  }

  /** True when the field is there and not null. */
  has(name: string): boolean {
    return (this.#get(name) ?? null) !== null;
  }

  /** A whole number from 0 to `max`. */
  whole(name: string, max: number = Number.MAX_SAFE_INTEGER): number {
    const value = this.#get(name);
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0 || value > max) {
      misfit(name, `a whole number from 0 to ${max}`);
    }
    return value;
  }

  /** The same, or null. */
  wholeOrNull(name: string): number | null {
    return this.has(name) ? this.whole(name) : null;
  }

  /** A ballot. */
  ballot(name: string): number {
    return this.whole(name, PEER_LIMITS.ballotMax);
  }

  /** Any number, with a fraction; null stands for endless, which JSON cannot write. */
  number(name: string): number {
    const value = this.#get(name);
    if (value === null) return Number.POSITIVE_INFINITY;
    if (typeof value !== 'number' || !Number.isFinite(value)) misfit(name, 'a number');
    return value;
  }

  /** `true` or `false`. */
  bool(name: string): boolean {
    const value = this.#get(name);
    if (typeof value !== 'boolean') misfit(name, 'true or false');
    return value;
  }

  /** A text of at most `max` characters. */
  text(name: string, max: number): string {
    const value = this.#get(name);
    if (typeof value !== 'string' || value.length > max) misfit(name, `a text of at most ${max} characters`);
    return value;
  }

  /** A short text that names something. */
  id(name: string): string {
    return this.text(name, PEER_LIMITS.idCharactersMax);
  }

  /** The same, or null. */
  idOrNull(name: string): string | null {
    return this.has(name) ? this.id(name) : null;
  }

  /** The address in an object with the one field `Addr`. */
  address(name: string): string {
    const address = this.object(name).text('Addr', PEER_LIMITS.nameCharactersMax);
    if (address === '') misfit(name, 'an address');
    return address;
  }

  /** A list of at most `max` values. */
  list(name: string, max: number): readonly unknown[] {
    const value = this.#get(name);
    if (!Array.isArray(value) || value.length > max) misfit(name, `a list of at most ${max}`);
    return value;
  }

  /** Bytes in base64. */
  bytes(name: string): Uint8Array {
    return bytesOf(this.#get(name), name);
  }

  /** A list of byte strings in base64. */
  changes(name: string): Uint8Array[] {
    return this.list(name, PEER_LIMITS.changesMax).map((value) => bytesOf(value, name));
  }

  /** Kinds and the newest version of each; `last` itself, which was checked before, if they are the same. */
  knows(name: string, last?: KnownKinds): KnownKinds {
    const value = this.#get(name);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) misfit(name, 'an object');
    if (last !== undefined && isSame(value, last)) return last;
    const kinds = Object.entries(value);
    if (kinds.length > PEER_LIMITS.kindsMax) misfit(name, `at most ${PEER_LIMITS.kindsMax} kinds`);
    for (const [kind, version] of kinds) {
      const isVersion = Number.isSafeInteger(version) && version >= 0;
      if (kind.length > PEER_LIMITS.idCharactersMax || !isVersion) misfit(name, 'kinds and their versions');
    }
    return Object.fromEntries(kinds) as KnownKinds;
  }

  #get(name: string): unknown {
    return this.#values[name];
  }
}

/** Gives up on a call because of one field. */
export function misfit(field: string, wanted: string): never {
  throw new Misfit(`${field} is not ${wanted}`);
}

function isSame(value: object, last: KnownKinds): boolean {
  let unmatched = 0;
  for (const kind in last) {
    if ((value as KnownKinds)[kind] !== last[kind]) return false;
    unmatched++;
  }
  for (const _kind in value) unmatched--;
  return unmatched === 0;
}

/** Node skips what is no base64; here it is not passed over. */
function bytesOf(value: unknown, field: string): Uint8Array {
  if (typeof value !== 'string' || value.length % 4 !== 0) misfit(field, 'base64');
  const bytes = Buffer.from(value, 'base64');
  const padding = value.endsWith('==') ? 2 : value.endsWith('=') ? 1 : 0;
  if (bytes.length !== (value.length / 4) * 3 - padding) misfit(field, 'base64');
  return bytes;
}
