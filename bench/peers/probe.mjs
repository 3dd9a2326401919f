/**
 * Loaded into every process of a server under test (`--import`), so that all servers can be asked
 * the same things: collect garbage and say what is held, record a CPU profile.
 *
 * It listens on a unix socket named after its process and costs nothing until it is asked. One
 * request a connection, one JSON line each way.
 */
import { writeFileSync } from 'node:fs';
import { Session } from 'node:inspector';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

const PROFILE_INTERVAL_US = 200;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc');
let session = null;

const server = createServer((socket) => {
  socket.setEncoding('utf8');
  socket.on('error', () => socket.destroy());
  socket.once('data', async (line) => {
    socket.end(`${JSON.stringify(await answer(JSON.parse(line)))}\n`);
  });
});
server.listen(join(process.env.BENCH_PROBE_DIR, `${process.pid}.sock`));
server.unref();

async function answer(request) {
  if (request.type === 'memory') return memory();
  if (request.type === 'profile_start') return startProfile();
  return stopProfile(request.file);
}

/** Twice, because what finalizers release goes with the second collection. */
function memory() {
  collectGarbage();
  collectGarbage();
  const { rss, heapUsed, external } = process.memoryUsage();
  return { pid: process.pid, rss, heap: heapUsed + external };
}

async function startProfile() {
  session = new Session();
  session.connect();
  await post('Profiler.enable');
  await post('Profiler.setSamplingInterval', { interval: PROFILE_INTERVAL_US });
  await post('Profiler.start');
  return { pid: process.pid };
}

async function stopProfile(file) {
  const { profile } = await post('Profiler.stop');
  writeFileSync(`${file}-${process.pid}.cpuprofile`, JSON.stringify(profile));
  session.disconnect();
  session = null;
  return { pid: process.pid };
}

function post(method, parameters) {
  return new Promise((resolve, reject) => {
    session.post(method, parameters, (error, result) => (error === null ? resolve(result) : reject(error)));
  });
}
