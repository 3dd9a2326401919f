/**
 * `arrokoth/browser` as a user gets it: how much a page has to load, and what an editor knows of it.
 *
 * What it does is tested beside its source and, with nodes and Chromium, in `test/e2e/`.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { ROOT } from './support/programs.ts';

const COMPRESSED_BYTES_MAX = 4_000;
const FOLDER = fileURLToPath(new URL('../dist/browser/', import.meta.url));
const modules = readdirSync(FOLDER).filter((name) => name.endsWith('.js'));
const textOf = (name: string): string => readFileSync(`${FOLDER}${name}`, 'utf8');

describe('arrokoth/browser', () => {
  it(`is less than ${COMPRESSED_BYTES_MAX} bytes, compressed file by file`, () => {
    const bytes = modules.map((name) => gzipSync(textOf(name)).length);
    expect(modules).toContain('index.js');
    expect(bytes.reduce((sum, one) => sum + one, 0)).toBeLessThan(COMPRESSED_BYTES_MAX);
  });

  it('needs nothing but itself', () => {
    const imported = modules.flatMap((name) =>
      [...textOf(name).matchAll(/\b(?:from|import) ?\(?['"](.+?)['"]/g)].map((match) => match[1]),
    );
    expect(imported.length).toBeGreaterThan(0);
    expect(imported.filter((name) => !modules.includes(name?.replace(/^\.\//, '') as string))).toEqual([]);
  });

  it('brings its types', () => {
    const page = `
      import { ArrokothSocket, type SocketStatus } from 'arrokoth/browser';
      const socket = new ArrokothSocket('wss://node.test/connect', { queueMessagesMax: 10 });
      socket.addEventListener('status', ({ detail }) => { const now: SocketStatus = detail; void now; });
      socket.addEventListener('message', ({ data }) => void data.anything);
      socket.connect();
      export const taken: boolean = socket.send('hello');
      // @ts-expect-error a number is wanted
      new ArrokothSocket('/connect', { queueMessagesMax: true });
      // @ts-expect-error a status is no number
      socket.addEventListener('status', ({ detail }) => { const now: number = detail; void now; });`;
    expect(complaints(page)).toEqual([]);
  });
});

/** What the compiler says of a user's file; it stands in the package, which may import itself by name. */
function complaints(text: string): string[] {
  const path = `${ROOT}/test/user-page.ts`;
  const options: ts.CompilerOptions = {
    strict: true,
    noEmit: true,
    target: ts.ScriptTarget.ES2022,
    lib: ['lib.es2022.d.ts', 'lib.dom.d.ts'],
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    types: [],
    // A browser's whole library is nothing to check here.
    skipLibCheck: true,
  };
  const host = ts.createCompilerHost(options);
  const { readFile, fileExists } = host;
  host.readFile = (name) => (name === path ? text : readFile(name));
  host.fileExists = (name) => name === path || fileExists(name);
  host.getSourceFile = (name, version) => ts.createSourceFile(name, host.readFile(name) ?? '', version);
  const program = ts.createProgram([path], options, host);
  return ts
    .getPreEmitDiagnostics(program)
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
}
