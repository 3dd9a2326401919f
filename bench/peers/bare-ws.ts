/**
 * How the yardstick is started; the server itself is `bare-ws.mjs`.
 */
import { join } from 'node:path';
import { COMPRESSION, type Peer } from './peer.ts';

const SERVER = join(import.meta.dirname, 'bare-ws.mjs');

/** A bare `ws` server. */
export const BARE_WS: Peer = {
  name: 'bare-ws',
  command: ({ port, applicationUrl, compression, certificate }) => ({
    arguments: [SERVER],
    environment: {
      BENCH_PORT: String(port),
      BENCH_APPLICATION_URL: applicationUrl,
      BENCH_COMPRESSION: JSON.stringify(compression ? COMPRESSION : null),
      ...(certificate === null ? {} : { BENCH_CERT: certificate.cert, BENCH_KEY: certificate.key }),
    },
  }),
};

/** The same once more: measured against itself it shows how far from 1.00 noise alone leads. */
export const BARE_WS_TWIN: Peer = { ...BARE_WS, name: 'bare-ws-twin' };
