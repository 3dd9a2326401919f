/**
 * Watches one dial: whether the connection stood, and that it does not take too long.
 *
 * What was never connected was never told anything, so the call may go elsewhere. TLS counts as
 * dialling: before its handshake is over, no byte of a request can be read. `http-call.ts` drives it.
 */
import type { ClientRequest } from 'node:http';
import type { Socket } from 'node:net';
import type { Timers } from '../../base/index.ts';

/** One dial of one request. */
export class DialWatch {
  #stood = false;

  /** After `timeoutMs` without a connection the request fails with `ETIMEDOUT`. */
  constructor(dialled: { request: ClientRequest; socket: Socket }, timeoutMs: number, timers: Timers) {
    const { request, socket } = dialled;
    const bound = timers.after(timeoutMs, () => {
      request.destroy(Object.assign(new Error('not connected in time'), { code: 'ETIMEDOUT' }));
    });
    request.once('close', () => bound.cancel());
    socket.once('encrypted' in socket ? 'secureConnect' : 'connect', () => {
      this.#stood = true;
      bound.cancel();
    });
  }

  /** Whether there was a connection at any time. */
  get stood(): boolean {
    return this.#stood;
  }
}
