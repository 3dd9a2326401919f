/** The words of `X-Arrokoth-Reason`. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { CLOSE_REASONS } from './close-reasons.ts';

it('keeps every word that was ever promised', () => {
  expect(Object.keys(CLOSE_REASONS).sort()).toEqual([
    'blocked',
    'client_close',
    'client_gone',
    'drain',
    'idle',
    'invalid_utf8',
    'message_flood',
    'message_too_large',
    'node_lost',
    'node_restarted',
    'not_established',
    'operator',
    'overload',
    'ping_timeout',
    'protocol_error',
    'replaced',
    'slow',
    'worker_lost',
  ]);
});

it('gives each reason the close code that clients see', () => {
  expect(CLOSE_REASONS.replaced.closeCode).toBe(4409);
  expect(CLOSE_REASONS.drain.closeCode).toBe(1001);
  expect(CLOSE_REASONS.slow.closeCode).toBe(1013);
  expect(CLOSE_REASONS.message_too_large.closeCode).toBe(1009);
  expect(CLOSE_REASONS.client_gone.closeCode).toBe(1006);
  expect(CLOSE_REASONS.client_close.closeCode).toBeNull();
});

it('is told in the guide, word for word and code for code', () => {
  const guide = readFileSync(new URL('../../../docs/guides/kuiperbelt.md', import.meta.url), 'utf8');
  const table = guide.split('| reason | when |')[1]?.split('\n\n')[0] ?? '';
  const rows = [...table.matchAll(/^\| `(\w+)` \| (.*) \|$/gm)].map(([, reason, when]) => ({ reason, when }));
  expect(rows.map(({ reason }) => reason).sort()).toEqual(Object.keys(CLOSE_REASONS).sort());
  for (const { reason, when } of rows) {
    const { closeCode } = CLOSE_REASONS[reason as keyof typeof CLOSE_REASONS];
    const told = /\((\d{4})\)/.exec(when ?? '')?.[1];
    if (told !== undefined) expect([reason, Number(told)]).toEqual([reason, closeCode]);
  }
});
