/** What a process of receivers is told, and what it tells. Types only. */
import type { BroadcastVerdict } from '../broadcast-oracle.ts';

/** A frame that one receiver is to lose on purpose, counted from 1. */
export interface DroppedFrame {
  readonly receiver: number;
  readonly frame: number;
}

/** To the process. */
export type ReceiverOrder =
  | {
      readonly type: 'open';
      readonly port: number;
      readonly channel: string;
      readonly name: string;
      readonly receivers: number;
      readonly publishers: number;
      readonly drop: DroppedFrame | null;
    }
  /** All is published: wait until every receiver has it, then judge. */
  | { readonly type: 'judge'; readonly published: readonly number[] };

/** From the process. */
export type ReceiverReport =
  | { readonly type: 'opened' }
  /** Every receiver has had at least this many frames. */
  | { readonly type: 'reached'; readonly frames: number }
  | { readonly type: 'verdict'; readonly verdict: BroadcastVerdict; readonly lost: number };
