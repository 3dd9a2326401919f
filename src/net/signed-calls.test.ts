/** When the client asks for a signature, and when it must not. */
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { cleanUpAfterwards } from '../../test/support/index.ts';
import type { SignableRequest } from '../relay/index.ts';
import { systemTimers } from '../system/index.ts';
import { HttpClient } from './client/http-client.ts';
import type { HttpCall } from './types.ts';

interface Seen {
  readonly target: string;
  readonly signature: string | undefined;
}

async function serve(seen: Seen[], handle: RequestListener): Promise<string> {
  const server = createServer((request, response) => {
    seen.push({ target: request.url ?? '', signature: request.headers['x-signature'] as string | undefined });
    handle(request, response);
  });
  cleanUpAfterwards(() => {
    server.closeAllConnections();
    server.close();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A client whose signatures count. */
function makeClient(signed: SignableRequest[]): HttpClient {
  const sign = (request: SignableRequest): string[] => {
    signed.push({ ...request, headers: [...request.headers] });
    return ['X-Signature', String(signed.length)];
  };
  const options = { maxInFlight: 2, maxQueued: 0, timers: systemTimers, allowPrivateRedirects: true };
  const client = new HttpClient({ ...options, sign });
  cleanUpAfterwards(() => client.close());
  return client;
}

function call(client: HttpClient, patch: Partial<HttpCall> & { readonly url: string }): Promise<boolean> {
  const base = { method: 'POST', headers: [], body: null, timeoutMs: 5_000, replyBytesMax: 1_024 };
  return new Promise((resolve) =>
    client.call({ ...base, redirectsMax: 3, ...patch }, (result) => resolve(result.ok)),
  );
}

test('what is signed is what goes out', async () => {
  const seen: Seen[] = [];
  const signed: SignableRequest[] = [];
  const url = await serve(seen, (_request, response) => response.end());
  const body = Buffer.from('hello');
  const headers = ['X-Key', 'a', 'Content-Type', 'text/plain'];
  expect(await call(makeClient(signed), { url: `${url}/a?b=c#d`, body, headers })).toBe(true);
  expect(signed).toMatchObject([{ method: 'POST', target: '/a?b=c', body }]);
  expect(signed[0]?.headers.join()).toContain('X-Key,a,Content-Type,text/plain');
  expect(seen).toEqual([{ target: '/a?b=c', signature: '1' }]);
});

test('a redirect within the host is signed for its own target, one to another host not at all', async () => {
  const seen: Seen[] = [];
  const signed: SignableRequest[] = [];
  const other = await serve(seen, (_request, response) => response.end());
  const url = await serve(seen, (request, response) => {
    const location = request.url === '/1' ? '/2' : `${other}/3`;
    response.writeHead(303, { Location: location }).end();
  });
  expect(await call(makeClient(signed), { url: `${url}/1`, body: Buffer.from('x') })).toBe(true);
  expect(signed.map(({ method, target, body }) => [method, target, body])).toEqual([
    ['POST', '/1', Buffer.from('x')],
    ['GET', '/2', null],
  ]);
  expect(seen).toEqual([
    { target: '/1', signature: '1' },
    { target: '/2', signature: '2' },
    { target: '/3', signature: undefined },
  ]);
});

test('a repeated attempt is signed anew, because the first may have been seen', async () => {
  const seen: Seen[] = [];
  const signed: SignableRequest[] = [];
  const url = await serve(seen, (request, response) => {
    if (seen.length === 2) request.socket.destroy();
    else response.end();
  });
  const client = makeClient(signed);
  expect(await call(client, { url, method: 'GET' })).toBe(true);
  expect(await call(client, { url, method: 'GET' })).toBe(true);
  expect(seen.map(({ signature }) => signature)).toEqual(['1', '2', '3']);
});
