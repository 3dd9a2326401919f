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
  const lines = [describeListener({ name: 'public', place, paths: served, token: false }, config)];
  if (app.listen !== null) {
    const paths = [...forApplication, path.ping];
    lines.push(
      describeListener(
        { name: 'app', place: showAddress(app.listen), paths, token: app.tokens.length > 0 },
        config,
      ),
    );
  }
  if (api.listen !== null) {
    const paths = ['/healthz', '/readyz', '/metrics'];
    lines.push(
      describeListener(
        { name: 'api', place: showAddress(api.listen), paths, token: api.tokens.length > 0 },
        config,
      ),
    );
  }
  return lines.join('');
}

/** Words for the moment at which a node serves. */
export function describeStarted(node: StartedNode, version: string, config: Config): string {
  const lines = node.addresses.map(
    ({ listener, address }) => `  ${listener.padEnd(7)} ${showBound(address, speaksTls(config, listener))}\n`,
  );
  return `arrokoth ${version} serves as ${node.name}\n${lines.join('')}`;
}

/** A bound address as something that can be put into a browser or curl, where it can. */
export function showBound(address: BoundAddress['address'], tls: boolean): string {
  if (address.startsWith('unix:') || address.includes('://')) return address;
  return `${tls ? 'https' : 'http'}://${address}`;
}

function speaksTls({ tls, app, api }: Config, listener: BoundAddress['listener']): boolean {
  if (listener === 'public') return tls !== null;
  return listener === 'app' ? app.tls : api.tls;
}

function describeListener(
  listener: {
    readonly name: BoundAddress['listener'];
    readonly place: string;
    readonly paths: readonly string[];
    readonly token: boolean;
  },
  config: Config,
): string {
  const { name, place, paths, token } = listener;
  const remarks = [...(speaksTls(config, name) ? ['over TLS'] : []), ...(token ? ['with a token'] : [])];
  const said = remarks.length === 0 ? '' : ` (${remarks.join(', ')})`;
  return `  ${name.padEnd(7)} ${place.padEnd(22)} ${paths.join(' ')}${said}\n`;
}

function showAddress({ host, port }: TcpAddress): string {
  const shownHost = host === null ? '*' : host.includes(':') ? `[${host}]` : host;
  return `${shownHost}:${port === 0 ? '(any free port)' : port}`;
}
