/**
 * What happened, in order: a running hash of all of it, and the last events in words.
 *
 * Two runs of one seed have the same hash, or something in them was not drawn from the seed. Words
 * are made only when somebody reads them.
 */

/** Events that a failing seed prints. */
const KEPT = 50;

/** Anything that an event may carry into its line; must print alike in each run. */
export type Detail = string | number | boolean | null | undefined | object;

interface Line {
  atMs: number;
  kind: string;
  who: string;
  number: number;
  detail: Detail;
}

/** The record of one run. */
export class Trace {
  #ring: Line[] = [];
  #noted = 0;
  #low = 0x811c9dc5;
  #high = 0x01234567;
  readonly #nowMs: () => number;
  readonly #print: ((line: string) => void) | null;
  readonly #float = new Float64Array(1);
  readonly #words = new Uint32Array(this.#float.buffer);

  /** `print` gets every line as it happens; null: only the last ones are kept. */
  constructor(nowMs: () => number, print: ((line: string) => void) | null) {
    this.#nowMs = nowMs;
    this.#print = print;
  }

  /** Notes an event. `number` and the texts go into the hash, `detail` only into the words. */
  note(kind: string, who: string, number: number, detail: Detail = null): void {
    const atMs = this.#nowMs();
    this.#mixNumber(atMs);
    this.#mixText(kind);
    this.#mixText(who);
    this.#mixNumber(number);
    if (this.#print !== null) this.#print(wordsOf({ atMs, kind, who, number, detail }));
    const place = this.#noted++ % KEPT;
    const line = this.#ring[place];
    if (line === undefined) {
      this.#ring[place] = { atMs, kind, who, number, detail };
      return;
    }
    line.atMs = atMs;
    line.kind = kind;
    line.who = who;
    line.number = number;
    line.detail = detail;
  }

  /** Of everything so far. */
  get hash(): string {
    return (this.#high >>> 0).toString(16).padStart(8, '0') + (this.#low >>> 0).toString(16).padStart(8, '0');
  }

  /** The last events, oldest first. */
  last(): string[] {
    const first = this.#noted > KEPT ? this.#noted % KEPT : 0;
    return [...this.#ring.slice(first), ...this.#ring.slice(0, first)].map(wordsOf);
  }

  #mixNumber(value: number): void {
    this.#float[0] = value;
    this.#mix(this.#words[0] as number);
    this.#mix(this.#words[1] as number);
  }

  #mixText(text: string): void {
    for (let index = 0; index < text.length; index++) this.#mix(text.charCodeAt(index));
  }

  #mix(word: number): void {
    this.#low = Math.imul(this.#low ^ word, 0x01000193);
    this.#high = (Math.imul(this.#high ^ (this.#low >>> 15), 0x85ebca6b) + word) | 0;
  }
}

function wordsOf(line: Line): string {
  const detail = line.detail === null || line.detail === undefined ? '' : ` ${shortened(line.detail)}`;
  return `${line.atMs.toFixed(3).padStart(12)} ${line.who.padEnd(8)} ${line.kind} ${line.number}${detail}`;
}

/** One line of JSON, without what nobody reads. */
function shortened(detail: Detail): string {
  if (typeof detail !== 'object') return String(detail);
  const text = JSON.stringify(detail, (key, value: unknown) => {
    if (key === 'sender') return undefined;
    if (value instanceof Uint8Array) return `<${value.length} bytes>`;
    return typeof value === 'bigint' ? `${value}n` : value;
  });
  return text.length > 300 ? `${text.slice(0, 300)}...` : text;
}
