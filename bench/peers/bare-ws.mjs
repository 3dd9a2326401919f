/**
 * The yardstick: what a competent afternoon with `ws` and `node:http` gives.
 *
 * It speaks just enough of the gateway's requests for the same load to be made against both: a
 * `socket.send` loop for a channel, a map of sockets by key, and one POST to the application for
 * each client message over node:http's keep-alive agent. No callbacks on connect, no journal, no
 * queues, no limits.
 */
import { readFileSync } from 'node:fs';
import { Agent, createServer, request } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { WebSocketServer } from 'ws';

/** As many as the gateway keeps in flight by default. */
const CALLBACK_SOCKETS_MAX = 256;
const OK = '{"result":"OK"}';

const agent = new Agent({ keepAlive: true, maxSockets: CALLBACK_SOCKETS_MAX });
const receiveUrl = new URL('/receive', process.env.BENCH_APPLICATION_URL);
const sessions = new Map();

const { BENCH_CERT: cert, BENCH_KEY: key } = process.env;
const server = cert
  ? createTlsServer({ cert: readFileSync(cert), key: readFileSync(key) }, answer)
  : createServer(answer);
const sockets = new WebSocketServer({ server, perMessageDeflate: deflateOptions() });

function answer(incoming, response) {
  const chunks = [];
  incoming.on('data', (chunk) => chunks.push(chunk));
  incoming.on('end', () => {
    if (incoming.url === '/send')
      send(incoming.headers, chunks.length === 1 ? chunks[0] : Buffer.concat(chunks));
    response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': OK.length });
    response.end(OK);
  });
}

sockets.on('connection', (socket, upgrade) => {
  const key = new URLSearchParams(upgrade.url.slice(upgrade.url.indexOf('?'))).get('key');
  sessions.set(key, socket);
  socket.on('close', () => sessions.delete(key));
  socket.on('error', () => socket.terminate());
  socket.on('message', (message) => callBack(key, message));
});
server.listen(Number(process.env.BENCH_PORT), '127.0.0.1');

/** The gateway's settings in the words of `ws`; false: off. */
function deflateOptions() {
  const settings = JSON.parse(process.env.BENCH_COMPRESSION);
  if (settings === null) return false;
  return {
    serverNoContextTakeover: true,
    clientNoContextTakeover: true,
    threshold: settings.thresholdBytes,
    zlibDeflateOptions: {
      level: settings.level,
      windowBits: settings.windowBits,
      memLevel: settings.memoryLevel,
    },
  };
}

function send(headers, message) {
  const session = headers['x-kuiperbelt-session'];
  if (session !== undefined) {
    sessions.get(session)?.send(message, { binary: false });
    return;
  }
  for (const socket of sockets.clients) socket.send(message, { binary: false });
}

function callBack(key, message) {
  const call = request(receiveUrl, {
    agent,
    method: 'POST',
    headers: { 'Content-Type': 'text/plain', 'Content-Length': message.length, 'X-Kuiperbelt-Session': key },
  });
  call.on('response', (response) => response.resume());
  call.on('error', (error) => process.stderr.write(`${error.message}\n`));
  call.end(message);
}
