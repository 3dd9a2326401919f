/**
 * The pages of the project: their links lead somewhere, and they name what there is.
 *
 * What a page says about code in detail is checked beside that code; here is what spans the house.
 */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT } from './support/programs.ts';
import { type ProjectFile, projectFiles, readProjectFile } from './tidy/files.ts';

const { PACKAGES } = createRequire(import.meta.url)('../scripts/rooms.cjs') as {
  PACKAGES: Record<string, string>;
};
const pages = projectFiles().filter((file) => file.path.endsWith('.md'));

describe('links', () => {
  it('lead to a file of the project and a heading of that file', () => {
    const faults: string[] = [];
    for (const page of pages) {
      for (const { target, line } of linksOf(page)) {
        const fault = faultOf(page.path, target);
        if (fault !== null) faults.push(`${page.path}:${line} ${target}: ${fault}`);
      }
    }
    expect(faults).toEqual([]);
  });
});

function linksOf(page: ProjectFile): { target: string; line: number }[] {
  const found: { target: string; line: number }[] = [];
  let fenced = false;
  page.lines.forEach((line, index) => {
    if (line.startsWith('```')) fenced = !fenced;
    if (fenced) return;
    for (const match of line.matchAll(/\]\(([^)\s]+)\)|\b(?:src|srcset|href)="([^"]+)"/g)) {
      found.push({ target: (match[1] ?? match[2]) as string, line: index + 1 });
    }
  });
  return found.filter(({ target }) => !/^(https?|wss?|mailto):/.test(target));
}

function faultOf(from: string, target: string): string | null {
  const [path = '', anchor] = target.split('#');
  const file = path === '' ? from : normalize(join(dirname(from), path));
  if (!existsSync(join(ROOT, file))) return 'no such file';
  if (anchor === undefined || !file.endsWith('.md')) return null;
  const headings = readProjectFile(file).lines.filter((line) => /^#{1,6} /.test(line));
  return headings.map(slugOf).includes(anchor) ? null : 'no such heading';
}

/** The anchor that code hosts give to a heading. */
function slugOf(heading: string): string {
  return heading
    .replace(/^#+ /, '')
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');
}

describe('docs/dependencies.md', () => {
  const manifest = JSON.parse(readProjectFile('package.json').text) as Record<
    'dependencies' | 'devDependencies',
    Record<string, string>
  >;
  const rows = readProjectFile('docs/dependencies.md')
    .lines.map((line) => line.split('|').map((cell) => cell.trim()))
    .filter((cells) => /^`.+`$/.test(cells[1] ?? ''))
    .map((cells) => ({ name: (cells[1] as string).slice(1, -1), licence: cells[2], room: cells[3], cells }));

  it('lists every package of package.json and no other', () => {
    const wanted = [...Object.keys(manifest.dependencies), ...Object.keys(manifest.devDependencies)];
    expect(rows.map((row) => row.name).sort()).toEqual(wanted.sort());
  });

  it('gives each package its licence, a reason and a way out', () => {
    for (const row of rows) {
      const installed = JSON.parse(readProjectFile(`node_modules/${row.name}/package.json`).text) as {
        license: string;
      };
      expect([row.name, row.licence]).toEqual([row.name, installed.license]);
      expect(
        row.cells.slice(4, 6).every((cell) => cell.length > 10),
        `${row.name}: reason and way out`,
      ).toBe(true);
    }
  });

  it('names the owner rooms that the import rules know', () => {
    const owners = rows.filter((row) => row.name in manifest.dependencies).map((row) => [row.name, row.room]);
    const wanted = Object.entries(PACKAGES).map(([name, room]) => [name, `\`${room}/\``]);
    expect(owners.sort()).toEqual(wanted.sort());
  });
});
