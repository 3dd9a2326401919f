/** What a simulated node sees of the world around it; `fleet.ts` is that world. */
import type { Configuration, MemberName, Message } from '../src/consensus/index.ts';
import type { Judge } from './judge.ts';
import type { Rng } from './rng.ts';
import type { SwarmOptions } from './swarm.ts';
import type { Totals } from './totals.ts';
import type { Trace } from './trace.ts';
import type { World } from './world.ts';

/** Who a node is, to those who need no more. */
export interface NodeName {
  readonly name: MemberName;
  /** For traces. */
  readonly short: string;
}

/** Who sends. */
export interface Sending extends NodeName {
  readonly number: number;
  readonly configuration: Configuration;
}

/** Time, chance, the way to others, and who watches. */
export interface NodeWorld {
  readonly world: World;
  readonly rng: Rng;
  readonly judge: Judge;
  readonly totals: Totals;
  readonly trace: Trace;
  readonly options: SwarmOptions;
  send(from: Sending, to: MemberName, message: Message): void;
}
