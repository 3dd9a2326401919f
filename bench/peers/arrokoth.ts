/**
 * How a node is started for a run: the built program, one worker, callbacks to the load maker.
 *
 * Defaults, except what would measure something else: no access log, no server pings, no worries
 * about the application's absence at the end.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { COMPRESSION, type Peer, type PeerCommand, type PeerPlace } from './peer.ts';

/** What `npm run build` makes of this checkout. */
export const BUILT_PROGRAM = join(import.meta.dirname, '../../dist/main/arrokoth.js');

const { level, windowBits, memoryLevel, thresholdBytes } = COMPRESSION;
/** Absent where it is off, so that builds which know nothing of it can be measured. */
const COMPRESSION_KEYS = `compression:
  enabled: true
  level: ${level}
  window_bits: ${windowBits}
  memory_level: ${memoryLevel}
  threshold: ${thresholdBytes}
`;

/** A node with one gateway worker, of this build or of another; `name` tells the two apart. */
export function arrokoth(program: string, name: string): Peer {
  return { name, command: (place) => command(program, place) };
}

function command(program: string, place: PeerPlace): PeerCommand {
  const { directory, port, applicationUrl, compression, certificate } = place;
  const file = join(directory, 'arrokoth.yml');
  writeFileSync(
    file,
    `host: 127.0.0.1
port: ${port}
workers: 1
suppress_access_log: true
callback:
  connect: "${applicationUrl}/connect"
  receive: "${applicationUrl}/receive"
  close: "${applicationUrl}/close"
node: { data_dir: "${join(directory, 'data')}" }
ping: { interval: 0s }
log: { level: warn }
${certificate === null ? '' : `tls: { certificates: [${JSON.stringify(certificate)}] }\n`}${
  compression ? COMPRESSION_KEYS : ''
}`,
  );
  return { arguments: [program, 'start', '--config', file], environment: {} };
}
