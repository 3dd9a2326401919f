/**
 * Completes package-lock.json after `npm install`: `npx tsx scripts/complete-lock.ts`.
 *
 * npm leaves out of the lock what the registry at hand does not carry, such as binaries for other
 * platforms, and `npm ci` then refuses the lock. The entries follow from the names, which say
 * version, system and processor; only their checksums are unknown. npm never fetches them here.
 */
import { readFileSync, writeFileSync } from 'node:fs';

interface LockEntry {
  readonly version?: string;
  readonly license?: string;
  readonly optional?: boolean;
  readonly dev?: boolean;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly engines?: unknown;
}

const SYSTEMS = [
  'android',
  'darwin',
  'freebsd',
  'linux',
  'netbsd',
  'openbsd',
  'openharmony',
  'sunos',
  'win32',
];
const PROCESSORS = ['arm64', 'arm', 'ia32', 'loong64', 'ppc64', 'riscv64', 's390x', 'wasm32', 'x64'];

const path = new URL('../package-lock.json', import.meta.url);
const lock = JSON.parse(readFileSync(path, 'utf8')) as { packages: Record<string, LockEntry> };

let added = 0;
for (const [place, entry] of Object.entries(lock.packages)) {
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    if (`${place}/node_modules/${name}` in lock.packages || `node_modules/${name}` in lock.packages) continue;
    lock.packages[`node_modules/${name}`] = entryFor(name, version, entry);
    added += 1;
  }
}
// npm keeps the root first and the rest by name.
const sorted = Object.entries(lock.packages).sort(([left], [right]) => left.localeCompare(right, 'en'));
writeFileSync(path, `${JSON.stringify({ ...lock, packages: Object.fromEntries(sorted) }, null, 2)}\n`);
console.log(`package-lock.json: ${added} packages of other platforms added`);

function entryFor(name: string, version: string, parent: LockEntry): LockEntry & Record<string, unknown> {
  const words = name.split(/[/-]/);
  const system = SYSTEMS.find((word) => words.includes(word));
  const processor = PROCESSORS.find((word) => words.includes(word));
  if (system === undefined || processor === undefined || !/^\d/.test(version)) {
    throw new Error(
      `${name}@${version} does not tell its platform; install it from a registry that carries it`,
    );
  }
  const library = words.some((word) => word.startsWith('musl')) ? 'musl' : 'glibc';
  return {
    version,
    cpu: [processor],
    ...(parent.dev === undefined ? {} : { dev: parent.dev }),
    ...(system === 'linux' && words.some((word) => /^(musl|gnu)/.test(word)) ? { libc: [library] } : {}),
    ...(parent.license === undefined ? {} : { license: parent.license }),
    optional: true,
    os: [system],
    ...(parent.engines === undefined ? {} : { engines: parent.engines }),
  };
}
