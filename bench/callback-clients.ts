/**
 * Which HTTP client should make the callbacks? Round trips per second, and who understands `nc`.
 *
 *     npx tsx bench/callback-clients.ts
 *
 * One application process, one client process, 32 calls in flight, medians of 5 interleaved rounds
 * as ratios to node:http in the same round. Choosing a library needs no more than that; what the
 * product achieves is measured by the other benchmarks.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { Agent, createServer, request as requestHttp } from 'node:http';
import { type AddressInfo, createServer as createNetServer } from 'node:net';
import { Pool } from 'undici';
import { HttpClient } from '../src/net/index.ts';
import { systemTimers } from '../src/system/index.ts';

const ROUNDS = 5;
const ROUND_MS = 1_000;
const IN_FLIGHT = 32;
const BODY = Buffer.from('x'.repeat(100));
const BARE_LINES = 'HTTP/1.0 200 OK\nX-Kuiperbelt-Session: alice\n\nhello\n';

/** One candidate: makes a call and says whether it was answered with 200 and a whole body. */
interface Candidate {
  readonly name: string;
  open(port: number): (done: (answered: boolean) => void) => void;
}

const nodeHttp: Candidate = {
  name: 'node:http',
  open(port) {
    const agent = new Agent({ keepAlive: true, maxFreeSockets: IN_FLIGHT });
    const headers = ['Host', `127.0.0.1:${port}`, 'Content-Length', String(BODY.length)];
    return (done) => {
      const outgoing = requestHttp(
        { host: '127.0.0.1', port, method: 'POST', path: '/', headers, agent, insecureHTTPParser: true },
        (incoming) => {
          incoming.on('data', () => {});
          incoming.on('end', () => done(incoming.statusCode === 200));
        },
      );
      outgoing.on('error', () => done(false));
      outgoing.end(BODY);
    };
  },
};

const undiciRequest: Candidate = {
  name: 'undici request',
  open(port) {
    const pool = new Pool(`http://127.0.0.1:${port}`, { connections: IN_FLIGHT });
    return (done) => {
      pool
        .request({ method: 'POST', path: '/', body: BODY })
        .then(async ({ statusCode, body }) => {
          await body.arrayBuffer();
          done(statusCode === 200);
        })
        .catch(() => done(false));
    };
  },
};

const undiciDispatch: Candidate = {
  name: 'undici dispatch',
  open(port) {
    const pool = new Pool(`http://127.0.0.1:${port}`, { connections: IN_FLIGHT });
    return (done) => {
      let status = 0;
      pool.dispatch(
        { method: 'POST', path: '/', body: BODY },
        {
          onRequestStart: () => {},
          onResponseStart: (_controller, statusCode) => {
            status = statusCode;
          },
          onResponseData: () => {},
          onResponseEnd: () => done(status === 200),
          onResponseError: () => done(false),
        },
      );
    };
  },
};

const ours: Candidate = {
  name: 'ours',
  open(port) {
    const client = new HttpClient({ maxInFlight: IN_FLIGHT, maxQueued: IN_FLIGHT, timers: systemTimers });
    const call = {
      method: 'POST',
      url: `http://127.0.0.1:${port}/`,
      headers: [],
      body: BODY,
      timeoutMs: 10_000,
      replyBytesMax: 65_536,
      redirectsMax: 0,
    };
    return (done) => client.call(call, (result) => done(result.ok && result.value.status === 200));
  },
};

const CANDIDATES: readonly Candidate[] = [nodeHttp, undiciRequest, undiciDispatch, ours];

/** The application, in a process of its own. */
function serve(): void {
  const server = createServer((request, response) => {
    request.on('data', () => {});
    request.on('end', () => response.end('ok'));
  });
  server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
  process.on('disconnect', () => process.exit(0));
}

/** Round trips per second over one round. */
function measure(call: (done: (answered: boolean) => void) => void): Promise<number> {
  return new Promise((resolve, reject) => {
    const start = performance.now();
    let answers = 0;
    let running = IN_FLIGHT;
    const next = (): void => {
      call((answered) => {
        if (!answered) reject(new Error('a call failed'));
        answers++;
        if (performance.now() - start < ROUND_MS) next();
        else if (--running === 0) resolve((answers * 1_000) / (performance.now() - start));
      });
    };
    for (let index = 0; index < IN_FLIGHT; index++) next();
  });
}

/** Whether a candidate gets the answer that `nc -N -l` gives to whoever connects. */
async function understandsBareLines(candidate: Candidate): Promise<boolean> {
  const server = createNetServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => {});
    socket.end(BARE_LINES);
    socket.resume();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const call = candidate.open((server.address() as AddressInfo).port);
  const understood = await new Promise<boolean>((resolve) => call(resolve));
  server.close();
  return understood;
}

function median(figures: readonly number[]): number {
  return [...figures].sort((a, b) => a - b)[Math.floor(figures.length / 2)] as number;
}

async function main(): Promise<void> {
  const application: ChildProcess = fork(import.meta.filename, ['serve'], { execArgv: process.execArgv });
  const [port] = (await once(application, 'message')) as [number];
  const calls = CANDIDATES.map((candidate) => candidate.open(port));
  const rates: number[][] = CANDIDATES.map(() => []);
  const ratios: number[][] = CANDIDATES.map(() => []);
  for (const call of calls) await measure(call);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [index, call] of calls.entries()) rates[index]?.push(await measure(call));
    for (const figures of rates) {
      const ratio = (figures[round] as number) / (rates[0]?.[round] as number);
      ratios[rates.indexOf(figures)]?.push(ratio);
    }
  }
  console.log('| client | round trips/s | ratio to node:http | understands bare line feeds |');
  console.log('|---|---|---|---|');
  for (const [index, candidate] of CANDIDATES.entries()) {
    const understood = (await understandsBareLines(candidate)) ? 'yes' : 'no';
    const rate = Math.round(median(rates[index] as number[]));
    const ratio = median(ratios[index] as number[]).toFixed(2);
    console.log(`| ${candidate.name} | ${rate} | ${ratio} | ${understood} |`);
  }
  application.disconnect();
  process.exit(0);
}

if (process.argv[2] === 'serve') serve();
else await main();
