/** What a page may learn on the connect path without an upgrade, and which page. */
import { describe, expect, it } from 'vitest';
import { unavailableAnswer } from '../outgoing-answer.ts';
import { connectProbeAnswer } from './connect-probe.ts';
import type { UpgradeFacts } from './upgrade-checks.ts';

function probe(headers: Readonly<Record<string, string>>): UpgradeFacts {
  return {
    method: 'GET',
    httpVersion: '1.1',
    header: (name) => headers[name],
    headerLines: (name) => (headers[name] === undefined ? [] : [headers[name]]),
  };
}

const page = probe({ host: 'node.test', origin: 'https://node.test' });
const stranger = probe({ host: 'node.test', origin: 'https://elsewhere.test' });
const program = probe({ host: 'node.test' });
const full = unavailableAnswer('the node is full', 3);

describe('a plain request on the connect path', () => {
  it('is refused, and a page may read that', () => {
    const answer = connectProbeAnswer(page, 'none', null);
    expect([answer.status, answer.body]).toEqual([400, 'Bad Request\n']);
    expect(answer.headers.join(' ')).toContain('Access-Control-Allow-Origin * ');
  });

  it('shows pages when to come again', () => {
    const answer = connectProbeAnswer(page, 'same_origin', full);
    expect([answer.status, answer.body]).toEqual([503, 'Service Unavailable: the node is full\n']);
    const headers = answer.headers.join(' ');
    expect(headers).toContain('Retry-After 3 ');
    expect(headers).toContain('Access-Control-Expose-Headers Retry-After');
  });

  it('tells a page that may not connect no more than that', () => {
    for (const policy of ['same_origin', 'same_hostname'] as const) {
      const answer = connectProbeAnswer(stranger, policy, full);
      expect(answer.status).toBe(403);
      expect(answer.headers.join(' ')).not.toMatch(/Access-Control|Retry-After/);
    }
  });

  it('says the same to programs, who need no permission to read it', () => {
    for (const turnedAway of [null, full]) {
      const { headers } = connectProbeAnswer(program, 'none', turnedAway);
      expect(headers.join(' ')).not.toContain('Access-Control');
    }
    expect(connectProbeAnswer(program, 'none', full).headers).toContain('Retry-After');
  });

  it('admits nobody, also not with the headers of a handshake', () => {
    const whole = probe({
      host: 'node.test',
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
    });
    expect(connectProbeAnswer(whole, 'none', null).status).toBe(400);
  });
});
