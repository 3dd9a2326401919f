/**
 * Writes docs/reference/configuration.md from the schema of the configuration file.
 *
 * `--check` writes nothing and fails when the page is stale; `--schema` prints the JSON Schema for
 * editors instead. Run by hand after a change of `src/config/`, and by the gates with `--check`.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { configJsonSchema, renderReference } from '../src/config/index.ts';

const page = fileURLToPath(new URL('../docs/reference/configuration.md', import.meta.url));
const option = process.argv[2];

if (option === '--schema') {
  console.log(JSON.stringify(configJsonSchema(), null, 2));
} else if (option === '--check') {
  if (readFileSync(page, 'utf8') !== renderReference()) {
    console.error(`${page} is stale: run npx tsx scripts/write-configuration-reference.ts`);
    process.exitCode = 1;
  }
} else {
  writeFileSync(page, renderReference());
}
