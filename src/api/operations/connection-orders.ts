/**
 * Disconnects and pushes: each gateway worker does it to its own connections, and the sum decides.
 *
 * A message to a channel goes through one worker instead, because the channel has one order.
 */
import { hash32 } from '../../base/index.ts';
import { OPERATOR_KINDS, type OperatorTarget } from '../../bus/index.ts';
import {
  answered,
  type Handler,
  type OperationAnswer,
  type OperationValues,
  refused,
} from '../front/operation-answer.ts';
import type { GatewayWorkers, Told } from './gateway-workers.ts';

type Subject = 'CHANNEL' | 'CLIENT' | 'CONNECTION';

/** The handlers of the six orders. */
export function connectionOrders(workers: GatewayWorkers): Record<string, Handler> {
  const disconnect =
    (subject: Subject): Handler =>
    async (values) => {
      const told = await workers.askAll(OPERATOR_KINDS.disconnect, targetOf(values));
      return outcomeOf(told, subject, values, echoOf(values));
    };
  const push =
    (subject: Subject): Handler =>
    async (values) => {
      const message = { type: 'push', data: values.data };
      const bytes = Buffer.from(JSON.stringify(message));
      const target = targetOf(values);
      const told =
        subject === 'CHANNEL'
          ? [await workers.ask(ordering(workers, values), OPERATOR_KINDS.push, target, bytes)]
          : await workers.askAll(OPERATOR_KINDS.push, target, bytes);
      return outcomeOf(told, subject, values, message);
    };
  return {
    DisconnectChannel: disconnect('CHANNEL'),
    DisconnectClient: disconnect('CLIENT'),
    DisconnectConnection: disconnect('CONNECTION'),
    PushChannel: push('CHANNEL'),
    PushClient: push('CLIENT'),
    PushConnection: push('CONNECTION'),
  };
}

/** The worker of this node that orders the channel; where another node does, it knows which. */
function ordering(workers: GatewayWorkers, { channel_id }: OperationValues): number {
  return hash32(channel_id as string) % workers.slots.length;
}

function targetOf(values: OperationValues): OperatorTarget {
  const { channel_id = null, client_id = null, connection_id = null } = values;
  return {
    channel: channel_id as string | null,
    client: client_id as string | null,
    connection: connection_id as string | null,
  };
}

function echoOf({ channel_id, client_id, connection_id }: OperationValues): object {
  return { channel_id, client_id, connection_id };
}

function outcomeOf(
  told: readonly Told[],
  subject: Subject,
  values: OperationValues,
  answer: object,
): OperationAnswer {
  let reached = 0;
  const silent: string[] = [];
  for (const { slot, answer: said } of told) {
    const count = said.ok ? (said.value.facts as number | null) : null;
    if (count === null) silent.push(`gateway/${slot}`);
    else reached += count;
  }
  // One connection that was found is all that was meant, whoever else is silent.
  const isWhole = silent.length === 0 || (reached > 0 && subject === 'CONNECTION');
  if (!isWhole) return refused('WORKER-UNAVAILABLE', { workers: silent, reached });
  return reached > 0 ? answered(answer) : refused(`${subject}-NOT-FOUND`, echoOf(values));
}
