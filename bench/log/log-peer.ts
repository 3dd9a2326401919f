/**
 * A kind of cluster under test: how a member is started, and how it is asked who it is.
 *
 * What a running cluster of either kind has in common is in `running-cluster.ts`.
 */
import type { Address } from '../load/orders.ts';
import type { Protocol } from './orders.ts';

/** What a member is told about itself and the others. */
export interface MemberPlace {
  /** 0, 1, 2; the first one founds the cluster where somebody has to. */
  readonly number: number;
  readonly hosts: readonly string[];
  /** Where clients reach it; the same for all, on hosts of their own. */
  readonly port: number;
  /** Free for the members among themselves, if they do not use `port`. */
  readonly peerPort: number;
  /** Empty at the first start, and the member's own. */
  readonly directory: string;
}

/** A kind of cluster. */
export interface LogPeer {
  readonly name: string;
  readonly protocol: Exclude<Protocol, 'etcd_grpc'>;
  command(place: MemberPlace): readonly string[];
  /** Added to the environment of a member. */
  readonly environment: Readonly<Record<string, string>>;
  /** Whether this member is the master, as far as it knows; false too when it does not answer. */
  isMaster(member: Address): Promise<boolean>;
  /** Whether this member answers a linearizable read: it knows the master and has caught up with it. */
  isCurrent(member: Address): Promise<boolean>;
}

/** Heartbeats and elections of both kinds: ours by default, and etcd is told so. */
export const HEARTBEAT_MS = 100;
export const ELECTION_MS = 1_000;

const ANSWER_TIMEOUT_MS = 2_000;

/** The answer of a member, or null when there is none in time or it is no success. */
export async function ask(member: Address, path: string, body: string | null): Promise<string | null> {
  try {
    const answer = await fetch(`http://${member.host}:${member.port}${path}`, {
      method: body === null ? 'GET' : 'POST',
      body,
      headers: { 'content-type': 'application/json' },
      signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
    });
    const text = await answer.text();
    return answer.status === 200 ? text : null;
  } catch {
    return null;
  }
}
