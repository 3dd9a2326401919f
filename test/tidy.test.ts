/**
 * The house rules that a machine can check, so that nobody has to remember or discuss them.
 *
 * Sizes may be exceeded by what stands in `tidy-allow-list.json`, exactly as far as it says there;
 * the list may only shrink. Everything else has no exceptions.
 */
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import {
  isTest,
  type ProjectFile,
  placeOf,
  projectFiles,
  readProjectFile,
  syntaxTree,
  walk,
} from './tidy/files.ts';

const FILE_LINES_MAX = 400;
const FUNCTION_LINES_MAX = 70;
const LINE_COLUMNS_MAX = 110;

type AllowList = Record<'fileLines' | 'functionLines' | 'lineColumns', Record<string, number>>;

const allowed = JSON.parse(readProjectFile('test/tidy-allow-list.json').text) as AllowList;
const files = projectFiles();
const code = files.filter((file) => /\.(ts|mjs|cjs)$/.test(file.path));
const source = code.filter((file) => /^(src|browser)\//.test(file.path) && !isTest(file.path));
const trees = new Map(code.map((file) => [file.path, syntaxTree(file)]));

const treeOf = (file: ProjectFile): ts.SourceFile => trees.get(file.path) as ts.SourceFile;

/** Compares what is too large with the allow-list, in both directions. */
function excesses(kind: keyof AllowList, sizes: Map<string, number>, max: number): string[] {
  const faults: string[] = [];
  for (const [place, size] of sizes) {
    const limit = allowed[kind][place] ?? max;
    if (size > limit) faults.push(`${place} has ${size}, at most ${limit} are allowed`);
  }
  for (const [place, limit] of Object.entries(allowed[kind])) {
    const size = sizes.get(place) ?? 0;
    if (size <= max) faults.push(`${place} no longer needs its place in tidy-allow-list.json`);
    else if (size < limit) faults.push(`${place} has ${size}: lower its ${limit} in tidy-allow-list.json`);
  }
  return faults;
}

describe('size', () => {
  it(`keeps files within ${FILE_LINES_MAX} lines`, () => {
    const sizes = new Map(code.map((file) => [file.path, file.lines.length]));
    expect(excesses('fileLines', sizes, FILE_LINES_MAX)).toEqual([]);
  });

  it(`keeps functions within ${FUNCTION_LINES_MAX} lines`, () => {
    const sizes = new Map<string, number>();
    for (const file of code) {
      const tree = treeOf(file);
      walk(tree, (node) => {
        if (!ts.isFunctionLike(node) || isSuite(node)) return;
        const first = tree.getLineAndCharacterOfPosition(node.getStart(tree)).line;
        const last = tree.getLineAndCharacterOfPosition(node.end).line;
        sizes.set(placeOf(tree, node), last - first + 1);
      });
    }
    expect(excesses('functionLines', sizes, FUNCTION_LINES_MAX)).toEqual([]);
  });

  it(`keeps lines within ${LINE_COLUMNS_MAX} columns`, () => {
    const sizes = new Map<string, number>();
    for (const file of code) {
      file.lines.forEach((line, index) => {
        sizes.set(`${file.path}:${index + 1}`, [...line].length);
      });
    }
    expect(excesses('lineColumns', sizes, LINE_COLUMNS_MAX)).toEqual([]);
  });
});

/** A `describe` body is a list of tests, not a function that anybody has to understand whole. */
function isSuite(node: ts.Node): boolean {
  return ts.isCallExpression(node.parent) && /^describe\b/.test(node.parent.expression.getText());
}

describe('names', () => {
  it('says what a file holds, in lower case', () => {
    const vague = /(^|[-./])(utils?|helpers?|common|misc|managers?)([-./]|$)/;
    const faults = code
      .map((file) => file.path)
      .filter((path) => vague.test(path) || !/^[a-z0-9.-]+$/.test(path.split('/').at(-1) as string));
    expect(faults).toEqual([]);
  });

  it('opens each source file with a comment that says what it is', () => {
    const faults = source
      .filter((file) => !/^(#!.*\n)?\/\*\*/.test(file.text))
      .map((file) => `${file.path}:1 does not open with a /** comment */`);
    expect(faults).toEqual([]);
  });

  it('gives each export of a source file at least a sentence', () => {
    const faults: string[] = [];
    for (const file of source) {
      const tree = treeOf(file);
      for (const statement of tree.statements) {
        const exported =
          ts.canHaveModifiers(statement) &&
          ts.getModifiers(statement)?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword);
        if (!exported || ts.getJSDocCommentsAndTags(statement).length > 0) continue;
        faults.push(`${placeOf(tree, statement)} ${statement.getText().split('\n')[0]}`);
      }
    }
    expect(faults).toEqual([]);
  });
});

describe('words', () => {
  // Written so that this file does not find itself.
  const banned: [RegExp, string][] = [
    [/\b(TO[D]O|FIX[M]E|X[X]X)\b/, 'finish it, or write an issue'],
    [/(^|[\s"'`(])\/(home|root|Users|work)\/\w/, 'a path of one machine'],
    [/\b(it|test|describe|suite)\.(only|skip|todo)\b/, 'every test runs'],
    [/@ts-(ignore|nocheck)\b/, 'say `@ts-expect-error` and why'],
  ];

  it('leaves nothing unfinished or bound to one machine', () => {
    const faults: string[] = [];
    for (const file of files) {
      file.lines.forEach((line, index) => {
        for (const [pattern, advice] of banned) {
          if (pattern.test(line))
            faults.push(`${file.path}:${index + 1} ${line.trim().slice(0, 80)} (${advice})`);
        }
      });
    }
    expect(faults).toEqual([]);
  });
});

describe('the world', () => {
  const PAGE = 'browser/arrokoth-socket.ts';
  /**
   * What only some rooms may touch; everywhere else it comes in through a constructor. The browser's
   * module is no room: there one file may.
   */
  const doors: [RegExp, readonly string[], string][] = [
    [/^(Date\.now|performance\.now|process\.hrtime(\.bigint)?)$/, ['system', PAGE], 'take a Clock'],
    [/^(Math\.random|randomBytes|randomUUID)$/, ['system', PAGE], 'take a Random'],
    [/^(setTimeout|setInterval|setImmediate)$/, ['system', PAGE], 'take Timers'],
    [/^process\.env$/, ['main', 'cli'], 'take it from the configuration'],
    [/^process\.exit$/, ['main', 'cli'], 'return, throw, or tell main'],
  ];

  it('is entered through system, main and cli only', () => {
    const faults: string[] = [];
    for (const file of source) {
      const room = file.path.startsWith('src/') ? (file.path.split('/')[1] as string) : file.path;
      const tree = treeOf(file);
      walk(tree, (node) => {
        const text = worldly(node);
        if (text === null) return;
        for (const [pattern, rooms, advice] of doors) {
          if (pattern.test(text) && !rooms.includes(room))
            faults.push(`${placeOf(tree, node)} ${text}: ${advice}`);
        }
      });
    }
    expect(faults).toEqual([]);
  });
});

/** `a.b` where it is used, a bare name where it is called, `Date.now` for `new Date()`. */
function worldly(node: ts.Node): string | null {
  if (ts.isPropertyAccessExpression(node)) return node.getText();
  if (ts.isCallExpression(node) && ts.isIdentifier(node.expression)) return node.expression.text;
  const isNow = ts.isNewExpression(node) && node.expression.getText() === 'Date' && !node.arguments?.length;
  return isNow ? 'Date.now' : null;
}
