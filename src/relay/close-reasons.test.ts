/** The words of `X-Arrokoth-Reason`. */
import { expect, it } from 'vitest';
import { CLOSE_REASONS, closeReasonOf } from './close-reasons.ts';

it('keeps every word that was ever promised', () => {
  expect(Object.keys(CLOSE_REASONS).sort()).toEqual([
    'blocked',
    'client_close',
    'client_gone',
    'drain',
    'idle',
    'invalid_utf8',
    'message_too_large',
    'node_lost',
    'node_restarted',
    'not_established',
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

it('believes the transport, and knows better only where we ended the connection', () => {
  expect(closeReasonOf('idle', 'drain')).toBe('idle');
  expect(closeReasonOf('server', 'replaced')).toBe('replaced');
});
