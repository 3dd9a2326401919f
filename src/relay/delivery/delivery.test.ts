/** Targets and answers of `/send` and its sisters, byte for byte (kuiperbelt 6 and 13). */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { ChannelName, SessionKey } from '../../base/index.ts';
import {
  bodyTooLargeAnswer,
  bodyUnreadableAnswer,
  type DeliveryOutcome,
  FAILURE_TEXTS,
  methodAnswer,
  pageCallAnswer,
  pingAnswer,
  readTargets,
  sendAnswer,
  type TargetError,
  type TargetFailure,
  targetsFailureAnswer,
  unauthorizedAnswer,
} from './delivery.ts';

const JSON_TYPE = ['Content-Type', 'application/json; charset=utf-8'];
const TEXT_TYPE = ['Content-Type', 'text/plain; charset=utf-8'];

function missing(session: string, failure: TargetFailure = 'not_found'): TargetError {
  return { session: session as SessionKey, failure };
}

function answer(outcome: Partial<DeliveryOutcome>) {
  return sendAnswer({
    errors: [],
    channels: [],
    delivered: 0,
    strict: false,
    compat: 'released',
    ...outcome,
  });
}

describe('sendAnswer', () => {
  it('says OK', () => {
    expect(answer({ delivered: 1 })).toEqual({ status: 200, headers: JSON_TYPE, body: '{"result":"OK"}' });
  });

  it('vector 1: an unknown sole session', () => {
    const body = '{"errors":[{"error":"kuiperbelt: session is not found","session":"nope"}],"result":"OK"}\n';
    expect(answer({ errors: [missing('nope')] })).toEqual({ status: 200, headers: TEXT_TYPE, body });
    expect(answer({ errors: [missing('nope')], strict: true })).toEqual({
      status: 400,
      headers: TEXT_TYPE,
      body: body.replace('OK', 'NG'),
    });
  });

  it('vector 2: two of three unknown, in the order of the request', () => {
    expect(answer({ errors: [missing('nope'), missing('nope2')], delivered: 1 }).body).toBe(
      '{"errors":[{"error":"kuiperbelt: session is not found","session":"nope"},' +
        '{"error":"kuiperbelt: session is not found","session":"nope2"}],"result":"OK"}\n',
    );
  });

  it('documented: the words and the result of the README', () => {
    const compat = 'documented';
    expect(answer({ errors: [missing('bob')], compat })).toEqual({
      status: 200,
      headers: JSON_TYPE,
      body: '{"errors":[{"error":"session is not found.","session":"bob"}],"result":"NG"}\n',
    });
    expect(answer({ errors: [missing('bob')], compat, delivered: 1 }).body).toBe(
      '{"errors":[{"error":"session is not found.","session":"bob"}],"result":"OK"}\n',
    );
    expect(answer({ errors: [missing('bob', 'closed')], compat, delivered: 1 }).body).toContain(
      FAILURE_TEXTS.closed,
    );
  });

  it('counts each channel before the usual members', () => {
    const channels = [
      { channel: 'c' as ChannelName, delivered: 3 },
      { channel: 'empty' as ChannelName, delivered: 0 },
    ];
    const json = '"channels":[{"channel":"c","delivered":3},{"channel":"empty","delivered":0}]';
    expect(answer({ channels, delivered: 3 })).toEqual({
      status: 200,
      headers: JSON_TYPE,
      body: `{${json},"result":"OK"}`,
    });
    expect(answer({ channels, delivered: 3, errors: [missing('x')] }).body).toBe(
      `{${json},"errors":[{"error":"kuiperbelt: session is not found","session":"x"}],"result":"OK"}\n`,
    );
  });

  it('never shows a channel as a session, which applications would prune', () => {
    const errors: TargetError[] = [{ channel: 'c' as ChannelName, failure: 'unreachable' }];
    expect(answer({ errors }).body).toBe(
      '{"errors":[{"channel":"c","error":"node is unreachable"}],"result":"OK"}\n',
    );
  });

  it('shows keys as the original does: UTF-8 where it is, Go escapes, \\ufffd for the rest', () => {
    const utf8 = '\u00e3\u0081\u0082';
    expect(answer({ errors: [missing(`<a&"${utf8}\u00ff`)] }).body).toContain(
      '"session":"\\u003ca\\u0026\\"あ\\ufffd"',
    );
  });
});

describe('readTargets', () => {
  const limits = { targetsMax: 3, channelNameBytesMax: 4 };
  const read = (sessions: string[], channels: string[] = []) => readTargets({ sessions, channels }, limits);

  it('takes each line as it is: commas, repeats and nothing at all (vector 3)', () => {
    expect(read(['alice, bob', '', ''])).toEqual({
      ok: true,
      value: { sessions: ['alice, bob', '', ''], channels: [] },
    });
    expect(read([], ['c', 'c'])).toEqual({ ok: true, value: { sessions: [], channels: ['c', 'c'] } });
  });

  it('says what is wrong with a request', () => {
    expect(read([])).toEqual({ ok: false, error: 'missing' });
    expect(read(['a', 'b'], ['c', 'd'])).toEqual({ ok: false, error: 'too_many' });
    expect(read(['a'], [''])).toEqual({ ok: false, error: 'channel_invalid' });
    expect(read(['a'], ['abcde'])).toEqual({ ok: false, error: 'channel_invalid' });
  });
});

describe('refusals', () => {
  it('vector 4: wrong method and missing header, to the byte', () => {
    expect(methodAnswer()).toMatchObject({
      status: 405,
      body: '{"errors":[{"error":"required POST method"}],"result":"NG"}',
    });
    expect(methodAnswer().body).toHaveLength(59);
    expect(targetsFailureAnswer('missing')).toMatchObject({
      status: 400,
      body: '{"errors":[{"error":"session header is missing"}],"result":"NG"}',
    });
    expect(targetsFailureAnswer('missing').body).toHaveLength(64);
  });

  it('are JSON with a result, each with its status', () => {
    const refusals = [
      [unauthorizedAnswer(), 401],
      [pageCallAnswer(), 403],
      [targetsFailureAnswer('too_many'), 400],
      [targetsFailureAnswer('channel_invalid'), 400],
      [bodyTooLargeAnswer(), 413],
      [bodyUnreadableAnswer(), 500],
    ] as const;
    for (const [refusal, status] of refusals) {
      expect(refusal.status).toBe(status);
      expect(refusal.headers.slice(0, 2)).toEqual(JSON_TYPE);
      expect(JSON.parse(refusal.body as string)).toMatchObject({ result: 'NG' });
    }
    expect(bodyUnreadableAnswer().body).toBe('{"result":"NG"}');
    expect(unauthorizedAnswer().headers).toContain('WWW-Authenticate');
  });

  it('answer pings', () => {
    expect(pingAnswer()).toEqual({ status: 200, headers: JSON_TYPE, body: '{"result":"OK"}' });
  });
});

it('words every failure as the guide does', () => {
  const guide = readFileSync(new URL('../../../docs/guides/kuiperbelt.md', import.meta.url), 'utf8');
  const table = guide.split('| `error` |')[1]?.split('\n\n')[0] ?? '';
  const told = [...table.matchAll(/^\| `([^`]+)` \|/gm)].map(([, text]) => text);
  expect(told.sort()).toEqual(Object.values(FAILURE_TEXTS).sort());
});
