import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { AwaitedList } from '../../../test/support/index.ts';
import {
  answerOf,
  DEFAULTS,
  failureOf,
  makeClient,
  mirror,
  mirrored,
  serve,
  serveBytes,
  textOf,
} from '../testdata/called-application.ts';

describe('what is sent', () => {
  test('headers as given, with what HTTP needs besides', async () => {
    const url = await serve(mirror);
    const headers = ['x-Odd', '1', 'X-Odd', '2', 'Host', 'forged', 'Content-Length', '99'];
    const seen = mirrored(await answerOf(makeClient(), { url: `${url}/a?b=c`, method: 'POST', headers }));
    expect(seen).toMatchObject({ method: 'POST', url: '/a?b=c', body: '' });
    expect(seen.rawHeaders).toEqual([
      ...['Host', url.slice('http://'.length), 'x-Odd', '1', 'X-Odd', '2', 'User-Agent', 'Arrokoth'],
      ...['Accept-Encoding', 'gzip', 'Content-Length', '0', 'Connection', 'keep-alive'],
    ]);
  });

  test('a body with its length, or in chunks when asked, even an empty one', async () => {
    const url = await serve(mirror);
    const client = makeClient();
    const body = Buffer.from('payload');
    const plain = mirrored(await answerOf(client, { url, method: 'POST', body }));
    expect(plain.body).toBe('payload');
    expect(plain.rawHeaders.join()).toContain('Content-Length,7');
    for (const [given, got] of [
      [body, 'payload'],
      [null, ''],
    ] as const) {
      const chunked = mirrored(await answerOf(client, { url, method: 'POST', body: given, chunked: true }));
      expect(chunked.body).toBe(got);
      expect(chunked.rawHeaders.join()).toContain('Transfer-Encoding,chunked');
      expect(chunked.rawHeaders.join()).not.toContain('Content-Length');
    }
  });

  test('a header that cannot be written fails the call and nothing else', async () => {
    const url = await serve(mirror);
    const headers = ['X-Key', 'a\r\nX-Forged: 1'];
    expect(await failureOf(makeClient(), { url, headers })).toBe('malformed');
  });

  test('sockets are kept and used again', async () => {
    const ports = new Set<number | undefined>();
    const url = await serve((request, response) => {
      ports.add(request.socket.remotePort);
      response.end();
    });
    const client = makeClient();
    for (let index = 0; index < 3; index++) await answerOf(client, { url });
    expect(ports.size).toBe(1);
  });
});

describe('what is understood', () => {
  const bareLines = 'HTTP/1.0 200 OK\nX-Kuiperbelt-Session: alice\nX-Two: a\nX-Two: b\n\nhello\n';

  test('an HTTP/1.0 answer with bare line feeds that ends with the stream', async () => {
    const url = await serveBytes((socket) => socket.once('data', () => socket.end(bareLines)));
    const answer = await answerOf(makeClient(), { url });
    expect(answer.header('x-kuiperbelt-session')).toBe('alice');
    expect(answer.headerLines('X-TWO')).toEqual(['a', 'b']);
    expect(textOf(answer)).toBe('hello\n');
  });

  test('the same, sent before the request was read, as nc does', async () => {
    const url = await serveBytes((socket) => {
      socket.end(bareLines);
      socket.resume();
    });
    for (const method of ['GET', 'POST']) {
      const answer = await answerOf(makeClient(), { url, method, body: Buffer.alloc(10) });
      expect(textOf(answer)).toBe('hello\n');
    }
  });

  test('gzip that we asked for is inflated, and its headers go', async () => {
    const url = await serve((_request, response) => {
      response.setHeader('Content-Encoding', 'gzip');
      response.end(gzipSync('plain words'));
    });
    const answer = await answerOf(makeClient(), { url });
    expect(textOf(answer)).toBe('plain words');
    expect(answer.header('content-encoding')).toBeUndefined();
    expect(answer.header('content-length')).toBeUndefined();
    const raw = await answerOf(makeClient(), { url, headers: ['Accept-Encoding', 'gzip'] });
    expect(raw.header('content-encoding')).toBe('gzip');
    expect([...raw.body.subarray(0, 2)]).toEqual([0x1f, 0x8b]);
  });
});

describe('bounds', () => {
  test('a body beyond the bound, announced or not, fails the call', async () => {
    const url = await serve((request, response) => {
      if (request.url === '/announced') response.setHeader('Content-Length', 101);
      response.write('x'.repeat(60));
      response.end('x'.repeat(41));
    });
    const client = makeClient();
    expect(await failureOf(client, { url: `${url}/announced`, replyBytesMax: 100 })).toBe('too_large');
    expect(await failureOf(client, { url, replyBytesMax: 100 })).toBe('too_large');
    expect(await failureOf(client, { url, replyBytesMax: 101 })).toBe('answered 200');
  });

  test('a gzip bomb is not inflated beyond the bound', async () => {
    const bomb = gzipSync(Buffer.alloc(50_000_000));
    const url = await serve((_request, response) => {
      response.setHeader('Content-Encoding', 'gzip');
      response.end(bomb);
    });
    expect(await failureOf(makeClient(), { url, replyBytesMax: 100_000 })).toBe('too_large');
  });

  test('damaged gzip, a cut body and nonsense are malformed', async () => {
    const url = await serve((_request, response) => {
      response.setHeader('Content-Encoding', 'gzip');
      response.end('not gzip');
    });
    const cut = await serveBytes((socket) =>
      socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf')),
    );
    const nonsense = await serveBytes((socket) => socket.end('220 mail.example ESMTP\r\n'));
    for (const target of [url, cut, nonsense]) {
      expect(await failureOf(makeClient(), { url: target })).toBe('malformed');
    }
  });

  test('further calls wait for a place, and fail when there is none to wait in', async () => {
    const held = new AwaitedList<() => void>('requests');
    const url = await serve((_request, response) => held.push(() => response.end()));
    const client = makeClient({ maxInFlight: 1, maxQueued: 1 });
    const first = failureOf(client, { url });
    const second = failureOf(client, { url });
    expect(await failureOf(client, { url })).toBe('busy');
    expect(client.inFlight).toBe(1);
    (await held.atLeast(1))[0]?.();
    expect(await first).toBe('answered 200');
    (await held.atLeast(2))[1]?.();
    expect(await second).toBe('answered 200');
    expect(client.inFlight).toBe(0);
  });

  test('a bad URL fails, and so do calls to a closed port and of a closed client', async () => {
    const client = makeClient();
    for (const url of ['', '/relative', 'ftp://127.0.0.1/']) {
      expect(await failureOf(client, { url })).toBe('bad_url');
    }
    expect(await failureOf(client, { url: 'http://127.0.0.1:1/' })).toBe('unreachable');
    const url = await serveBytes(() => {});
    const running = failureOf(client, { url });
    client.close();
    expect(await running).toBe('unreachable');
    expect(await failureOf(client, { url })).toBe('unreachable');
  });

  test('an answer is never given within the call', () => {
    let answered = false;
    makeClient().call({ ...DEFAULTS, url: '' }, () => {
      answered = true;
    });
    expect(answered).toBe(false);
  });
});

describe('redirects', () => {
  async function redirecting(status: number, location: string): Promise<string> {
    return serve((request, response) => {
      if (request.url !== '/from') mirror(request, response);
      else response.writeHead(status, location === '' ? {} : { Location: location }).end('moved');
    });
  }
  const post = { method: 'POST', body: Buffer.from('kept'), headers: ['Content-Type', 'text/plain'] };

  test('303 and its kin become a GET without a body', async () => {
    for (const status of [301, 302, 303]) {
      const url = await redirecting(status, '/to');
      const seen = mirrored(await answerOf(makeClient(), { url: `${url}/from`, redirectsMax: 1, ...post }));
      expect(seen).toMatchObject({ method: 'GET', url: '/to', body: '' });
      expect(seen.rawHeaders).not.toContain('Content-Type');
    }
  });

  test('307 and 308 keep method and body', async () => {
    for (const status of [307, 308]) {
      const url = await redirecting(status, '/to');
      const seen = mirrored(await answerOf(makeClient(), { url: `${url}/from`, redirectsMax: 1, ...post }));
      expect(seen).toMatchObject({ method: 'POST', url: '/to', body: 'kept' });
    }
  });

  test('credentials stay with the host they were meant for', async () => {
    const other = await serve(mirror);
    const url = await redirecting(302, `${other}/to`);
    const headers = ['Authorization', 'Bearer t', 'Cookie', 'c=1', 'X-Kuiperbelt-Endpoint', 'e'];
    const seen = mirrored(await answerOf(makeClient(), { url: `${url}/from`, headers, redirectsMax: 1 }));
    expect(seen.rawHeaders).toContain('X-Kuiperbelt-Endpoint');
    expect(seen.rawHeaders.join()).not.toMatch(/Bearer t|c=1/);
  });

  test('are not followed for ever, to nowhere, or without leave', async () => {
    const client = makeClient();
    const loop = await redirecting(302, '/from');
    expect(await failureOf(client, { url: `${loop}/from`, redirectsMax: 10 })).toBe('redirects');
    const alien = await redirecting(302, 'ftp://127.0.0.1/');
    expect(await failureOf(client, { url: `${alien}/from`, redirectsMax: 10 })).toBe('bad_url');
    const nowhere = await redirecting(302, '');
    expect(await failureOf(client, { url: `${nowhere}/from`, redirectsMax: 10 })).toBe('answered 302');
    expect(await failureOf(client, { url: `${loop}/from` })).toBe('answered 302');
  });
});

describe('a kept socket that turns out to be dead', () => {
  /** Answers the first request of each socket and resets at the second. */
  async function forgetful(requests: string[]): Promise<string> {
    return serveBytes((socket) => {
      let answered = false;
      socket.on('data', (chunk) => {
        requests.push(chunk.toString().slice(0, 4).trim());
        if (answered) socket.resetAndDestroy();
        else socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
        answered = true;
      });
    });
  }

  test('costs a GET one more attempt', async () => {
    const requests: string[] = [];
    const url = await forgetful(requests);
    const client = makeClient();
    expect(await failureOf(client, { url })).toBe('answered 200');
    expect(await failureOf(client, { url })).toBe('answered 200');
    expect(requests).toEqual(['GET', 'GET', 'GET']);
  });

  test('fails a POST that may have been received', async () => {
    const requests: string[] = [];
    const url = await forgetful(requests);
    const client = makeClient();
    expect(await failureOf(client, { url })).toBe('answered 200');
    expect(await failureOf(client, { url, method: 'POST' })).toBe('unreachable');
    expect(requests).toEqual(['GET', 'POST']);
  });
});
