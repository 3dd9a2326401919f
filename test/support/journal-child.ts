/**
 * A process that writes a session journal until it is killed; driven by the journal's own test.
 *
 * Keeps in a second file which connections were confirmed as written, and whose end was begun: what
 * its successor must know. Says on stdout when that is enough to be killed for.
 */
import { openSync, writeSync } from 'node:fs';
import type { ConnectionId, SessionKey, Timers } from '../../src/base/index.ts';
import { JournalWriter, systemDisk } from '../../src/journal/index.ts';
import { CollectedLog } from '../fakes/collected-log.ts';

const [path = '', wordsPath = '', enough = ''] = process.argv.slice(2);
const words = openSync(wordsPath, 'ax');
const timers: Timers = {
  after: () => ({ cancel() {} }),
  every: () => ({ cancel() {} }),
  endOfTurn: (run) => void setImmediate(run),
};
const journal = new JournalWriter({
  disk: systemDisk,
  path,
  bootId: 'boot',
  slot: 0,
  run: 1,
  timers,
  logger: new CollectedLog(),
  compactBytes: 20_000,
});

/** Opens a few connections a turn and closes every second one, for ever. */
function work(count: number): void {
  for (let index = count; index < count + 4; index++) {
    const connection = `c${index}` as ConnectionId;
    journal.opened({ connection, key: `k${index}` as SessionKey, openedAtMs: 0 }, (failure) => {
      if (failure !== null) throw failure;
      writeSync(words, `opened ${connection}\n`);
    });
    if (index >= 8 && index % 2 === 0) {
      // Said before it is done: whoever reads this may find the connection open or closed.
      writeSync(words, `closing c${index - 8}\n`);
      journal.closed(`c${index - 8}` as ConnectionId);
    }
  }
  if (count === Number(enough)) process.stdout.write('enough');
  setImmediate(() => setImmediate(() => work(count + 4)));
}

work(0);
