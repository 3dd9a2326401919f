/**
 * A server on a free port of the loopback for the tests of this room.
 *
 * Its upgrade handler accepts everything and keeps what its connections said; a test that wants it
 * otherwise passes handlers of its own. Everything ends with the test.
 */
import { CollectedLog } from '../../../test/fakes/collected-log.ts';
import { AwaitedList, cleanUpAfterwards } from '../../../test/support/index.ts';
import { bindTcp } from '../../process/index.ts';
import { systemClock, systemTimers } from '../../system/index.ts';
import {
  type Connection,
  type ConnectionEnd,
  type ConnectionEvents,
  HttpServer,
  type HttpServerOptions,
  type ListenHandle,
} from '../index.ts';

/** A message as a role got it. */
export interface SeenMessage {
  readonly connection: Connection;
  readonly text: string;
  readonly binary: boolean;
}

/** A server, its port, and what its connections did. */
export interface TestServer {
  readonly server: HttpServer;
  readonly port: number;
  readonly log: CollectedLog;
  readonly accepted: AwaitedList<Connection>;
  readonly messages: AwaitedList<SeenMessage>;
  readonly ends: AwaitedList<ConnectionEnd>;
  readonly events: ConnectionEvents<unknown>;
}

/** Small bounds, no timeouts that a test could meet by accident. */
export const DEFAULT_OPTIONS = {
  limits: { headerBytesMax: 8_192, headerLinesMax: 100, handshakeTimeoutMs: 10_000, messageBytesMax: 65_536 },
  slowClient: { policy: 'close', queueBytesMax: 1_048_576, queueMessagesMax: 1_024 },
  idleTimeoutMs: 0,
  ping: { intervalMs: 0, timeoutMs: 0 },
  clock: systemClock,
  timers: systemTimers,
} as const;

/** A bound address on the loopback, given up with the test. */
export async function bindLoopback(): Promise<{ readonly handle: ListenHandle; readonly port: number }> {
  const bound = await bindTcp({ host: '127.0.0.1', port: 0 });
  if (!bound.ok) throw bound.error;
  cleanUpAfterwards(() => bound.value.close());
  return { handle: bound.value.handle, port: bound.value.port as number };
}

/** Starts a server; `options` replace the defaults one by one. */
export async function startServer(options: Partial<HttpServerOptions> = {}): Promise<TestServer> {
  const log = new CollectedLog();
  const accepted = new AwaitedList<Connection>('connections');
  const messages = new AwaitedList<SeenMessage>('messages');
  const ends = new AwaitedList<ConnectionEnd>('ends');
  const events: ConnectionEvents<unknown> = {
    message: (connection, payload, binary) =>
      messages.push({ connection, text: Buffer.from(payload).toString('utf8'), binary }),
    ended: (_connection, end) => ends.push(end),
  };
  const server = new HttpServer({
    ...DEFAULT_OPTIONS,
    logger: log,
    handlers: {
      request: (_request, response) => response.send(404, [], 'plain'),
      upgrade: (request) => {
        const connection = request.accept(null, events);
        if (connection !== null) accepted.push(connection as Connection);
      },
    },
    ...options,
  });
  const { handle, port } = await bindLoopback();
  server.listen(handle);
  cleanUpAfterwards(() => server.close(0));
  return { server, port, log, accepted, messages, ends, events };
}
