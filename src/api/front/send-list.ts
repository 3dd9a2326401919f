/**
 * Sends a list while it is made: in one piece when it is short, else in chunks, as its reader takes them.
 *
 * No more than one slice and what fits into one piece is held at a time, however long the list is. A
 * reader that stops reading is cut off, and so is the answer when the list breaks off.
 */
import { OPERATOR_LIMITS, type Timers } from '../../base/index.ts';
import type { HttpResponse, LongAnswer, RawHeaders } from '../../net/index.ts';
import type { ListOutcome } from './operation-answer.ts';

const OPEN = Buffer.from('[');
const COMMA = Buffer.from(',');
const CLOSE = Buffer.from(']');

/** How the sending of a list ended. */
export type ListEnd = 'sent' | 'left' | 'broken_off';

/** Sends `list` with 200; throws what the list throws, when nothing has been sent yet. */
export async function sendList(
  response: HttpResponse,
  headers: RawHeaders,
  list: ListOutcome,
  timers: Timers,
): Promise<ListEnd> {
  const lines = [...headers, ...list.headers];
  let held: Uint8Array[] = [OPEN];
  let heldBytes = OPEN.length;
  let answer: LongAnswer | null = null;
  let isFirst = true;
  try {
    for await (const slice of list.slices) {
      held.push(...(isFirst ? [slice] : [COMMA, slice]));
      heldBytes += slice.length + 1;
      isFirst = false;
      if (response.gone) return 'left';
      if (heldBytes <= OPERATOR_LIMITS.listPieceBytesMax) continue;
      answer ??= response.begin(200, lines);
      if (!(await write(answer, Buffer.concat(held), timers))) return 'left';
      held = [];
      heldBytes = 0;
    }
  } catch (failure) {
    if (answer === null) throw failure;
    answer.breakOff();
    return 'broken_off';
  }
  held.push(CLOSE);
  const rest = Buffer.concat(held);
  if (answer === null) {
    response.send(200, lines, rest);
    return 'sent';
  }
  if (!(await write(answer, rest, timers))) return 'left';
  answer.end();
  return 'sent';
}

function write(answer: LongAnswer, part: Uint8Array, timers: Timers): Promise<boolean> {
  return new Promise((resolve) => {
    const bound = timers.after(OPERATOR_LIMITS.listStallMs, () => {
      answer.breakOff();
      resolve(false);
    });
    answer.write(part, (alive) => {
      bound.cancel();
      resolve(alive);
    });
  });
}
