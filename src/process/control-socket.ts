/**
 * The control socket: how an operator's command line reaches the supervisor of a running node.
 *
 * A unix socket for the node's user alone. One request and one answer a connection, a line of JSON
 * each, bounded in size, number and time, so that whoever is clumsy with it takes nothing from the
 * node. What commands mean is not known here.
 */
import { lstatSync, rmSync } from 'node:fs';
import net from 'node:net';
import { ArrokothError, failed, ok, type Result, type Timers } from '../base/index.ts';
import type { ControlCommand, ControlCommands } from './control-messages.ts';

/** Who answers which command. A failure is told to the asker. */
export type ControlHandlers = {
  readonly [Name in ControlCommand]: (
    given: unknown,
  ) => Promise<Result<ControlCommands[Name]['answer'], string>>;
};

/** Requests hold names and keys, answers lists of them. */
export const CONTROL_BYTES_MAX = 65_536;
/** Operators and their scripts; further ones are told to come again. */
const CONNECTIONS_MAX = 16;
/** How long a request may take to arrive, and its asker to leave after the answer. */
const REQUEST_TIMEOUT_MS = 5_000;
/** How long the asker waits for an answer; every command is done sooner. */
const ANSWER_TIMEOUT_MS = 30_000;
/** For nobody but the node's user, whatever that user's habit is. */
const OTHERS_MASK = 0o177;

/** A control socket that is served. */
export interface ControlSocket {
  /** Gives the address up and leaves those who still wait without an answer. */
  close(): void;
}

/** What serving takes. */
export interface ControlServerOptions {
  /** Where; a socket that is there already belongs to nobody, because the caller holds the directory. */
  readonly path: string;
  readonly handlers: ControlHandlers;
  readonly timers: Timers;
}

/** Serves the control socket at `path`. */
export function serveControl(options: ControlServerOptions): Promise<Result<ControlSocket, ArrokothError>> {
  const { path } = options;
  if (lstatSync(path, { throwIfNoEntry: false })?.isSocket()) rmSync(path, { force: true });
  const server = net.createServer({ allowHalfOpen: true });
  const sockets = new Set<net.Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    if (sockets.size <= CONNECTIONS_MAX) return hear(socket, options);
    // Unread bytes would keep the socket, and its place, for ever.
    socket.resume();
    say(socket, { error: 'too many commands at once' }, options.timers);
  });
  return new Promise((resolve) => {
    server.once('error', (cause) => {
      const details = `The control socket ${path} cannot be had: ${cause.message}.`;
      resolve(failed(new ArrokothError('LISTEN_FAILED', details, { cause })));
    });
    server.once('listening', () => {
      server.on('error', () => {});
      resolve(
        ok({
          close: () => {
            server.close();
            for (const socket of sockets) socket.destroy();
          },
        }),
      );
    });
    // The socket is made within `listen`, so that nobody else sees it with other rights.
    const before = process.umask(OTHERS_MASK);
    server.listen(path);
    process.umask(before);
  });
}

/** Why a command got no answer: nobody is there, or what was there said this. */
export type ControlFailure =
  | { readonly type: 'absent' }
  | { readonly type: 'failed'; readonly message: string };

/** Sends one command to the node whose control socket is at `path`. */
export function askControl<Name extends ControlCommand>(
  path: string,
  command: Name,
  given: ControlCommands[Name]['given'],
): Promise<Result<ControlCommands[Name]['answer'], ControlFailure>> {
  return new Promise((resolve) => {
    const socket = net.connect(path);
    const fail = (message: string): void => resolve(failed({ type: 'failed', message }));
    socket.setTimeout(ANSWER_TIMEOUT_MS, () => {
      fail('the node does not answer');
      socket.destroy();
    });
    socket.once('connect', () => socket.end(lineOf({ command, given })));
    socket.on('error', (error: NodeJS.ErrnoException) => {
      const isAbsent = ['ENOENT', 'ECONNREFUSED', 'ENOTDIR'].includes(error.code ?? '');
      resolve(failed(isAbsent ? { type: 'absent' } : { type: 'failed', message: error.message }));
    });
    let text = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      if (text.length > CONTROL_BYTES_MAX) socket.destroy(new Error('the answer is too long'));
    });
    socket.on('close', () => {
      const said = parse(text);
      if (said !== null && 'answer' in said) resolve(ok(said.answer as ControlCommands[Name]['answer']));
      else fail(said !== null && 'error' in said ? String(said.error) : 'the node ended without an answer');
    });
  });
}

function hear(socket: net.Socket, { handlers, timers }: ControlServerOptions): void {
  const chunks: Buffer[] = [];
  let bytes = 0;
  const tooLate = timers.after(REQUEST_TIMEOUT_MS, () => socket.destroy());
  socket.once('close', () => tooLate.cancel());
  const left = (): void => void socket.destroy();
  socket.once('end', left);
  const hearMore = (chunk: Buffer): void => {
    chunks.push(chunk);
    bytes += chunk.length;
    const end = chunk.indexOf('\n');
    if (end < 0 && bytes <= CONTROL_BYTES_MAX) return;
    tooLate.cancel();
    socket.off('data', hearMore);
    socket.off('end', left);
    socket.resume();
    if (bytes > CONTROL_BYTES_MAX) return say(socket, { error: 'the request is too long' }, timers);
    void obey(Buffer.concat(chunks).toString('utf8'), handlers).then((said) => say(socket, said, timers));
  };
  socket.on('data', hearMore);
}

async function obey(line: string, handlers: ControlHandlers): Promise<object> {
  const request = parse(line);
  if (request === null || typeof request.command !== 'string')
    return { error: 'a request is a line of JSON' };
  if (!Object.hasOwn(handlers, request.command)) return { error: 'this node does not know the command' };
  try {
    const outcome = await handlers[request.command as ControlCommand](request.given);
    return outcome.ok ? { answer: outcome.value } : { error: outcome.error };
  } catch (error) {
    // A mistake in a command must not end a node that serves clients.
    return { error: `the command failed: ${error instanceof Error ? error.message : String(error)}` };
  }
}

/** The last words to a socket; whoever does not close its side is cut soon. */
function say(socket: net.Socket, said: object, timers: Timers): void {
  const tooLate = timers.after(REQUEST_TIMEOUT_MS, () => socket.destroy());
  socket.once('close', () => tooLate.cancel());
  const line = lineOf(said);
  const fits = Buffer.byteLength(line) <= CONTROL_BYTES_MAX;
  socket.end(fits ? line : lineOf({ error: 'the answer is too long; the log of the node has it' }));
}

function lineOf(said: object): string {
  return `${JSON.stringify(said)}\n`;
}

function parse(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}
