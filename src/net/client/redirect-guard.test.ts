/** Where redirects may lead: by table, and with sockets behind a resolver that lies. */
import { createServer, type RequestListener } from 'node:http';
import { type AddressInfo, isIP, type LookupFunction } from 'node:net';
import { describe, expect, test } from 'vitest';
import { AwaitedList, cleanUpAfterwards } from '../../../test/support/index.ts';
import { systemTimers } from '../../system/index.ts';
import { HttpClient, type HttpClientOptions } from './http-client.ts';
import { RedirectGuard } from './redirect-guard.ts';

const strict = new RedirectGuard({ allowPrivate: false });
const lenient = new RedirectGuard({ allowPrivate: true });
const refusedBy = (guard: RedirectGuard, address: string): boolean => guard.literalRefusal(address) !== null;

describe('addresses', () => {
  test.each([
    ...['169.254.0.1', '169.254.169.254', 'fe80::1', 'fe80::1%eth0', 'febf:ffff::1'],
    ...['100.100.100.200', '168.63.129.16', '192.0.0.192', 'fd00:ec2::254', 'fd20:ce::254'],
    ...['0.0.0.0', '0.1.2.3', '::', '224.0.0.1', 'ff02::1', '240.0.0.1', '255.255.255.255'],
    ...['::ffff:169.254.169.254', '::ffff:a9fe:a9fe', '64:ff9b::a9fe:a9fe', '2002:a9fe:a9fe::1'],
    ...['::169.254.169.254', '::ffff:0.0.0.0'],
  ])('%s is never allowed', (address) => {
    expect([refusedBy(strict, address), refusedBy(lenient, address)]).toEqual([true, true]);
  });

  test.each([
    ...['127.0.0.1', '127.255.255.254', '::1', '10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.1.1'],
    ...['100.64.0.1', '100.127.255.255', '198.18.0.1', 'fc00::1', 'fd12:3456::1', 'fec0::1'],
    ...['::ffff:127.0.0.1', '::ffff:7f00:1', '::ffff:10.1.2.3', '64:ff9b::a00:1', '2002:7f00:1::'],
    ...['::127.0.0.1', '64:ff9b:1::808:808', '2001:0:1::1'],
  ])('%s is allowed when private addresses are', (address) => {
    expect([refusedBy(strict, address), refusedBy(lenient, address)]).toEqual([true, false]);
  });

  test.each([
    ...['8.8.8.8', '1.1.1.1', '169.253.255.255', '169.255.0.0', '172.15.255.255', '172.32.0.0', '11.0.0.1'],
    ...['100.63.255.255', '100.128.0.0', '128.0.0.1', '223.255.255.255', '2606:4700::1111', '2a00::1'],
    ...['::ffff:8.8.8.8', '64:ff9b::808:808', '2002:808:808::1'],
  ])('%s is allowed', (address) => {
    expect([refusedBy(strict, address), refusedBy(lenient, address)]).toEqual([false, false]);
  });
});

interface Inside {
  readonly port: number;
  readonly seen: AwaitedList<string>;
}

/** A server on every loopback address of its family, which writes down what reaches it. */
async function serve(handle: RequestListener): Promise<Inside> {
  const seen = new AwaitedList<string>('requests');
  const server = createServer((request, response) => {
    seen.push(`${request.headers.host} ${request.url}`);
    handle(request, response);
  });
  cleanUpAfterwards(() => {
    server.closeAllConnections();
    server.close();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { port: (server.address() as AddressInfo).port, seen };
}

const answering: RequestListener = (_request, response) => response.end('inside');
const redirectingTo =
  (location: string): RequestListener =>
  (_request, response) =>
    response.writeHead(302, { Location: location }).end();

/** Resolves names by turns; a literal must never come here. */
function resolver(...turns: (readonly string[])[]): { resolve: LookupFunction; asked: string[] } {
  const asked: string[] = [];
  const resolve: LookupFunction = (hostname, options, callback) => {
    expect(isIP(hostname)).toBe(0);
    const addresses = turns[Math.min(asked.length, turns.length - 1)] as readonly string[];
    asked.push(hostname);
    const found = addresses.map((address) => ({ address, family: isIP(address) }));
    if (options.all === true) callback(null, found);
    else callback(null, found[0]?.address ?? '', found[0]?.family);
  };
  return { resolve, asked };
}

interface Outcome {
  readonly text: string;
  readonly refused: number;
}

async function follow(url: string, options: Partial<HttpClientOptions> = {}): Promise<Outcome> {
  const client = new HttpClient({ maxInFlight: 2, maxQueued: 0, timers: systemTimers, ...options });
  cleanUpAfterwards(() => client.close());
  const call = { method: 'GET', url, headers: [], body: null, timeoutMs: 5_000, replyBytesMax: 1_024 };
  const text = await new Promise<string>((resolve) =>
    client.call({ ...call, redirectsMax: 10 }, (result) =>
      resolve(
        result.ok
          ? Buffer.from(result.value.body).toString()
          : `${result.error.kind}: ${result.error.message}`,
      ),
    ),
  );
  return { text, refused: client.redirectsRefused };
}

describe('redirects', () => {
  test.each(['127.0.0.1', '[::1]', '0.0.0.0', '[::ffff:127.0.0.1]', '2130706433', '0x7f.1'])(
    'to another port of %s make no connection',
    async (host) => {
      const inside = await serve(answering);
      const outside = await serve(redirectingTo(`http://${host}:${inside.port}/secret`));
      const { text, refused } = await follow(`http://127.0.0.1:${outside.port}/from`);
      expect(text).toMatch(
        /^redirects: .* was refused, because it leads to an? (loopback|unspecified) address$/,
      );
      expect([refused, inside.seen.items.length]).toEqual([1, 0]);
    },
  );

  test('to the configured host and port are followed, wherever that is', async () => {
    const home: Inside = await serve((request, response) => {
      if (request.url === '/from') response.writeHead(307, { Location: '/to' }).end();
      else response.end('home');
    });
    expect(await follow(`http://127.0.0.1:${home.port}/from`)).toEqual({ text: 'home', refused: 0 });
    expect(await follow(`http://localhost:${home.port}/from`)).toEqual({ text: 'home', refused: 0 });
  });

  test('to a name are judged by the address that is dialled', async () => {
    const inside = await serve(answering);
    const outside = await serve(redirectingTo(`http://app.test:${inside.port}/secret`));
    const { resolve, asked } = resolver(['127.0.0.1']);
    const { text, refused } = await follow(`http://127.0.0.1:${outside.port}/from`, { resolve });
    expect(text).toContain('the redirect to app.test was refused, because it leads to a loopback address');
    expect([refused, asked, inside.seen.items]).toEqual([1, ['app.test'], []]);
  });

  test('are refused when one of several addresses is inside', async () => {
    const outside = await serve(redirectingTo('http://app.test/secret'));
    const { resolve } = resolver(['8.8.8.8', '::ffff:169.254.169.254']);
    const { text } = await follow(`http://127.0.0.1:${outside.port}/from`, { resolve });
    expect(text).toContain('it leads to a link-local address');
  });

  test('do not believe a name a second time: each hop resolves and is judged anew', async () => {
    // First it resolves to a place that is allowed and redirects once more, then to metadata.
    const port = (await serve(answering)).port;
    const hop = await serve((request, response) => {
      if (request.url === '/2') response.writeHead(302, { Location: `http://app.test:${hop.port}/3` }).end();
      else response.end('never');
    });
    expect(port).not.toBe(hop.port);
    const outside = await serve(redirectingTo(`http://app.test:${hop.port}/2`));
    const { resolve, asked } = resolver(['127.0.0.1'], ['169.254.169.254']);
    const options = { resolve, allowPrivateRedirects: true };
    const { text, refused } = await follow(`http://127.0.0.1:${outside.port}/from`, options);
    expect(text).toContain('it leads to a link-local address');
    expect(asked).toEqual(['app.test', 'app.test']);
    expect([refused, hop.seen.items]).toEqual([1, [`app.test:${hop.port} /2`]]);
  });

  test('to private addresses are followed on demand, and what was judged is dialled', async () => {
    const inside = await serve(answering);
    const outside = await serve(redirectingTo(`http://app.test:${inside.port}/secret`));
    const { resolve, asked } = resolver(['127.0.0.1'], ['127.0.0.9']);
    const options = { resolve, allowPrivateRedirects: true };
    const outcome = await follow(`http://127.0.0.1:${outside.port}/from`, options);
    expect(outcome).toEqual({ text: 'inside', refused: 0 });
    expect(asked).toEqual(['app.test']);
  });

  test('over TLS are guarded in the same way', async () => {
    const inside = await serve(answering);
    const outside = await serve(redirectingTo(`https://app.test:${inside.port}/`));
    const { resolve } = resolver(['10.0.0.1']);
    const { text } = await follow(`http://127.0.0.1:${outside.port}/from`, { resolve });
    expect(text).toContain('it leads to a private address');
  });

  test('to names that do not exist fail as ever', async () => {
    const outside = await serve(redirectingTo('http://app.test/'));
    const resolve: LookupFunction = (_hostname, _options, callback) =>
      callback(Object.assign(new Error('no such name'), { code: 'ENOTFOUND' }), '', 0);
    const { text, refused } = await follow(`http://127.0.0.1:${outside.port}/from`, { resolve });
    expect([text, refused]).toEqual(['unreachable: app.test cannot be reached (ENOTFOUND)', 0]);
  });
});
