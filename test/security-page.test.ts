/**
 * The table of `docs/guides/security.md`: every test that it names exists, and every test of OWASP's
 * lines is named there.
 */
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';
import { projectFiles, readProjectFile } from './tidy/files.ts';

const PAGE = 'docs/guides/security.md';
/** The last cell of a row: a link to a file, and what a test in it is called. */
const ROW = /^\| (?<line>[^|]+) \|.*\| \[[^\]]+\]\((?<file>[^)]+)\): (?<name>[^|]+) \|$/;

const section = readProjectFile(PAGE).text.split('## OWASP, line by line')[1]?.split('\n## ')[0] ?? '';
const lines = section.split('\n').filter((line) => line.startsWith('| ') && !/^\| (line|---) /.test(line));
const rows = lines.map((line) => {
  const { file = '', name = '' } = ROW.exec(line)?.groups ?? {};
  return { line, file: normalize(join(dirname(PAGE), file)), name };
});

describe('the table of OWASP lines', () => {
  it('has a line for each recommendation, and a test in each line', () => {
    expect(rows.length).toBeGreaterThanOrEqual(30);
    expect(rows.filter(({ name }) => name === '')).toEqual([]);
  });

  it('names tests that exist', () => {
    const known = new Map(projectFiles().map((file) => [file.path, file.text]));
    const missing = rows.filter(({ file, name }) => !known.get(file)?.includes(name));
    expect(missing).toEqual([]);
  });

  it('names every test of the OWASP files, once', () => {
    const files = projectFiles().filter(({ path }) => /^test\/security\/owasp-.*\.test\.ts$/.test(path));
    expect(files.length).toBeGreaterThan(0);
    const titles = files.flatMap(({ text }) =>
      [...text.matchAll(/^ {2}it\('([^']+)'/gm)].map(([, title]) => title),
    );
    const named = rows.filter(({ file }) => file.includes('/owasp-')).map(({ name }) => name);
    expect(named.sort()).toEqual(titles.sort());
  });
});
