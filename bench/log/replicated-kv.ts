/**
 * How the replicated log is started for a run: `examples/replicated-kv`, three members on one port.
 *
 * The example runs on the built library, as an application does that has installed it: what `tsx`
 * makes of the sources on the way gives each function its name when it is made, and costs a tenth.
 */
import { join } from 'node:path';
import { ask, type LogPeer, type MemberPlace } from './log-peer.ts';
import { CLUSTER } from './writes.ts';

const PROGRAM = join(import.meta.dirname, '../../examples/replicated-kv/kv.ts');

/** A cluster of the example. */
export const REPLICATED_KV: LogPeer = {
  name: 'arrokoth',
  protocol: 'submit',
  command,
  environment: { TSX_TSCONFIG_PATH: join(import.meta.dirname, 'tsconfig.published.json') },
  // An empty submit changes nothing, and only a master that a majority confirms accepts it.
  isMaster: async (member) => {
    const answer = await ask(member, `/_clusterc/${CLUSTER}/submit`, '{"Changes":[]}');
    return answer?.includes('"Accepted":true') ?? false;
  },
  isCurrent: async (member) => (await ask(member, '/kv?read=linearizable', null)) !== null,
};

function command({ number, hosts, port, directory }: MemberPlace): readonly string[] {
  const others = hosts.filter((_, index) => index !== number).map((host) => `${host}:${port}`);
  return [
    ...[process.execPath, '--import=tsx', PROGRAM],
    ...(number === 0 ? ['-initMaster', '-participants', others.join(',')] : []),
    ...['-listen', `${hosts[number]}:${port}`, '-cluster', CLUSTER, '-interval', '86400', '-data', directory],
  ];
}
