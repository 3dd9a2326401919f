/**
 * What becomes of `Sec-WebSocket-Extensions`: offers are read strictly, one may be agreed on.
 *
 * The only extension is permessage-deflate (RFC 7692), and only in the form that needs no state
 * between messages: each is compressed alone and in one window, so that the same bytes serve
 * every client that agreed. The bytes themselves are the business of `net/`.
 */

/** One extension that a client offers, with its parameters in order; null: one without a value. */
export interface ExtensionOffer {
  readonly name: string;
  readonly parameters: readonly (readonly [name: string, value: string | null])[];
}

/** RFC 7692 7.1.2.1: no window is larger. */
const DEFLATE_WINDOW_BITS_MAX = 15;

/** Browsers send one offer, test suites half a dozen; what comes after these is not looked at. */
const OFFERS_MAX = 32;

const SPACE = /[\t ]*/y;
const TOKEN = /[!#$%&'*+\-.^_`|~0-9A-Za-z]+/y;
/** RFC 6455 9.1: what is left of a quoted value without its quotes and backslashes is a token. */
const QUOTED = /"((?:\\?[!#$%&'*+\-.^_`|~0-9A-Za-z])+)"/y;
/** RFC 7692 7.1.2: no leading zero. */
const WINDOW_BITS = /^(?:[89]|1[0-5])$/;

/** The offers of all lines together, or null when they are not written as RFC 6455 9.1 asks. */
export function readExtensionOffers(lines: readonly string[]): ExtensionOffer[] | null {
  const offers: ExtensionOffer[] = [];
  for (const line of lines) {
    const words = new Words(line);
    do {
      // An empty element is no offer (RFC 9110 5.6.1).
      if (words.ended || words.sees(',')) continue;
      const offer = readOffer(words);
      if (offer === null) return null;
      offers.push(offer);
    } while (words.takes(','));
    if (!words.ended) return null;
  }
  return offers;
}

/**
 * The first acceptable offer of permessage-deflate as `Sec-WebSocket-Extensions` of the 101 says it,
 * or null. `windowBits` is the one window in which this node compresses, 9 to 15: of the 8 that RFC
 * 7692 allows as well, zlib makes 9. An offer with a parameter that is unknown, repeated, without
 * its value or with a wrong one is declined (7.1), and so is one that asks for a smaller window.
 */
export function agreedDeflate(lines: readonly string[], windowBits: number): string | null {
  for (const offer of (readExtensionOffers(lines) ?? []).slice(0, OFFERS_MAX)) {
    const answer = answerTo(offer, windowBits);
    if (answer !== null) return answer;
  }
  return null;
}

function answerTo({ name, parameters }: ExtensionOffer, windowBits: number): string | null {
  if (name !== 'permessage-deflate') return null;
  if (new Set(parameters.map(([parameter]) => parameter)).size < parameters.length) return null;
  let tellsWindow = windowBits < DEFLATE_WINDOW_BITS_MAX;
  for (const [parameter, value] of parameters) {
    switch (parameter) {
      case 'server_no_context_takeover':
      case 'client_no_context_takeover':
        if (value !== null) return null;
        break;
      case 'server_max_window_bits':
        if (value === null || !WINDOW_BITS.test(value) || Number(value) < windowBits) return null;
        tellsWindow = true;
        break;
      case 'client_max_window_bits':
        // A hint; a client may use any window, because nothing of it is kept.
        if (value !== null && !WINDOW_BITS.test(value)) return null;
        break;
      default:
        return null;
    }
  }
  const answer = 'permessage-deflate; server_no_context_takeover; client_no_context_takeover';
  return tellsWindow ? `${answer}; server_max_window_bits=${windowBits}` : answer;
}

function readOffer(words: Words): ExtensionOffer | null {
  const name = words.match(TOKEN);
  if (name === null) return null;
  const parameters: [string, string | null][] = [];
  while (words.takes(';')) {
    const parameter = words.match(TOKEN);
    if (parameter === null) return null;
    if (!words.takes('=')) {
      parameters.push([parameter, null]);
      continue;
    }
    const value = words.match(TOKEN) ?? words.match(QUOTED)?.replaceAll('\\', '') ?? null;
    if (value === null) return null;
    parameters.push([parameter, value]);
  }
  return { name, parameters };
}

/** Walks over one line, never back. Spaces may stand between any two words (RFC 2616 2.1). */
class Words {
  readonly #line: string;
  #at = 0;

  constructor(line: string) {
    this.#line = line;
    this.#skipSpace();
  }

  get ended(): boolean {
    return this.#at === this.#line.length;
  }

  sees(separator: string): boolean {
    return this.#line[this.#at] === separator;
  }

  takes(separator: string): boolean {
    if (!this.sees(separator)) return false;
    this.#at++;
    this.#skipSpace();
    return true;
  }

  /** What `pattern` finds right here: its group if it has one, else all of it. */
  match(pattern: RegExp): string | null {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#line);
    if (found === null) return null;
    this.#at = pattern.lastIndex;
    this.#skipSpace();
    return found[1] ?? found[0];
  }

  #skipSpace(): void {
    SPACE.lastIndex = this.#at;
    SPACE.exec(this.#line);
    this.#at = SPACE.lastIndex;
  }
}
