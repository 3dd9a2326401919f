/**
 * Lists of connections and channels, joined from the portions of all gateway workers.
 *
 * The first portion of each worker is asked for at once, so that who keeps silent is known before the
 * answer begins; then one worker after the other is walked through, as fast as the reader reads.
 */
import type { WorkerSlot } from '../../base/index.ts';
import { type ListFacts, OPERATOR_KINDS, type PortionFacts } from '../../bus/index.ts';
import type { Handler, OperationAnswer } from '../front/operation-answer.ts';
import type { GatewayWorkers } from './gateway-workers.ts';

interface Portion {
  readonly slot: WorkerSlot;
  readonly bytes: Uint8Array;
  readonly facts: PortionFacts;
}

/** The handlers of the three lists. */
export function connectionLists(workers: GatewayWorkers): Record<string, Handler> {
  return {
    ListConnections: () => listOf(workers, 'connections', null),
    ListChannelConnections: ({ channel_id }) => listOf(workers, 'connections', channel_id as string),
    ListChannels: () => listOf(workers, 'channels', null),
  };
}

async function listOf(
  workers: GatewayWorkers,
  list: ListFacts['list'],
  channel: string | null,
): Promise<OperationAnswer> {
  const begin: ListFacts = { list, channel, cursor: 0 };
  const told = await workers.askAll(OPERATOR_KINDS.list, begin);
  const silent: string[] = [];
  const firsts: Portion[] = [];
  for (const { slot, answer } of told) {
    if (!answer.ok) silent.push(`gateway/${slot}`);
    else
      firsts.push({ slot, bytes: answer.value.bytes, facts: answer.value.facts as unknown as PortionFacts });
  }
  if (firsts.some(({ facts }) => facts.refused)) return { type: 'busy' };
  const headers = silent.length === 0 ? [] : ['x-arrokoth-silent-workers', silent.join(', ')];
  return { type: 'list', headers, slices: slicesOf(workers, begin, firsts) };
}

async function* slicesOf(
  workers: GatewayWorkers,
  begin: ListFacts,
  firsts: readonly Portion[],
): AsyncGenerator<Uint8Array> {
  for (const first of firsts) {
    for (let portion = first; ; ) {
      if (portion.facts.rows > 0) yield portion.bytes;
      if (portion.facts.cursor === 0) break;
      const next = await workers.ask(first.slot, OPERATOR_KINDS.list, {
        ...begin,
        cursor: portion.facts.cursor,
      });
      if (!next.answer.ok) throw new Error(`gateway/${first.slot} fell silent within a list`);
      const { bytes, facts } = next.answer.value;
      portion = { slot: first.slot, bytes, facts: facts as unknown as PortionFacts };
      if (portion.facts.refused) throw new Error(`gateway/${first.slot} has forgotten a list`);
    }
  }
}
