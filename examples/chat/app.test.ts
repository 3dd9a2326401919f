/**
 * The chat application against a gateway that only records: what it answers, what it publishes.
 *
 * With a real node and browsers it runs in `test/e2e/chat.test.ts`.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { cpSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  AwaitedList,
  cleanUpAfterwards,
  linesNamed,
  post,
  ROOT,
  request,
  temporaryFolder,
} from '../../test/support/index.ts';

interface Published {
  readonly path: string;
  readonly channels: string[];
  readonly authorization: string | undefined;
  readonly event: Record<string, unknown>;
}

const published = () => gateway.list.items.map((item) => item.event);

let gateway: { url: string; list: AwaitedList<Published>; status: number };
let application: { url: string; child: ChildProcess };

beforeEach(async () => {
  gateway = await startGateway();
  application = await startChat({ GATEWAY_URL: gateway.url });
});

async function startGateway(): Promise<typeof gateway> {
  const list = new AwaitedList<Published>('published messages');
  const server = createServer((incoming, outgoing) => {
    let text = '';
    incoming.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    incoming.on('end', () => {
      list.push({
        path: `${incoming.method} ${incoming.url}`,
        channels: linesNamed(incoming.rawHeaders, 'X-Kuiperbelt-Channel'),
        authorization: incoming.headers.authorization,
        event: JSON.parse(text) as Record<string, unknown>,
      });
      outgoing.writeHead(made.status).end('{"result":"OK"}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanUpAfterwards(() => {
    server.close();
    server.closeAllConnections();
  });
  const made = { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, list, status: 200 };
  return made;
}

async function startChat(env: Record<string, string>): Promise<typeof application> {
  const program = fileURLToPath(new URL('app.mjs', import.meta.url));
  const child = spawn(process.execPath, [program], {
    env: { ...process.env, PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  cleanUpAfterwards(() => {
    child.kill('SIGKILL');
  });
  const line = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout as NodeJS.ReadableStream }).once('line', resolve);
    child.once('exit', (code) => reject(new Error(`the application ended with ${code}`)));
  });
  const url = /^listening (http:\/\/127\.0\.0\.1:\d+)\/$/.exec(line)?.[1];
  expect(url, line).toBeDefined();
  return { url: url as string, child };
}

async function join(name: string): Promise<{ session: string; hello: Record<string, unknown> }> {
  const answer = await request({ url: `${application.url}/connect?name=${encodeURIComponent(name)}` });
  expect([answer.status, answer.headerLines('X-Kuiperbelt-Channel')]).toEqual([200, ['lobby']]);
  const session = answer.header('X-Kuiperbelt-Session') as string;
  return { session, hello: answer.json() as Record<string, unknown> };
}

const say = (session: string, text: string) =>
  post(
    `${application.url}/receive`,
    ['X-Kuiperbelt-Session', session],
    JSON.stringify({ type: 'say', text }),
  );

const leave = (session: string, event: string) =>
  post(`${application.url}/close`, ['X-Kuiperbelt-Session', session, 'X-Arrokoth-Event-Id', event]);

describe('a visit', () => {
  it('is announced from its beginning to its end', async () => {
    const ada = await join('Ada');
    const bob = await join('Bob');
    expect([ada.hello.online, bob.hello.online]).toEqual([1, 2]);
    expect(ada.session).not.toBe(bob.session);
    expect((await say(ada.session, 'hello')).status).toBe(200);
    expect((await leave(ada.session, 'e1')).status).toBe(200);
    await gateway.list.atLeast(4);
    expect(published()).toMatchObject([
      { type: 'joined', name: 'Ada', online: 1, n: 1 },
      { type: 'joined', name: 'Bob', online: 2, n: 2 },
      { type: 'message', name: 'Ada', text: 'hello', from: ada.hello.you, n: 3 },
      { type: 'left', name: 'Ada', online: 1, n: 4 },
    ]);
    const first = gateway.list.items[0];
    expect([first?.path, first?.channels, first?.authorization]).toEqual([
      'POST /send',
      ['lobby'],
      undefined,
    ]);
    expect(JSON.stringify(published())).not.toContain(ada.session);
  });

  it('ends once, however often the end is told', async () => {
    const ada = await join('Ada');
    const bob = await join('Bob');
    for (const event of ['e1', 'e1', 'e1']) await leave(ada.session, event);
    await leave(bob.session, 'e2');
    await gateway.list.first((item) => item.event.name === 'Bob' && item.event.type === 'left');
    expect(published().filter((event) => event.type === 'left')).toHaveLength(2);
  });

  it('shows newcomers what was said last, and no more than 50 messages', async () => {
    const ada = await join('Ada');
    for (let count = 1; count <= 51; count++) await say(ada.session, `message ${count}`);
    const { hello } = await join('Bob');
    const history = hello.history as { text: string }[];
    expect([history.length, history[0]?.text, history[49]?.text]).toEqual([50, 'message 2', 'message 51']);
  });
});

describe('bad input', () => {
  it('is refused, and nobody hears of it', async () => {
    const { session } = await join('Ada');
    const headers = ['X-Kuiperbelt-Session', session];
    for (const body of ['', 'no json', '{"type":"say"}', '{"type":"say","text":"  "}', 'null', '[]']) {
      expect((await post(`${application.url}/receive`, headers, body)).status, body).toBe(400);
    }
    expect((await post(`${application.url}/receive`, headers, 'x'.repeat(20_000))).status).toBe(413);
    await gateway.list.atLeast(1);
    expect(published()).toHaveLength(1);
  });

  it('becomes a harmless name', async () => {
    await join(`  Eve\u0000\u202e\n${'x'.repeat(50)}  `);
    await join('');
    const [eve, guest] = await gateway.list.atLeast(2);
    expect(eve?.event.name).toBe(`Eve ${'x'.repeat(28)}`);
    expect(guest?.event.name).toMatch(/^guest-[0-9a-f]{4}$/);
  });
});

describe('a page', () => {
  it('of another site may not connect; ours and programs may', async () => {
    const connect = async (origin: string | null): Promise<number> => {
      const headers = origin === null ? [] : ['Origin', origin];
      return (await request({ url: `${application.url}/connect?name=Ada`, headers })).status;
    };
    expect(await connect('https://elsewhere.example')).toBe(403);
    expect(await connect('null')).toBe(403);
    expect(published()).toEqual([]);
    expect(await connect(application.url)).toBe(200);
    expect(await connect('http://localhost:12346')).toBe(200);
    expect(await connect(null)).toBe(200);
  });
});

describe('the gateway', () => {
  it('gets the token that it asks for', async () => {
    application = await startChat({ GATEWAY_URL: gateway.url, GATEWAY_TOKEN: 'secret' });
    await join('Ada');
    const [first] = await gateway.list.atLeast(1);
    expect(first?.authorization).toBe('Bearer secret');
  });

  it('that refuses a message makes its receive callback fail', async () => {
    const { session } = await join('Ada');
    gateway.status = 503;
    expect((await say(session, 'hello')).status).toBe(502);
  });
});

describe('the page', () => {
  it('is told where to connect, and may connect nowhere else', async () => {
    const page = await request({ url: `${application.url}/` });
    const socketUrl = gateway.url.replace('http:', 'ws:');
    expect(page.text).toContain(`content="${socketUrl}/connect"`);
    expect(page.header('Content-Security-Policy')).toContain(`connect-src ${socketUrl} ${gateway.url};`);
    for (const [path, type] of [
      ['/chat.js', 'text/javascript'],
      ['/arrokoth/index.js', 'text/javascript'],
      ['/arrokoth/arrokoth-socket.js', 'text/javascript'],
      ['/chat.css', 'text/css'],
    ]) {
      const part = await request({ url: application.url + path });
      expect([part.status, part.header('Content-Type')]).toEqual([200, `${type}; charset=utf-8`]);
    }
  });

  it('escapes the address that it is given', async () => {
    application = await startChat({ WEBSOCKET_URL: 'ws://h/"><script>' });
    const page = await request({ url: `${application.url}/` });
    expect(page.text).not.toContain('"><script>');
    expect(page.text).toContain('ws://h/&#34;&#62;&#60;script&#62;');
  });

  it('is all there is', async () => {
    expect((await request({ url: `${application.url}/app.mjs` })).status).toBe(404);
    expect((await request({ url: `${application.url}/healthz` })).text).toBe('ok\n');
  });
});

it('says what to do when the module of the page was not built', () => {
  const folder = temporaryFolder();
  for (const part of ['package.json', 'examples/chat']) {
    cpSync(`${ROOT}/${part}`, `${folder}/${part}`, { recursive: true });
  }
  const run = spawnSync(process.execPath, ['examples/chat/app.mjs'], { cwd: folder, encoding: 'utf8' });
  expect([run.status, run.stdout]).toEqual([1, '']);
  expect(run.stderr).toContain('npm run build');
});

it.each([
  ['is told to', () => application.child.kill('SIGTERM')],
  ['has lost the program that started it', () => application.child.disconnect()],
])('ends when it %s', async (_, end) => {
  const ended = new Promise((resolve) => application.child.once('exit', (code) => resolve(code)));
  end();
  expect(await ended).toBe(0);
});
