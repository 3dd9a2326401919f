/** What a process of returning clients is told, and what it tells. Types only. */
import type { BroadcastVerdict } from '../broadcast-oracle.ts';

/** What the clients of one process met since the last `count`. */
export interface ReturnFigures {
  /** Handshakes that were begun. */
  readonly attempts: number;
  /** The most that one client needed. */
  readonly attemptsMax: number;
  /** Handshakes that failed, by status; 0: no answer. */
  readonly refusals: Readonly<Record<string, number>>;
  /** How open connections ended, by close code. */
  readonly ends: Readonly<Record<string, number>>;
  /** What probes were answered, by status. */
  readonly probes: Readonly<Record<string, number>>;
  /** The longest `Retry-After` that a probe saw, in milliseconds. */
  readonly retryAfterMaxMs: number;
  /** When the last one got in, by the wall clock. */
  readonly lastOpenedAtMs: number;
}

/** To the process. */
export type ReturnOrder =
  /** Make the clients, and have them all connect at once. */
  | {
      readonly type: 'open';
      readonly port: number;
      readonly name: string;
      readonly count: number;
      readonly channel: string;
    }
  /** Begin to count anew; `cut`: and break every connection. */
  | { readonly type: 'count'; readonly cut: boolean }
  | { readonly type: 'figures' }
  | { readonly type: 'connections' }
  /** All numbered messages are sent: judge when they had their time. */
  | { readonly type: 'judge'; readonly published: number };

/** From the process. */
export type ReturnReport =
  /** Told whenever it has changed, now and then. `losses`: open connections that broke, in all. */
  | { readonly type: 'state'; readonly open: number; readonly losses: number }
  | { readonly type: 'counting' }
  | { readonly type: 'figures'; readonly figures: ReturnFigures }
  /** Ids of the connections that ever opened, and of those that are open. */
  | { readonly type: 'connections'; readonly opened: readonly string[]; readonly open: readonly string[] }
  | { readonly type: 'verdict'; readonly verdict: BroadcastVerdict };
