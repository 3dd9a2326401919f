/** `/stats` in both formats (kuiperbelt 8). */
import { describe, expect, it } from 'vitest';
import { isStatsForm, statsAnswer, statsFormat } from './stats.ts';

const figures = {
  connections: 1,
  totalConnections: 5,
  totalMessages: 12,
  connectErrors: 2,
  messageErrors: 3,
  closingConnections: 4,
};

describe('statsAnswer', () => {
  it('is one line of JSON in a fixed order', () => {
    expect(statsAnswer('json', figures, 0)).toEqual({
      status: 200,
      headers: ['Content-Type', 'application/json'],
      body:
        '{"connections":1,"total_connections":5,"total_messages":12,' +
        '"connect_errors":2,"message_errors":3,"closing_connections":4}\n',
    });
  });

  it('is lines of name, value and time', () => {
    expect(statsAnswer('text', figures, 1_600_000_000.9)).toEqual({
      status: 200,
      headers: ['Content-Type', 'text/plain'],
      body: [
        'kuiperbelt.conn.current\t1\t1600000000\n',
        'kuiperbelt.conn.total\t5\t1600000000\n',
        'kuiperbelt.conn.errors\t2\t1600000000\n',
        'kuiperbelt.conn.closing\t4\t1600000000\n',
        'kuiperbelt.messages.total\t12\t1600000000\n',
        'kuiperbelt.messages.errors\t3\t1600000000\n',
      ].join(''),
    });
  });
});

describe('statsFormat', () => {
  it.each([
    ['', 'json'],
    ['format=tsv', 'text'],
    ['a=b&format=txt', 'text'],
    ['format=t%65xt', 'text'],
    ['f%6frmat=text', 'text'],
    ['format=json', 'json'],
    ['format=TSV', 'json'],
    ['format', 'json'],
    ['format=json&format=tsv', 'json'],
    ['format=%zz&format=tsv', 'json'],
    ['%zz=1&format=tsv', 'text'],
  ])('query %s -> %s', (query, format) => {
    expect(statsFormat({ query })).toBe(format);
  });

  it('reads a form first', () => {
    expect(statsFormat({ query: 'format=json', form: 'format=tsv' })).toBe('text');
    expect(statsFormat({ query: 'format=tsv', form: 'other=1' })).toBe('text');
    expect(isStatsForm('POST', 'Application/X-WWW-Form-Urlencoded; charset=utf-8')).toBe(true);
    expect(isStatsForm('GET', 'application/x-www-form-urlencoded')).toBe(false);
    expect(isStatsForm('POST', undefined)).toBe(false);
  });
});
