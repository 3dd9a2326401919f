/**
 * The original's example as a program, with its flags, on the model: an original peer for tests with
 * real processes. `GET /kv` and `GET /state` are additions, so that a test can look inside.
 *
 *   tsx test/legacy/legacy-kv.ts -listen 127.0.0.4:9000 -cluster cluster1 -interval 86400
 */
import { parseArgs } from 'node:util';
import { KeyValues } from './key-values.ts';
import { LegacyServer } from './legacy-server.ts';

const { values: flags } = parseArgs({
  args: process.argv.slice(2).map((word) => (word === '-initMaster' ? '--initMaster=true' : dashes(word))),
  options: {
    initMaster: { type: 'string', default: 'false' },
    participants: { type: 'string', default: '' },
    listen: { type: 'string', default: ':9000' },
    cluster: { type: 'string', default: 'cluster1' },
    interval: { type: 'string', default: '2' },
  },
});

/** One dash before a flag, as Go programs have it. */
function dashes(word: string): string {
  return word.replace(/^-(?=[a-zA-Z])/, '--');
}

const [, host = '', port = '9000'] = /^(.*):(\d+)$/.exec(flags.listen) ?? [];
const values = new KeyValues(true);
const server: LegacyServer = new LegacyServer({
  cluster: flags.cluster,
  host: host === '' ? '127.0.0.1' : host,
  port: Number(port),
  application: values,
  pages: {
    '/kv': () => JSON.stringify(values.toObject()),
    '/state': (): string => {
      const { instance, sequence, state, members } = server.participant;
      return JSON.stringify({ instance: String(instance), sequence: String(sequence), state, members });
    },
  },
  panic: die,
});

function die(error: unknown): never {
  console.error(`panic: ${String(error)}`);
  process.exit(2);
}

const address = await server.listen();
console.log(`${address} is an original member of ${flags.cluster}`);
if (flags.initMaster === 'true') {
  server.participant.initMaster(address);
  invite(flags.participants === '' ? [] : flags.participants.split(','));
}
setInterval(submitSomething, Math.min(Number(flags.interval) * 1_000, 2 ** 31 - 1));

function invite([first, ...others]: readonly string[]): void {
  if (first === undefined) return;
  server.participant.addParticipant(`http://${first}`, (failure) => {
    if (failure !== null) console.error(`${first}: ${failure.code}: ${failure.text}`);
    invite(others);
  });
}

function submitSomething(): void {
  const key = `k${Math.floor(Math.random() * 100)}`;
  try {
    server.participant.submit([KeyValues.add(key, String(Math.floor(Math.random() * 1e9)))], (failure) => {
      if (failure !== null) console.error(`${failure.code}: ${failure.text}`);
    });
  } catch (error) {
    die(error);
  }
}
