/** Messages, payloads and members as a line that a person can read, for transcripts. */
import type { Configuration, Message, Payload } from '../index.ts';
import { textOf } from './cluster.ts';

/** `a voter a1, b learner` and so on. */
export function describeMembers({ members }: Configuration): string {
  return members.map(({ name, role, storage }) => `${name} ${role} ${storage ?? '-'}`).join(', ');
}

/** What an entry holds. */
export function describePayload(payload: Payload): string {
  if (payload.type === 'noop') return 'no-op';
  if (payload.type === 'members') return `members ${describeMembers(payload.configuration)}`;
  return textOf({ index: 0, ballot: 0, payload }) ?? '';
}

/** A message without what differs from run to run. */
export function describeMessage(message: Message): string {
  const { type, ballot, sender } = message;
  return `${type} ballot ${ballot}${sender.muted ? ' muted' : ''}${describeBody(message)}`;
}

function describeBody(message: Message): string {
  switch (message.type) {
    case 'pre_vote':
    case 'vote': {
      const transfer = message.type === 'vote' && message.transfer ? ' transfer' : '';
      return ` last ${message.lastIndex}/${message.lastBallot}${transfer}`;
    }
    case 'append': {
      const { prevIndex, prevBallot, entries, commitIndex, readmitAt } = message;
      const sent = entries.map(({ index, ballot }) => `${index}/${ballot}`).join(' ');
      const readmit = readmitAt === null ? '' : ` readmit ${readmitAt}`;
      return ` after ${prevIndex}/${prevBallot} [${sent}] commit ${commitIndex}${readmit}`;
    }
    case 'snapshot': {
      const { index, lastBallot, offset, piece, totalBytes } = message;
      return ` ${index}/${lastBallot} bytes ${offset}+${piece.length} of ${totalBytes}`;
    }
    case 'pre_vote_answer':
    case 'vote_answer':
      return message.granted ? ' granted' : ' refused';
    case 'append_answer': {
      const { granted, matchIndex, matchBallot } = message;
      return granted ? ` match ${matchIndex}` : ` refused, look at ${matchIndex}/${matchBallot}`;
    }
    case 'snapshot_answer':
      return ` ${message.index} has ${message.offset}${message.installed ? ' installed' : ''}`;
    case 'read_answer':
      return ` index ${message.index ?? 'none'}`;
    default:
      return '';
  }
}
