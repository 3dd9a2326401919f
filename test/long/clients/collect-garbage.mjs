/**
 * Loaded into the processes of a node (`--import`): SIGUSR2 collects garbage and says so in the log.
 *
 * Without it a heap is as large as the collector likes, and a test could only wait and hope.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc');

process.on('SIGUSR2', () => {
  // What finalizers release goes with the second collection.
  collectGarbage();
  collectGarbage();
  process.stderr.write(`${JSON.stringify({ msg: 'garbage collected', pid: process.pid })}\n`);
});
