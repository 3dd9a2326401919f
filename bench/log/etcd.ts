/**
 * The yardstick: etcd 3.4 as Debian packages it, with its own defaults.
 */
import { spawnSync } from 'node:child_process';
import { ask, ELECTION_MS, HEARTBEAT_MS, type LogPeer, type MemberPlace } from './log-peer.ts';

/** A cluster of etcd. */
export const ETCD: LogPeer = {
  name: 'etcd',
  protocol: 'etcd_json',
  command,
  environment: {},
  isMaster: async (member) => {
    const status = await ask(member, '/v3/maintenance/status', '{}');
    if (status === null) return false;
    const { header, leader } = JSON.parse(status) as { header: { member_id: string }; leader?: string };
    return header.member_id === leader;
  },
  isCurrent: async (member) => (await ask(member, '/v3/kv/range', '{"key":"AA=="}')) !== null,
};

/** `3.4.23`, or null where etcd is not installed. */
export function etcdVersion(): string | null {
  const run = spawnSync('etcd', ['--version'], { encoding: 'utf8' });
  return run.error === undefined ? (/etcd Version: (\S+)/.exec(run.stdout)?.[1] ?? null) : null;
}

function command({ number, hosts, port, peerPort, directory }: MemberPlace): readonly string[] {
  const host = hosts[number];
  const peers = hosts.map((peer, index) => `member-${index}=http://${peer}:${peerPort}`);
  return [
    'etcd',
    `--name=member-${number}`,
    `--data-dir=${directory}`,
    `--listen-client-urls=http://${host}:${port}`,
    `--advertise-client-urls=http://${host}:${port}`,
    `--listen-peer-urls=http://${host}:${peerPort}`,
    `--initial-advertise-peer-urls=http://${host}:${peerPort}`,
    `--initial-cluster=${peers.join(',')}`,
    `--heartbeat-interval=${HEARTBEAT_MS}`,
    `--election-timeout=${ELECTION_MS}`,
    '--logger=zap',
    '--log-level=error',
  ];
}
