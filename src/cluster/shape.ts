/**
 * The fields of a value that came as JSON: each is what it has to be, or a sentence says which is not.
 *
 * Shapes and bounds only, with the errors thrown; who catches them is told by `codec.ts`.
 */
import { CLUSTER_LIMITS } from '../base/index.ts';
import { isNodeName } from './node-name.ts';

/** An object whose fields are read one by one. */
export class Shape {
  readonly #values: Readonly<Record<string, unknown>>;

  constructor(value: unknown, what: string) {
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    if (!isObject) misfit(what, 'an object');
    this.#values = value as Readonly<Record<string, unknown>>;
  }

  object(name: string): Shape {
    return new Shape(this.#values[name], name);
  }

  objects(name: string, countMax: number): Shape[] {
    return this.#list(name, countMax).map((value) => new Shape(value, name));
  }

  text(name: string, charactersMax: number): string {
    return textOf(this.#values[name], name, charactersMax);
  }

  texts(name: string, max: { readonly countMax: number; readonly charactersMax: number }): string[] {
    return this.#list(name, max.countMax).map((value) => textOf(value, name, max.charactersMax));
  }

  /** A short text that names something. */
  id(name: string): string {
    const text = this.text(name, CLUSTER_LIMITS.idCharactersMax);
    return text === '' ? misfit(name, 'not empty') : text;
  }

  nodeName(name: string): string {
    const text = this.text(name, CLUSTER_LIMITS.nodeNameCharactersMax);
    return isNodeName(text) ? text : misfit(name, 'name@host');
  }

  oneOf<Word extends string>(name: string, words: readonly Word[]): Word {
    const word = words.find((each) => each === this.#values[name]);
    return word ?? misfit(name, `one of ${words.join(', ')}`);
  }

  whole(name: string, max: number = Number.MAX_SAFE_INTEGER): number {
    return wholeOf(this.#values[name], name, max);
  }

  wholes(name: string, bounds: { readonly countMax: number; readonly max: number }): number[] {
    return this.#list(name, bounds.countMax).map((value) => wholeOf(value, name, bounds.max));
  }

  #list(name: string, countMax: number): readonly unknown[] {
    const value = this.#values[name];
    if (Array.isArray(value) && value.length <= countMax) return value;
    return misfit(name, `a list of at most ${countMax}`);
  }
}

function textOf(value: unknown, name: string, charactersMax: number): string {
  if (typeof value === 'string' && value.length <= charactersMax) return value;
  return misfit(name, `a text of at most ${charactersMax} characters`);
}

function wholeOf(value: unknown, name: string, max: number): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value <= max) return value;
  return misfit(name, `a whole number from 0 to ${max}`);
}

function misfit(name: string, expected: string): never {
  throw new Error(`In a change of the cluster, \`${name}\` is to be ${expected}.`);
}
