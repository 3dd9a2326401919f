/** What an attack is: a row of the table that `amplification.test.ts` goes through. */
import type { Arena } from './measured-node.ts';
import type { TrafficKind } from './ordinary-traffic.ts';

/**
 * Which node is attacked: one that discards messages, one whose application receives them, one that
 * expects a header of the PROXY protocol, one that speaks TLS, one that inflates messages.
 */
export type Target = 'plain' | 'receiving' | 'proxied' | 'secure' | 'inflating';

/** One form of attack. `scale` multiplies its size: 1 for seconds, more for the long tests. */
export interface Attack {
  readonly name: string;
  readonly target?: Target;
  /** The ordinary traffic that it is compared with. */
  readonly like: TrafficKind;
  run(arena: Arena, scale: number): Promise<void>;
}
