/**
 * A worker for tests: greets whoever connects with its process id.
 *
 * It answers `grant` with `load` (how many it has greeted) and `drain` with `drained` and its exit; a
 * lost supervisor makes it say so and exit too. With `SLOW_START` in its environment it looks at its
 * messages late.
 */
import net from 'node:net';
import { NO_STATS, openWorkerChannel } from '../index.ts';

const channel = openWorkerChannel();
let greeted = 0;

const server = net.createServer((socket) => {
  socket.on('error', () => {});
  socket.end(`hello from ${process.pid}\n`);
  greeted++;
});

function start(): void {
  channel.onMessage((message, handle) => {
    if (message.type === 'listen' && handle !== null) server.listen(handle);
    if (message.type === 'unlisten') server.close();
    if (message.type === 'grant') {
      channel.send({ type: 'load', stats: { ...NO_STATS, totalConnections: greeted } });
    }
    if (message.type === 'drain') {
      const drained = { type: 'drained', connectionsClosed: greeted, closeCallbacksGivenUp: 0 } as const;
      channel.send(drained, () => process.exit(0));
    }
  });
  channel.send({ type: 'ready' });
}

channel.onLost(() => {
  process.stdout.write('supervisor lost\n', () => process.exit(7));
});
if (process.env.SLOW_START === undefined) start();
else setTimeout(start, 50);
