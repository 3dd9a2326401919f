/** The control socket under more askers than it serves. */
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { cleanUpAfterwards, temporaryFolder } from '../../test/support/index.ts';
import { systemTimers } from '../system/index.ts';
import { type ControlHandlers, serveControl } from './control-socket.ts';

const handlers = {
  status: () => Promise.resolve({ ok: false, error: 'asked' }),
} as unknown as ControlHandlers;

/** Everything that an asker is told. */
function told(path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket: Socket = connect(path);
    cleanUpAfterwards(() => void socket.destroy());
    let text = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    socket.on('end', () => resolve(text));
    socket.on('error', reject);
    socket.write('{"command":"status"}\n');
  });
}

test('askers beyond the bound are told so, and hold no place for those who come later', async () => {
  const path = join(temporaryFolder(), 'control.sock');
  const served = await serveControl({ path, handlers, timers: systemTimers });
  if (!served.ok) throw served.error;
  cleanUpAfterwards(() => served.value.close());
  const silent = Array.from({ length: 16 }, () => connect(path));
  for (const socket of silent) cleanUpAfterwards(() => void socket.destroy());
  const refused = await Promise.all(Array.from({ length: 40 }, () => told(path)));
  expect(new Set(refused)).toEqual(new Set(['{"error":"too many commands at once"}\n']));
  for (const socket of silent) socket.destroy();
  await expect.poll(() => told(path)).toBe('{"error":"asked"}\n');
});
