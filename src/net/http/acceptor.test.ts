import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { CollectedLog } from '../../../test/fakes/collected-log.ts';
import { bindLoopback } from '../testdata/test-server.ts';
import type { ListenHandle } from '../types.ts';
import { Acceptor } from './acceptor.ts';

const ECONNABORTED = -103;

test('a failure is told, and the next client is accepted all the same', async () => {
  const { handle, port } = await bindLoopback();
  const logger = new CollectedLog();
  const acceptor = new Acceptor({ logger, gate: null, accepted: (socket: Socket) => socket.end('hello') });
  acceptor.listen(handle);
  // What libuv does when the kernel refuses to accept.
  (handle as ListenHandle & { onconnection(status: number): void }).onconnection(ECONNABORTED);
  expect(logger.lines.map(({ message }) => message)).toEqual(['cannot accept']);
  const client = connect(port, '127.0.0.1');
  expect(String((await once(client, 'data'))[0])).toBe('hello');
  client.destroy();
  acceptor.stop();
});
