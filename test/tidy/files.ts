/**
 * The project's own files, read once for the tests that look at all of them.
 *
 * Found by walking the folders, not by asking git, so that a file counts before it is committed.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { ROOT } from '../support/programs.ts';

const FOLDERS = ['src', 'browser', 'test', 'bench', 'sim', 'scripts', 'examples', 'docs', '.ci'];
const GENERATED = new Set(['node_modules', 'dist', 'coverage', '.cache', 'data']);
const BINARY = /\.(png|ico|woff2?)$/;

/** One text file; `path` is relative to the root, with slashes. */
export interface ProjectFile {
  readonly path: string;
  readonly text: string;
  readonly lines: readonly string[];
}

/** Every text file of the project, the lock file excepted. */
export function projectFiles(): ProjectFile[] {
  const roots = readdirSync(ROOT, { withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name !== 'package-lock.json' && !entry.name.endsWith('.tgz'))
    .map((entry) => entry.name);
  return [...roots, ...FOLDERS.flatMap(pathsBelow)]
    .filter((path) => !BINARY.test(path))
    .sort()
    .map(readProjectFile);
}

/** One file by its path. */
export function readProjectFile(path: string): ProjectFile {
  const text = readFileSync(join(ROOT, path), 'utf8');
  return { path, text, lines: text.replace(/\n$/, '').split('\n') };
}

/** The names of the folders of `src/`. */
export function roomFolders(): string[] {
  return readdirSync(join(ROOT, 'src'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && pathsBelow(`src/${entry.name}`).length > 0)
    .map((entry) => entry.name);
}

function pathsBelow(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    if (GENERATED.has(entry.name)) return [];
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return pathsBelow(path);
    return entry.isFile() ? [path] : [];
  });
}

/** True for tests, which may do what the product may not. */
export function isTest(path: string): boolean {
  return path.endsWith('.test.ts') || path.startsWith('test/') || path.includes('/testdata/');
}

/** The syntax tree of a TypeScript file. */
export function syntaxTree(file: ProjectFile): ts.SourceFile {
  return ts.createSourceFile(file.path, file.text, ts.ScriptTarget.ES2023, true);
}

/** `path:line` of a node, as editors and terminals open it. */
export function placeOf(tree: ts.SourceFile, node: ts.Node): string {
  return `${tree.fileName}:${tree.getLineAndCharacterOfPosition(node.getStart(tree)).line + 1}`;
}

/** Calls `visit` for `node` and everything below it. */
export function walk(node: ts.Node, visit: (node: ts.Node) => void): void {
  visit(node);
  ts.forEachChild(node, (child) => walk(child, visit));
}
