/** Replays `testdata/*.txt`: readable runs with golden output; `npm test -- -u` writes it anew. */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { playTranscript } from './testdata/transcript.ts';

const FOLDER = new URL('testdata/', import.meta.url);

for (const name of readdirSync(FOLDER).filter((file) => file.endsWith('.txt'))) {
  it(name.replace('.txt', '').replaceAll('-', ' '), async () => {
    const path = new URL(name, FOLDER);
    await expect(playTranscript(readFileSync(path, 'utf8'))).toMatchFileSnapshot(path.pathname);
  });
}
