/**
 * What a configuration means for the network: which listeners a node opens and what each serves.
 *
 * Pure. `config check` shows it for a file, `start` and `ekbo` show the addresses that were got.
 */
import type { Config, TcpAddress } from '../config/index.ts';
import type { BoundAddress, StartedNode } from './cli-doors.ts';

/** One line for each listener that `config` asks for. */
export function describeListeners(config: Config): string {
  const { path, app, api } = config;
  const forApplication = [path.send, path.close, path.subscribe, path.unsubscribe, path.stats];
  const served = [path.connect, ...(app.listen === null ? forApplication : []), path.ping];
  const place = config.sock === null ? showAddress(config) : `unix:${config.sock}`;
  const lines = [describeListener('public', place, served, false)];
  if (app.listen !== null) {
    const paths = [...forApplication, path.ping];
    lines.push(describeListener('app', showAddress(app.listen), paths, app.tokens.length > 0));
  }
  if (api.listen !== null) {
    const paths = ['/healthz', '/readyz', '/metrics'];
    lines.push(describeListener('api', showAddress(api.listen), paths, api.tokens.length > 0));
  }
  return lines.join('');
}

/** Words for the moment at which a node serves. */
export function describeStarted(node: StartedNode, version: string): string {
  const lines = node.addresses.map(
    ({ listener, address }) => `  ${listener.padEnd(7)} ${showBound(address)}\n`,
  );
  return `arrokoth ${version} serves as ${node.name}\n${lines.join('')}`;
}

/** A bound address as something that can be put into a browser or curl, where it can. */
export function showBound(address: BoundAddress['address']): string {
  return address.startsWith('unix:') || address.includes('://') ? address : `http://${address}`;
}

function describeListener(
  name: BoundAddress['listener'],
  place: string,
  paths: readonly string[],
  token: boolean,
): string {
  return `  ${name.padEnd(7)} ${place.padEnd(22)} ${paths.join(' ')}${token ? ' (with a token)' : ''}\n`;
}

function showAddress({ host, port }: TcpAddress): string {
  const shownHost = host === null ? '*' : host.includes(':') ? `[${host}]` : host;
  return `${shownHost}:${port === 0 ? '(any free port)' : port}`;
}
