#!/usr/bin/env node
/**
 * A chat room as a plain HTTP application: no dependency, no WebSocket, nothing but requests.
 *
 * Arrokoth calls `/connect`, `/receive` and `/close`; what everybody should see is posted to its
 * `/send` under the channel `lobby`. Browsers load the page from here and connect to Arrokoth, with
 * the module that Arrokoth's package brings for them.
 */
import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { Agent, createServer, request } from 'node:http';
import { fileURLToPath } from 'node:url';

const HOST = process.env.HOST ?? '127.0.0.1';
const PORT = Number(process.env.PORT ?? 12346);
/** Where `/send` is served. */
const GATEWAY_URL = new URL(process.env.GATEWAY_URL ?? 'http://127.0.0.1:9180');
/** The bearer token of `/send`, when the node asks for one. */
const GATEWAY_TOKEN = process.env.GATEWAY_TOKEN ?? '';
/** Where browsers connect; another address only when `/send` has a listener of its own. */
const WEBSOCKET_URL = process.env.WEBSOCKET_URL ?? `ws://${GATEWAY_URL.host}/connect`;

const CHANNEL = 'lobby';
const BODY_BYTES_MAX = 16 * 1024;
const TEXT_LENGTH_MAX = 2_000;
const NAME_LENGTH_MAX = 32;
/** Messages that a newcomer is shown. */
const HISTORY_MAX = 50;
/** Close events remembered, so that a repeated callback announces nobody twice. */
const EVENTS_MAX = 10_000;
/** Messages on their way to the node; further ones are refused until it has caught up. */
const PENDING_MAX = 1_000;

/** Session key -> who that is. Everybody else sees `id` only: a session key is a secret. */
const members = new Map();
const history = [];
const closedEvents = new Set();
let eventNumber = 0;
let pending = 0;

// One connection, so that messages reach the node in the order in which they were published.
const agent = new Agent({ keepAlive: true, maxSockets: 1 });

const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  'img-src data:',
  // The second is for the question why a connection failed, which is plain HTTP.
  `connect-src ${new URL(WEBSOCKET_URL).origin} ${new URL(WEBSOCKET_URL.replace('ws', 'http')).origin}`,
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
];
const PAGE_HEADERS = {
  'Content-Security-Policy': POLICY.join('; '),
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cache-Control': 'no-cache',
};

const pages = new Map([
  [
    '/',
    page('index.html', 'text/html', (text) => text.replaceAll('%WEBSOCKET_URL%', escapeHtml(WEBSOCKET_URL))),
  ],
  ['/chat.js', page('chat.js', 'text/javascript')],
  ['/chat.css', page('chat.css', 'text/css')],
  ...browserModule(),
]);

/** What Arrokoth calls. Each takes the request and its body, and returns status, headers and body. */
const callbacks = new Map([
  ['/connect', connect],
  ['/receive', receive],
  ['/close', close],
]);

function page(file, type, change = (text) => text) {
  const body = change(readFileSync(new URL(file, import.meta.url), 'utf8'));
  return { status: 200, headers: { ...PAGE_HEADERS, 'Content-Type': `${type}; charset=utf-8` }, body };
}

/** The files of `arrokoth/browser`; they import each other by name, so they keep their names. */
function browserModule() {
  const folder = new URL('.', import.meta.resolve('arrokoth/browser'));
  try {
    const names = readdirSync(folder).filter((name) => name.endsWith('.js'));
    return names.map((name) => [`/arrokoth/${name}`, page(new URL(name, folder), 'text/javascript')]);
  } catch (error) {
    console.error(`The page needs arrokoth/browser, and ${fileURLToPath(folder)} cannot be read.`);
    console.error('In a checkout of Arrokoth: npm run build makes it.');
    console.error(error.message);
    process.exit(1);
  }
}

/** Somebody wants in. A 200 with a session key admits them; the body is the first thing they receive. */
function connect(incoming) {
  if (!isWelcome(incoming.headers.origin)) return { status: 403, body: 'this page may not connect\n' };
  const session = randomUUID();
  const wanted = new URL(incoming.url, 'http://chat').searchParams.get('name') ?? '';
  const member = addMember(session, wanted);
  const hello = { type: 'hello', n: eventNumber, you: member.id, online: members.size, history };
  publish({ type: 'joined', name: member.name, online: members.size }).catch(warn);
  return {
    status: 200,
    headers: {
      'X-Kuiperbelt-Session': session,
      'X-Kuiperbelt-Channel': CHANNEL,
      'Content-Type': 'application/json',
    },
    body: JSON.stringify(hello),
  };
}

/**
 * Pages of other sites may not connect in the name of our visitors; programs, which send no Origin,
 * may. Arrokoth's `origin_policy` can do the same, but only the application knows its own addresses.
 */
function isWelcome(origin) {
  if (origin === undefined) return true;
  const hostname = URL.canParse(origin) ? new URL(origin).hostname : '';
  return hostname === new URL(WEBSOCKET_URL).hostname || hostname === 'localhost';
}

/** Somebody said something. The answer waits until everybody has been sent it. */
async function receive(incoming, body) {
  const text = textOf(body);
  if (text === null) return { status: 400, body: 'expected {"type":"say","text":"..."}\n' };
  if (pending >= PENDING_MAX) return { status: 503, body: 'too many messages on their way\n' };
  const session = incoming.headers['x-kuiperbelt-session'] ?? '';
  // A member unknown to us connected before this application was started anew.
  const member = members.get(session) ?? addMember(session, '');
  const message = {
    type: 'message',
    id: randomUUID(),
    from: member.id,
    name: member.name,
    text,
    at: Date.now(),
  };
  history.push(message);
  if (history.length > HISTORY_MAX) history.shift();
  await publish(message);
  return { status: 200 };
}

/** Somebody is gone: exactly one event, which may be delivered more than once. */
function close(incoming) {
  const event = incoming.headers['x-arrokoth-event-id'];
  if (event !== undefined) {
    if (closedEvents.has(event)) return { status: 200 };
    closedEvents.add(event);
    if (closedEvents.size > EVENTS_MAX) closedEvents.delete(closedEvents.values().next().value);
  }
  const session = incoming.headers['x-kuiperbelt-session'] ?? '';
  const member = members.get(session);
  if (member !== undefined) {
    members.delete(session);
    publish({ type: 'left', name: member.name, online: members.size }).catch(warn);
  }
  return { status: 200 };
}

function addMember(session, wanted) {
  const id = randomUUID().slice(0, 8);
  // Control characters and directions could make one name look like another.
  const name = wanted.replace(/[\p{C}\p{Z}]+/gu, ' ').trim();
  const member = { id, name: [...name].slice(0, NAME_LENGTH_MAX).join('') || `guest-${id.slice(0, 4)}` };
  members.set(session, member);
  return member;
}

function textOf(body) {
  try {
    const { type, text } = JSON.parse(body.toString('utf8'));
    const said = type === 'say' && typeof text === 'string' ? text.trim() : '';
    return said === '' ? null : said.slice(0, TEXT_LENGTH_MAX);
  } catch {
    return null;
  }
}

/** Sends one event to everybody in the room. `n` grows, so that a page can tell old from new. */
function publish(event) {
  eventNumber += 1;
  pending += 1;
  const body = Buffer.from(JSON.stringify({ ...event, n: eventNumber }));
  const headers = {
    'X-Kuiperbelt-Channel': CHANNEL,
    'Content-Type': 'application/json',
    'Content-Length': body.length,
  };
  if (GATEWAY_TOKEN !== '') headers.Authorization = `Bearer ${GATEWAY_TOKEN}`;
  return new Promise((resolve, reject) => {
    const url = new URL('/send', GATEWAY_URL);
    const outgoing = request(url, { method: 'POST', agent, headers, timeout: 10_000 }, (answer) => {
      answer.resume();
      answer.on('end', () => {
        if (answer.statusCode === 200) resolve();
        else reject(new Error(`${url} answered ${answer.statusCode}`));
      });
      answer.on('error', reject);
    });
    outgoing.on('timeout', () => outgoing.destroy(new Error(`${url} did not answer`)));
    outgoing.on('error', reject);
    outgoing.end(body);
  }).finally(() => {
    pending -= 1;
  });
}

function warn(error) {
  console.error(`not announced: ${error.message}`);
}

function escapeHtml(text) {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** Reads a body of bounded size; null when there is more. */
async function readBody(incoming) {
  const chunks = [];
  let size = 0;
  for await (const chunk of incoming) {
    size += chunk.length;
    if (size > BODY_BYTES_MAX) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

async function answer(incoming) {
  const path = incoming.url.split('?', 1)[0];
  const isRead = incoming.method === 'GET' || incoming.method === 'HEAD';
  if (path === '/healthz') return { status: 200, body: 'ok\n' };
  if (isRead && pages.has(path)) return pages.get(path);
  const callback = callbacks.get(path);
  if (callback === undefined) return { status: 404, body: 'not found\n' };
  const body = await readBody(incoming);
  if (body === null) return { status: 413, headers: { Connection: 'close' }, body: 'too large\n' };
  return callback(incoming, body);
}

const server = createServer((incoming, outgoing) => {
  answer(incoming)
    .catch((error) => {
      warn(error);
      return { status: 502, body: 'the gateway did not take it\n' };
    })
    .then(({ status, headers = { 'Content-Type': 'text/plain; charset=utf-8' }, body = '' }) => {
      outgoing.writeHead(status, { ...headers, 'Content-Length': Buffer.byteLength(body) });
      outgoing.end(incoming.method === 'HEAD' ? undefined : body);
    });
});

function stop() {
  server.close();
  server.closeAllConnections();
  agent.destroy();
  // Listening for the parent's end would otherwise keep this process alive.
  process.channel?.unref();
}

server.on('error', (error) => {
  console.error(`cannot listen on ${HOST}:${PORT}: ${error.message}`);
  process.exitCode = 1;
});
server.listen(PORT, HOST, () => {
  const { address, port } = server.address();
  console.log(`listening http://${address.includes(':') ? `[${address}]` : address}:${port}/`);
});
process.once('SIGTERM', stop);
process.once('SIGINT', stop);
// A program that forked this one wants it to end with itself.
process.once('disconnect', stop);
