/** Binding without listening: which address is had, which is refused, and with which words. */
import { existsSync, linkSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type BoundListener, bindTcp, bindUnix } from './index.ts';

const open: { close(): unknown }[] = [];
let dir = '';

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'arrokoth-bind-'));
});

afterEach(() => {
  for (const one of open.splice(0)) one.close();
  rmSync(dir, { recursive: true });
});

async function bound(binding: ReturnType<typeof bindTcp>): Promise<BoundListener> {
  const result = await binding;
  if (!result.ok) throw result.error;
  open.push(result.value);
  return result.value;
}

async function refusal(binding: ReturnType<typeof bindTcp>): Promise<string> {
  const result = await binding;
  if (result.ok) {
    open.push(result.value);
    return 'was bound';
  }
  expect(result.error.code).toBe('LISTEN_FAILED');
  return result.error.message;
}

async function listening(where: { host: string; port: number } | { path: string }): Promise<net.Server> {
  const server = net.createServer((socket) => socket.destroy());
  open.push(server);
  await new Promise<void>((resolve) => server.listen(where, resolve));
  return server;
}

describe('TCP', () => {
  test('a free port is drawn and named, and nobody listens on it yet', async () => {
    const listener = await bound(bindTcp({ host: '127.0.0.1', port: 0 }));
    expect(listener.address).toBe(`127.0.0.1:${listener.port}`);
    const error = await new Promise<NodeJS.ErrnoException>((resolve) => {
      net.connect(listener.port ?? 0, '127.0.0.1').once('error', resolve);
    });
    expect(error.code).toBe('ECONNREFUSED');
  });

  test('no host means all interfaces', async () => {
    const listener = await bound(bindTcp({ host: null, port: 0 }));
    expect(listener.address).toMatch(/^(\[::\]|0\.0\.0\.0):\d+$/);
  });

  test('a host may be a name', async () => {
    const listener = await bound(bindTcp({ host: 'localhost', port: 0 }));
    expect(listener.address).toMatch(/^(127\.0\.0\.1|\[::1\]):\d+$/);
  });

  test('an address in use is refused and named', async () => {
    const server = await listening({ host: '127.0.0.1', port: 0 });
    const { port } = server.address() as net.AddressInfo;
    expect(await refusal(bindTcp({ host: '127.0.0.1', port }))).toContain(
      `Another program listens on 127.0.0.1:${port}.`,
    );
  });

  test('an address of another host is refused', async () => {
    expect(await refusal(bindTcp({ host: '192.0.2.1', port: 0 }))).toContain(
      'This host does not have the address of 192.0.2.1:0.',
    );
  });

  test('closing twice gives the address up once', async () => {
    const listener = await bound(bindTcp({ host: '127.0.0.1', port: 0 }));
    listener.close();
    listener.close();
    await bound(bindTcp({ host: '127.0.0.1', port: listener.port ?? 0 }));
  });
});

describe('unix sockets', () => {
  test('the path exists while it is bound', async () => {
    const path = join(dir, 'a.sock');
    const listener = await bound(bindUnix(path));
    expect(listener).toMatchObject({ address: path, port: null });
    expect(existsSync(path)).toBe(true);
    listener.close();
    expect(existsSync(path)).toBe(false);
  });

  test('a path that a dead process left behind is taken over', async () => {
    const path = join(dir, 'a.sock');
    // A hard link survives the unlinking at the end of a server, as the path survives a kill.
    const server = await listening({ path: join(dir, 'b.sock') });
    linkSync(join(dir, 'b.sock'), path);
    await new Promise((resolve) => server.close(resolve));
    expect(existsSync(path)).toBe(true);
    await bound(bindUnix(path));
  });

  test('a path that somebody answers on is refused, and still answers', async () => {
    const path = join(dir, 'a.sock');
    await listening({ path });
    expect(await refusal(bindUnix(path))).toContain(`Another program listens on ${path}.`);
    await new Promise<void>((resolve, reject) => {
      net.connect(path).once('connect', resolve).once('error', reject);
    });
  });

  test('a file that is no socket is left alone', async () => {
    const path = join(dir, 'precious');
    writeFileSync(path, 'data');
    expect(await refusal(bindUnix(path))).toContain('is not a socket');
    expect(existsSync(path)).toBe(true);
  });

  test('a missing directory and a path too long are named', async () => {
    expect(await refusal(bindUnix(join(dir, 'none', 'a.sock')))).toContain(join(dir, 'none'));
    expect(await refusal(bindUnix(join(dir, 'a'.repeat(120))))).toContain('longer than the 107 bytes');
  });
});
