/**
 * An application in a process of its own, so that a test can kill it; `startBackendProcess` runs it.
 *
 * It says on stdout where it listens and what it is asked, one JSON object a line, each before it is
 * answered. With `hold` it never answers connect callbacks.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const [port = '0', mode = ''] = process.argv.slice(2);
const say = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`);

const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
  const target = new URL(request.url ?? '/', 'http://application');
  const key = target.searchParams.get('key') ?? '';
  const kind = target.pathname.slice(1);
  say({ kind, key, event: request.headers['x-arrokoth-event-id'] ?? '' });
  request.resume();
  if (kind === 'connect' && mode === 'hold') return;
  const headers = kind === 'connect' ? { 'X-Kuiperbelt-Session': key } : {};
  request.on('end', () => response.writeHead(200, headers).end());
});
server.listen(Number(port), '127.0.0.1', () => say({ port: (server.address() as AddressInfo).port }));
