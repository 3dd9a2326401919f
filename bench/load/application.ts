/**
 * The application behind the gateway: admits every client under the key it asks for, puts it into
 * the one channel, and counts what clients say.
 *
 * It lives in the load maker, on the maker's core, because a round trip of a callback can be timed
 * only where both its ends are. A raw socket server: `node:http` would cost more than the callbacks
 * that are to be measured.
 */
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { CHANNEL } from './crowd.ts';
import { type HttpMessage, HttpStream } from './http-message.ts';

/** Gets the body of each receive callback once it has been answered. */
export interface ReceiveSink {
  received(buffer: Buffer, start: number, end: number): void;
}

const OK = Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n', 'latin1');
const NOT_FOUND = 'HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n';

/** The application's server. */
export class Application {
  sink: ReceiveSink | null = null;

  /** Listens on a free port and returns the URL that callback paths are appended to. */
  listen(): Promise<string> {
    const server = createServer({ noDelay: true }, (socket) => this.#serve(socket));
    return new Promise((resolve) => {
      server.listen(0, '127.0.0.1', () =>
        resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
      );
    });
  }

  #serve(socket: Socket): void {
    const requests = new HttpStream();
    // The server under test is killed at the end of a round, callbacks in flight or not.
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk) => {
      requests.push(chunk as Buffer, (message, buffer) => this.#answer(socket, message, buffer));
    });
  }

  #answer(socket: Socket, message: HttpMessage, buffer: Buffer): void {
    const { head } = message;
    if (head.startsWith('POST /receive')) {
      socket.write(OK);
      this.sink?.received(buffer, message.bodyStart, message.bodyEnd);
    } else if (head.startsWith('GET /connect?key=')) {
      const key = head.slice('GET /connect?key='.length, head.indexOf(' HTTP/'));
      socket.write(
        `HTTP/1.1 200 OK\r\nX-Kuiperbelt-Session: ${key}\r\nX-Kuiperbelt-Channel: ${CHANNEL}\r\n` +
          'Content-Length: 0\r\n\r\n',
      );
    } else {
      socket.write(head.startsWith('POST /close') ? OK : NOT_FOUND);
    }
  }
}
