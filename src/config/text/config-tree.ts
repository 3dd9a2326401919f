/**
 * YAML text as a tree of mappings, lists and `Scalar`s, with the place of every key.
 *
 * It knows YAML and the variables, and no key. Depth, size and aliases are bounded before anything
 * recursive touches the text. Syntax errors, duplicate keys, unknown anchors and variables that
 * are not set come back as problems; `load.ts` adds those of the schema.
 */
import {
  Composer,
  type CST,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  Parser,
  type YAMLMap,
  type Scalar as YamlScalar,
} from 'yaml';
import type { Environment } from './environment.ts';
import { expandVariables } from './expand-variables.ts';
import { PROBLEMS_MAX, quoteShort } from './problem.ts';
import { Scalar } from './scalar.ts';

/** A problem at an offset of the text. */
export interface TreeProblem {
  readonly offset: number;
  readonly path: readonly string[];
  readonly message: string;
}

/** A scalar and where it belongs; for the remarks that its reader leaves on it. */
export interface PlacedScalar {
  readonly scalar: Scalar;
  readonly path: readonly string[];
}

/** What the file says, before any key has a meaning. */
export interface ConfigTree {
  /** The top mapping: objects without prototype, arrays and `Scalar`s. */
  readonly root: Readonly<Record<string, unknown>>;
  readonly scalars: readonly PlacedScalar[];
  readonly problems: readonly TreeProblem[];
  /** Offset of the key at `path`, or of its nearest ancestor that stands in the file. */
  offsetOf(path: readonly PropertyKey[]): number;
}

/** The configuration is two levels deep; this leaves room for mistakes, and none for attacks. */
const DEPTH_MAX = 16;
/** Values, aliases resolved. An alias bomb passes it at once; no real file comes near. */
const NODES_MAX = 5_000;

/** The parser may find one at every character. */
const SYNTAX_ERRORS_MAX = 1_000;

const SCALAR_TAGS = new Set(
  ['str', 'int', 'bool', 'float', 'null'].map((name) => `tag:yaml.org,2002:${name}`),
);
const COLLECTION_TAGS = new Set(['map', 'seq'].map((name) => `tag:yaml.org,2002:${name}`));

/** Reads `text`; never throws, whatever it holds. */
export function readConfigTree(text: string, environment: Environment): ConfigTree {
  const builder = new TreeBuilder(text, environment);
  const tokens = [...new Parser().parse(text)];
  const deep = tooDeep(tokens);
  if (deep === null) builder.build(compose(tokens));
  else builder.report(deep, [], `the file is nested deeper than ${DEPTH_MAX} levels`);
  return builder;
}

function compose(tokens: CST.Token[]): Document[] {
  // `failsafe` leaves every scalar as text; keys are compared by us, because theirs is quadratic.
  const composer = new Composer({
    schema: 'failsafe',
    version: '1.1',
    uniqueKeys: false,
    logLevel: 'silent',
  });
  return [...composer.compose(tokens)] as Document[];
}

/** Offset of the first token nested too deeply. Not recursive: the composer is, and would die of it. */
function tooDeep(tokens: readonly CST.Token[]): number | null {
  const waiting = tokens.map((token) => ({ token, depth: 0 }));
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { token, depth } = next;
    if (token.type === 'document' && token.value !== undefined) waiting.push({ token: token.value, depth });
    if (!('items' in token)) continue;
    if (depth >= DEPTH_MAX) return token.offset;
    for (const item of token.items) {
      for (const child of [item.key, item.value]) {
        if (child !== undefined && child !== null) waiting.push({ token: child, depth: depth + 1 });
      }
    }
  }
  return null;
}

class TreeBuilder implements ConfigTree {
  root: Record<string, unknown> = emptyMapping();
  readonly scalars: PlacedScalar[] = [];
  readonly problems: TreeProblem[] = [];
  readonly #text: string;
  readonly #environment: Environment;
  readonly #offsets = new Map<string, number>();
  readonly #anchors = new Map<string, Node>();
  #nodes = 0;

  constructor(text: string, environment: Environment) {
    this.#text = text;
    this.#environment = environment;
  }

  offsetOf(path: readonly PropertyKey[]): number {
    for (let length = path.length; length > 0; length--) {
      const offset = this.#offsets.get(placeKey(path.slice(0, length)));
      if (offset !== undefined) return offset;
    }
    return 0;
  }

  report(offset: number, path: readonly string[], message: string): void {
    if (this.problems.length < PROBLEMS_MAX) this.problems.push({ offset, path, message });
  }

  build(documents: readonly Document[]): void {
    for (const document of documents) {
      for (const error of document.errors.slice(0, SYNTAX_ERRORS_MAX)) {
        this.#reportSyntax(error.pos[0], error.message);
      }
    }
    const second = documents[1];
    if (second !== undefined)
      this.report(second.range?.[0] ?? 0, [], 'expected one YAML document, got several');
    // What a broken text seems to say would only add misleading problems.
    if (this.problems.length > 0) return;
    const contents = documents[0]?.contents ?? null;
    if (contents === null || (isScalar(contents) && this.#scalar(contents, []).empty)) return;
    if (!isMap(contents)) {
      this.report(contents.range?.[0] ?? 0, [], 'expected keys and values such as `port: 9180`');
      return;
    }
    const root = this.#mapping(contents, []);
    if (this.#nodes <= NODES_MAX) this.root = root;
    else
      this.report(0, [], `the file holds more than ${NODES_MAX} values, each alias counted where it is used`);
  }

  #reportSyntax(offset: number, message: string): void {
    const lineEnd = this.#text.indexOf('\n', offset);
    const lineStart = this.#text.lastIndexOf('\n', Math.max(0, offset - 1)) + 1;
    // After one slip the parser complains about the rest of the line too; the first word is the useful one.
    if (this.problems.some((problem) => problem.offset >= lineStart && problem.offset <= offset)) return;
    const line = this.#text.slice(lineStart, lineEnd < 0 ? undefined : lineEnd);
    const hint = line.includes('${') ? `; inside { } and [ ] a \${VAR} must stand in quotes` : '';
    this.report(offset, [], `not valid YAML: ${message}${hint}`);
  }

  /** Mapping, list or `Scalar`; undefined for what was reported or is beyond the bound. */
  #value(node: Node | null, path: readonly string[]): unknown {
    this.#nodes += 1;
    if (this.#nodes > NODES_MAX) return undefined;
    if (node === null) return this.#keep(new Scalar('', { plain: true }), path);
    if (isAlias(node)) {
      const target = this.#anchors.get(node.source);
      if (target !== undefined) return this.#value(target, path);
      this.report(node.range?.[0] ?? 0, path, `the alias *${node.source} has no anchor before it`);
      return this.#keep(new Scalar('', { plain: true, broken: true }), path);
    }
    const value = this.#own(node, path);
    // Set when the value is complete: an alias inside its own anchor is unknown, never endless.
    if ('anchor' in node && node.anchor !== undefined) this.#anchors.set(node.anchor, node);
    return value;
  }

  #own(node: Node, path: readonly string[]): unknown {
    if (isMap(node)) return this.#mapping(node, path);
    if (isSeq(node)) {
      this.#checkTag(node, path, COLLECTION_TAGS);
      return node.items.map((item) => this.#value(item as Node | null, path));
    }
    return this.#scalar(node as YamlScalar, path);
  }

  #scalar(node: YamlScalar, path: readonly string[]): Scalar {
    this.#checkTag(node, path, SCALAR_TAGS);
    const text = String(node.value ?? '');
    const plain = node.type === 'PLAIN' && node.tag !== 'tag:yaml.org,2002:str';
    if (!text.includes('${')) return this.#keep(new Scalar(text, { plain }), path);
    const expanded = expandVariables(text, this.#environment);
    if (!expanded.ok) {
      this.report(node.range?.[0] ?? 0, path, expanded.error);
      return this.#keep(new Scalar(text, { plain, broken: true }), path);
    }
    // Quotes are needed around ${VAR} inside { }, so they do not make a text of a number here.
    return this.#keep(new Scalar(expanded.value, { plain: true }), path);
  }

  #keep(scalar: Scalar, path: readonly string[]): Scalar {
    this.scalars.push({ scalar, path });
    return scalar;
  }

  #checkTag(node: Node & { tag?: string }, path: readonly string[], known: ReadonlySet<string>): void {
    if (node.tag === undefined || known.has(node.tag)) return;
    this.report(node.range?.[0] ?? 0, path, `the tag ${quoteShort(node.tag)} is not supported; leave it out`);
  }

  #mapping(node: YAMLMap, path: readonly string[]): Record<string, unknown> {
    this.#checkTag(node, path, COLLECTION_TAGS);
    const mapping = emptyMapping();
    const merges: Pair[] = [];
    for (const pair of node.items) {
      const key = pair.key;
      if (isScalar(key) && key.value === '<<' && key.type === 'PLAIN') merges.push(pair);
      else this.#entry(mapping, pair, path);
    }
    for (const pair of merges) this.#merge(mapping, pair.value as Node | null, path);
    return mapping;
  }

  #entry(mapping: Record<string, unknown>, pair: Pair, path: readonly string[]): void {
    const key = pair.key as Node | null;
    const offset = key?.range?.[0] ?? 0;
    if (!isScalar(key)) {
      this.report(offset, path, 'expected a plain key such as `port:`');
      return;
    }
    const name = String(key.value);
    const entryPath = [...path, name];
    if (Object.hasOwn(mapping, name)) {
      const first = quoteShort(name);
      this.report(offset, entryPath, `the key ${first} is given twice in one mapping; keep one of the two`);
      return;
    }
    this.#offsets.set(placeKey(entryPath), offset);
    mapping[name] = this.#value(pair.value as Node | null, entryPath);
  }

  /** YAML 1.1's `<<`: keys of another mapping, or of several, where this one does not set them. */
  #merge(mapping: Record<string, unknown>, node: Node | null, path: readonly string[]): void {
    this.#nodes += 1;
    if (this.#nodes > NODES_MAX) return;
    const source = isAlias(node) ? this.#anchors.get(node.source) : node;
    if (isMap(source)) {
      for (const pair of source.items) {
        const known = isScalar(pair.key) && Object.hasOwn(mapping, String(pair.key.value));
        if (!known) this.#entry(mapping, pair, path);
      }
    } else if (isSeq(source) && source !== node) {
      this.report(node?.range?.[0] ?? 0, path, 'expected << to name mappings');
    } else if (isSeq(source)) {
      for (const item of source.items) this.#merge(mapping, item as Node | null, path);
    } else {
      this.report(node?.range?.[0] ?? 0, path, 'expected << to name a mapping by its alias');
    }
  }
}

/** Without a prototype, `__proto__` and `constructor` are keys like any other. */
function emptyMapping(): Record<string, unknown> {
  return Object.create(null) as Record<string, unknown>;
}

/** Keys may hold dots, so that a joined path needs another separator. */
function placeKey(path: readonly PropertyKey[]): string {
  return JSON.stringify(path.map(String));
}
