/**
 * What becomes of a message for a client that does not keep up.
 *
 * Asked for each message to each connection, before it is queued, so that nobody ever waits for a
 * stalled client. The bounds count what the kernel has not taken yet.
 */

/** What the operator chose for full queues. */
export type SlowClientPolicy = 'close' | 'drop_oldest' | 'drop_newest';

/** A connection's queue and the message that is to join it. */
export interface QueueFacts {
  readonly queuedBytes: number;
  readonly queuedMessages: number;
  readonly frameBytes: number;
  readonly policy: SlowClientPolicy;
  readonly queueBytesMax: number;
  readonly queueMessagesMax: number;
}

/** `drop_oldest`: drop one and ask again. `refuse`: this message is dropped. `close`: the connection ends. */
export type SlowClientVerdict = 'accept' | 'refuse' | 'drop_oldest' | 'close';

/** Decides about one message. */
export function slowClientVerdict(facts: QueueFacts): SlowClientVerdict {
  // A message larger than the bound must still reach a client that has nothing else to take.
  if (facts.queuedMessages === 0) return 'accept';
  const fits =
    facts.queuedMessages < facts.queueMessagesMax &&
    facts.queuedBytes + facts.frameBytes <= facts.queueBytesMax;
  if (fits) return 'accept';
  return facts.policy === 'drop_newest' ? 'refuse' : facts.policy;
}
