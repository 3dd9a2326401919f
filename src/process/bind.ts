/**
 * Listening sockets that are bound here and accept elsewhere.
 *
 * The supervisor binds each socket once and hands the handle to its workers, which listen on it; it
 * never listens itself, so it can neither steal a client nor lose one when a worker dies (ADR-0002).
 * This is the one file that touches Node's unofficial way of binding without listening.
 */
import { lookup } from 'node:dns/promises';
import { lstatSync, unlinkSync } from 'node:fs';
import net from 'node:net';
import { dirname } from 'node:path';
import { getSystemErrorName } from 'node:util';
import { ArrokothError, assert, failed, ok, type Result } from '../base/index.ts';

/** A bound socket on its way to a worker. Opaque; `net/` knows how to listen on it. */
export type ListenHandle = object & { readonly listenHandle?: never };

/** A socket that is bound and does not listen. */
export interface BoundListener {
  readonly handle: ListenHandle;
  /** As people write it, with the port that was got: `127.0.0.1:9180`, `[::]:9180`, `/run/a.sock`. */
  readonly address: string;
  /** Null for a unix socket. */
  readonly port: number | null;
  /** Gives the address up; a unix socket's path is removed. A second call does nothing. */
  close(): void;
}

/** Why an address could not be had, as the system's error name. */
type SystemError = string;

interface NativeHandle {
  close(): void;
  getsockname?(out: { address?: string; port?: number }): number;
}

type CreateServerHandle = (
  address: string | null,
  port: number,
  addressType: number,
) => NativeHandle | number;

/** What fits into `sun_path` on Linux beside its closing zero; the system would cut a longer path off. */
const UNIX_PATH_BYTES_MAX = 107;

/** Binds a TCP socket; `host` null means all interfaces, IPv6 included where the host has it. */
export async function bindTcp(wanted: {
  readonly host: string | null;
  readonly port: number;
}): Promise<Result<BoundListener, ArrokothError>> {
  const shown = showTcp(wanted.host ?? '*', wanted.port);
  let host = wanted.host;
  if (host !== null && net.isIP(host) === 0) {
    try {
      host = (await lookup(host)).address;
    } catch (cause) {
      const details = `The host name of ${shown} is unknown here.`;
      return failed(new ArrokothError('LISTEN_FAILED', details, { cause }));
    }
  }
  const created = createHandle(host, wanted.port, host === null ? 6 : net.isIP(host));
  if (!created.ok) return failed(new ArrokothError('LISTEN_FAILED', explainTcp(created.error, shown)));
  const handle = created.value;
  // Linux reports an address in use only here: what looks bound may have no address at all, and
  // listening on it would quietly take a random port.
  const got: { address?: string; port?: number } = {};
  const status = handle.getsockname?.(got) ?? 0;
  if (status !== 0 || got.port === undefined || (wanted.port !== 0 && got.port !== wanted.port)) {
    handle.close();
    const name = status === 0 ? 'EADDRINUSE' : getSystemErrorName(status);
    return failed(new ArrokothError('LISTEN_FAILED', explainTcp(name, shown)));
  }
  return ok(boundListener(handle, showTcp(got.address ?? '', got.port), got.port));
}

/** Binds a unix socket; one that a dead process left behind is replaced, a living one is not. */
export async function bindUnix(path: string): Promise<Result<BoundListener, ArrokothError>> {
  const refuse = (details: string): Result<BoundListener, ArrokothError> =>
    failed(new ArrokothError('LISTEN_FAILED', details));
  if (Buffer.byteLength(path) > UNIX_PATH_BYTES_MAX) {
    return refuse(`The path ${path} is longer than the ${UNIX_PATH_BYTES_MAX} bytes of a unix socket.`);
  }
  let created = createHandle(path, -1, -1);
  if (!created.ok && created.error === 'EADDRINUSE') {
    if (!isSocket(path)) return refuse(`${path} exists and is not a socket.`);
    if (await answers(path)) return refuse(`Another program listens on ${path}.`);
    removeFile(path);
    created = createHandle(path, -1, -1);
  }
  if (!created.ok) return refuse(explainUnix(created.error, path));
  return ok(boundListener(created.value, path, null));
}

function createHandle(
  address: string | null,
  port: number,
  addressType: number,
): Result<NativeHandle, SystemError> {
  const create = (net as unknown as { _createServerHandle?: CreateServerHandle })._createServerHandle;
  assert(create !== undefined, 'this release of Node binds without listening');
  const created = create(address, port, addressType);
  return typeof created === 'number' ? failed(getSystemErrorName(created)) : ok(created);
}

function boundListener(handle: NativeHandle, address: string, port: number | null): BoundListener {
  let open = true;
  return {
    handle: handle as unknown as ListenHandle,
    address,
    port,
    close: () => {
      if (open) handle.close();
      open = false;
    },
  };
}

function showTcp(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

function explainTcp(name: SystemError, shown: string): string {
  if (name === 'EADDRINUSE') return `Another program listens on ${shown}.`;
  if (name === 'EADDRNOTAVAIL') return `This host does not have the address of ${shown}.`;
  if (name === 'EACCES') return `This user may not listen on ${shown}; ports below 1024 take a privilege.`;
  return `Binding ${shown} failed with ${name}.`;
}

function explainUnix(name: SystemError, path: string): string {
  // A missing directory is reported as EACCES too.
  if (name === 'EACCES') return `${dirname(path)} is missing, or this user may not write to it.`;
  if (name === 'EADDRINUSE') return `Another program listens on ${path}.`;
  return `Binding ${path} failed with ${name}.`;
}

function isSocket(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSocket() ?? true;
}

function removeFile(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // Whatever is in the way makes the second attempt to bind fail, and that one says why.
  }
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = net.connect(path);
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    // Only a refusal proves that nobody is there; a full backlog, for one, proves the opposite.
    probe.once('error', (error: NodeJS.ErrnoException) => {
      resolve(error.code !== 'ECONNREFUSED' && error.code !== 'ENOENT');
    });
  });
}
