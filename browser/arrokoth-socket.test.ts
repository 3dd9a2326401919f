/** The socket over a browser of fakes: sockets, clock, chance, page and network are the test's. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { ArrokothSocket, type ArrokothSocketOptions } from './index.ts';

class FakeWebSocket extends EventTarget {
  static made: FakeWebSocket[] = [];
  readonly url: string;
  readonly protocols: string[];
  readonly sent: unknown[] = [];
  binaryType = 'blob';
  closed = false;

  constructor(url: URL, protocols: string[]) {
    super();
    if (url.hostname === 'forbidden') throw new SyntaxError('not there');
    this.url = url.href;
    this.protocols = protocols;
    FakeWebSocket.made.push(this);
  }

  send(data: unknown): void {
    this.sent.push(data);
  }

  close(): void {
    this.closed = true;
  }

  open(): void {
    this.dispatchEvent(new Event('open'));
  }

  receive(data: unknown): void {
    this.dispatchEvent(new MessageEvent('message', { data, origin: 'ws://node.test' }));
  }

  end(code = 1006, reason = ''): void {
    this.dispatchEvent(Object.assign(new Event('close'), { code, reason }));
  }
}

const URL_TEXT = 'ws://node.test/connect?ticket=secret#part';
const page = Object.assign(new EventTarget(), { hidden: false });
const network = new EventTarget();
const fetched = vi.fn<(target: URL | string, init: RequestInit) => Promise<Response>>();
const heard: string[] = [];

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(Math, 'random').mockReturnValue(0.5);
  vi.stubGlobal('WebSocket', FakeWebSocket);
  vi.stubGlobal('document', page);
  vi.stubGlobal('location', { href: 'https://page.test/room/' });
  vi.stubGlobal('navigator', { onLine: true });
  vi.stubGlobal('addEventListener', network.addEventListener.bind(network));
  vi.stubGlobal('fetch', fetched);
  fetched.mockReset().mockRejectedValue(new TypeError('nobody is there'));
  FakeWebSocket.made = [];
  heard.length = 0;
});

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

function make(
  options: ArrokothSocketOptions = {},
  url: ConstructorParameters<typeof ArrokothSocket>[0] = URL_TEXT,
): ArrokothSocket {
  const socket = new ArrokothSocket(url, options);
  socket.addEventListener('status', ({ detail }) => heard.push(detail.state));
  socket.addEventListener('message', ({ data }) => heard.push(`message ${data}`));
  return socket;
}

function latest(): FakeWebSocket {
  const last = FakeWebSocket.made.at(-1);
  if (last === undefined) throw new Error('no socket was made');
  return last;
}

const settle = () => vi.advanceTimersByTimeAsync(0);

it('connects, hears, speaks, and comes back after a loss', async () => {
  const socket = make({ protocols: 'chat' });
  expect([socket.status.state, FakeWebSocket.made.length]).toEqual(['closed', 0]);
  socket.connect();
  expect([latest().url, latest().protocols, latest().binaryType]).toEqual([
    'ws://node.test/connect?ticket=secret',
    ['chat'],
    'arraybuffer',
  ]);
  latest().open();
  latest().receive('hello');
  expect(socket.send('hi')).toBe(true);
  expect(latest().sent).toEqual(['hi']);
  await vi.advanceTimersByTimeAsync(5_000);
  latest().end(1012, 'service restart');
  expect(socket.status).toEqual({
    state: 'waiting',
    code: 1012,
    reason: 'service restart',
    httpStatus: null,
    retryInMs: 500,
  });
  await vi.advanceTimersByTimeAsync(499);
  expect(FakeWebSocket.made).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(1);
  latest().open();
  expect(heard).toEqual(['connecting', 'open', 'message hello', 'waiting', 'connecting', 'open']);
  expect(fetched, 'nobody asks why an open connection ended: it was said').not.toHaveBeenCalled();
});

it('stays away when it was replaced, until it is asked again', async () => {
  const socket = make();
  socket.connect();
  latest().open();
  latest().end(4409, 'replaced');
  await vi.advanceTimersByTimeAsync(3_600_000);
  network.dispatchEvent(new Event('online'));
  expect([socket.status.state, FakeWebSocket.made.length, heard.at(-1)]).toEqual(['replaced', 1, 'replaced']);
  socket.connect();
  expect(FakeWebSocket.made).toHaveLength(2);
});

it('hears nothing of a socket that it has let go', async () => {
  const socket = make();
  socket.connect();
  const old = latest();
  old.open();
  socket.close();
  expect(old.closed).toBe(true);
  old.receive('late');
  old.end(1006);
  await vi.advanceTimersByTimeAsync(60_000);
  expect([heard, FakeWebSocket.made.length]).toEqual([['connecting', 'open', 'closed'], 1]);
});

it('asks why a handshake failed, without the query, and obeys Retry-After', async () => {
  const headers = { 'Retry-After': '7' };
  fetched.mockResolvedValue(new Response('full', { status: 503, headers }));
  const socket = make();
  socket.connect();
  latest().end();
  await settle();
  expect([String(fetched.mock.calls[0]?.[0]), fetched.mock.calls[0]?.[1].cache]).toEqual([
    'http://node.test/connect',
    'no-store',
  ]);
  expect(socket.status).toMatchObject({ state: 'waiting', code: 1006, httpStatus: 503, retryInMs: 8_000 });
  page.dispatchEvent(new Event('visibilitychange'));
  await vi.advanceTimersByTimeAsync(6_999);
  expect(FakeWebSocket.made).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(1);
  expect(FakeWebSocket.made).toHaveLength(2);
});

it('asks whom the page names, and takes a refusal from there', async () => {
  fetched.mockResolvedValue(new Response(null, { status: 401 }));
  const socket = make({ probe: '/session' });
  socket.connect();
  latest().end();
  await settle();
  expect([fetched.mock.calls[0]?.[0], socket.status]).toMatchObject([
    '/session',
    { state: 'refused', httpStatus: 401 },
  ]);
});

it('gives a probe up after a while, and asks nobody when told so', async () => {
  fetched.mockImplementation((_, { signal }) => {
    return new Promise((_resolve, reject) => {
      signal?.addEventListener('abort', () => reject(signal.reason));
    });
  });
  const socket = make();
  socket.connect();
  latest().end();
  await vi.advanceTimersByTimeAsync(5_000);
  expect([socket.status.state, fetched.mock.calls[0]?.[1].signal?.aborted]).toEqual(['waiting', true]);
  socket.close();
  fetched.mockClear();
  const silent = make({ probe: false });
  silent.connect();
  latest().end();
  expect([silent.status.state, fetched.mock.calls.length]).toEqual(['waiting', 0]);
});

it('gives a handshake up that has no answer', async () => {
  const socket = make({ probe: false, handshakeTimeoutMs: 3_000 });
  socket.connect();
  await vi.advanceTimersByTimeAsync(3_000);
  expect([latest().closed, socket.status.state, socket.status.code]).toEqual([true, 'waiting', 1006]);
});

it('asks for a new address each time, and waits when there is none', async () => {
  const address = vi.fn<() => Promise<string>>();
  address.mockResolvedValueOnce('/connect?ticket=1').mockRejectedValueOnce(new Error('no ticket'));
  address.mockResolvedValueOnce('/connect?ticket=2');
  const socket = make({}, address);
  socket.connect();
  await settle();
  expect(latest().url).toBe('wss://page.test/connect?ticket=1');
  latest().open();
  latest().end();
  await vi.advanceTimersByTimeAsync(1_000);
  expect([FakeWebSocket.made.length, socket.status.state]).toEqual([1, 'waiting']);
  expect(fetched, 'there is no address to be asked about').not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(2_000);
  expect(latest().url).toBe('wss://page.test/connect?ticket=2');
});

it('opens no socket for an address that comes after the end', async () => {
  let give: (address: string) => void = () => undefined;
  const socket = make({}, () => new Promise((resolve) => (give = resolve)));
  socket.connect();
  socket.close();
  give('/connect');
  await settle();
  expect(FakeWebSocket.made).toHaveLength(0);
});

it('does not try again what cannot be done', () => {
  const socket = make({}, 'ws://forbidden/');
  socket.connect();
  expect(socket.status).toMatchObject({ state: 'refused', reason: 'SyntaxError: not there' });
  expect(heard).toEqual(['refused']);
});

it('comes back when the network does, or somebody looks', async () => {
  const socket = make({ backoffMs: 20_000 });
  socket.connect();
  latest().open();
  latest().end();
  page.hidden = true;
  page.dispatchEvent(new Event('visibilitychange'));
  expect(socket.status.retryInMs).toBe(15_000);
  network.dispatchEvent(new Event('online'));
  expect(socket.status.retryInMs).toBe(10_000);
  page.hidden = false;
  page.dispatchEvent(new Event('visibilitychange'));
  await settle();
  expect(FakeWebSocket.made).toHaveLength(2);
});

it('leaves nothing behind in the page when it has ended', () => {
  const listened = vi.spyOn(page, 'addEventListener');
  const socket = make();
  socket.connect();
  const options = listened.mock.calls[0]?.[2] as AddEventListenerOptions | undefined;
  const signal = options?.signal;
  expect(signal?.aborted).toBe(false);
  socket.close();
  expect([signal?.aborted, vi.getTimerCount()]).toEqual([true, 0]);
});

it('keeps no message while there is no connection, unless it is told to, and then not many', async () => {
  const without = make();
  without.connect();
  expect(without.send('lost')).toBe(false);
  latest().open();
  expect(latest().sent).toEqual([]);
  without.close();

  const socket = make({ queueMessagesMax: 2, queueBytesMax: 5 });
  expect(socket.send('nobody has asked for a connection')).toBe(false);
  socket.connect();
  const taken = ['ab', 'long é', 'äb', 'c'].map((data) => socket.send(data));
  expect(taken, 'two messages, five bytes').toEqual([true, false, true, false]);
  latest().open();
  expect(latest().sent).toEqual(['ab', 'äb']);
  latest().end();
  expect(socket.send('x')).toBe(true);
  socket.close();
  expect(socket.send('y')).toBe(false);
  socket.connect();
  latest().open();
  expect(latest().sent).toEqual([]);
});
