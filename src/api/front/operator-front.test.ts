/** `POST /`: generic errors, CORS, bounds, and how outcomes of operations are told. */
import { describe, expect, it } from 'vitest';
import { CollectedLog } from '../../../test/fakes/collected-log.ts';
import { FakeRequest, FakeResponse } from '../../../test/fakes/fake-net.ts';
import { FakeTime } from '../../../test/fakes/fake-time.ts';
import { failed, OPERATOR_LIMITS, type Result } from '../../base/index.ts';
import { LiveConfig, type Settings } from '../../config/index.ts';
import { answered, type Handler, type OperationAnswer, refused } from './operation-answer.ts';
import { OperatorFront } from './operator-front.ts';

const ORIGIN = 'http://127.0.0.1:5000';
const SERVER = ['content-type', 'application/json', 'server', 'arrokoth'];
const turn = () => new Promise((resolve) => setImmediate(resolve));

interface Call {
  readonly method?: string;
  readonly target?: string | null;
  readonly body?: string;
}

/** A front whose operations come to what `outcomes` say. */
function makeFront(
  outcomes: Record<string, Handler> = {},
  options: { corsOrigin?: string | null; ownerElsewhere?: (channel: string) => string | null } = {},
) {
  const { corsOrigin = null, ownerElsewhere = () => null } = options;
  const settings = { api: { corsOrigin }, limits: { handshakeTimeoutMs: 10_000 } } as unknown as Settings;
  const time = new FakeTime();
  const log = new CollectedLog();
  const statuses: number[] = [];
  const front = new OperatorFront({
    live: new LiveConfig(settings),
    timers: time,
    logger: log,
    handlers: new Map(Object.entries(outcomes)),
    ownerElsewhere,
    count: (status) => statuses.push(status),
  });
  const begin = (request: FakeRequest): FakeResponse => {
    const response = new FakeResponse();
    front.handle(request, response);
    return response;
  };
  const requestOf = ({ method = 'POST', target = 'Sora_20171218.GetLicense', body = '' }: Call) => {
    const headers = target === null ? [] : ['X-Sora-Target', target];
    return new FakeRequest({ method, path: '/', headers, body });
  };
  const call = async (given: Call) => {
    const response = begin(requestOf(given));
    await turn();
    if (response.answer === null) throw new Error('not answered');
    const { status, headers, body } = response.answer;
    return { status, headers, body: body === '' ? '' : JSON.parse(body), text: body };
  };
  return { front, call, begin, requestOf, time, log, statuses };
}

const reasonOf = (target: string) => {
  const [, version, operation] = /_(\d+)\.(\w+)/.exec(target) ?? [];
  return { service: 'Sora', version, operation };
};

describe('errors of all operations', () => {
  const UNKNOWN = 'Sora_20991231.GetLicense';
  const PUSH = 'Sora_20160711.PushChannel';
  const cases: [string, Call, object][] = [
    ['another method', { method: 'GET' }, { type: 'UnexpectedMethod' }],
    ['a preflight that nobody configured', { method: 'OPTIONS' }, { type: 'UnexpectedMethod' }],
    ['no header', { target: null }, { type: 'MissingHeaderName' }],
    ['a header without a date', { target: 'Sora.GetMode' }, { error_type: 'MissingService' }],
    ['an empty header', { target: '' }, { error_type: 'MissingService' }],
    ['more than a header should say', { target: 'Sora_20171218.Get_Mode' }, { error_type: 'MissingService' }],
    ['another service', { target: 'Sola_20171218.GetLicense' }, { error_type: 'InvalidTarget' }],
    ['an unknown date', { target: UNKNOWN }, { error_type: 'MissingTarget' }],
    ['an unknown operation', { target: 'Sora_20171218.Constructor' }, { error_type: 'MissingTarget' }],
    [
      'an unknown date and a body, of whatever kind',
      { target: UNKNOWN, body: '{' },
      { error_type: 'SchemaNotFound', error_reason: reasonOf(UNKNOWN) },
    ],
    [
      'no body where one is needed',
      { target: PUSH },
      { error_type: 'MissingTargetFunction', error_reason: reasonOf(PUSH) },
    ],
    [
      'a body where none is taken',
      { body: '{}' },
      { error_type: 'MissingTargetFunction', error_reason: reasonOf('Sora_20171218.GetLicense') },
    ],
    ['no JSON', { target: PUSH, body: '{"channel_id":' }, { error_type: 'MalformedJSON' }],
    ['no UTF-8', { target: PUSH, body: '{"channel_id":"\xff"}' }, { error_type: 'MalformedJSON' }],
    [
      'a wrong shape',
      { target: PUSH, body: '{"channel_id":1,"data":{}}' },
      {
        error_type: 'InvalidJSON',
        error_reason: [
          { invalid: 'data', error: 'wrong_type', data: 1, path: ['channel_id'], schema: expect.any(Object) },
        ],
      },
    ],
    [
      'a missing key',
      { target: PUSH, body: '{"channel_id":"a"}' },
      {
        error_type: 'InvalidJSON',
        error_reason: [expect.objectContaining({ error: 'missing_required_property', path: ['data'] })],
      },
    ],
  ];

  it.each(cases)('%s', async (_what, given, body) => {
    const { call, statuses } = makeFront();
    expect(await call(given)).toMatchObject({ status: 400, headers: SERVER, body });
    expect(statuses).toEqual([400]);
  });

  it('tell nobody again what was too long to tell', async () => {
    const { call } = makeFront();
    const body = JSON.stringify({ channel_id: 'x'.repeat(70_000), data: {} });
    expect((await call({ target: PUSH, body })).text.length).toBeLessThan(1_000);
  });

  it('a body that is too large, or does not come, or whose client leaves', async () => {
    const { begin, requestOf, time, call, statuses } = makeFront({ GetLicense: async () => answered(1) });
    const large = requestOf({ target: PUSH, body: 'x'.repeat(OPERATOR_LIMITS.bodyBytesMax + 1) });
    expect(begin(large).answer).toMatchObject({ status: 413, body: '{"error_type":"PayloadTooLarge"}' });
    type Done = (body: Result<Uint8Array, 'too_large' | 'gone'>) => void;
    const waiting: Done[] = [];
    const slow = Object.assign(requestOf({}), { body: (_max: number, done: Done) => waiting.push(done) });
    const late = begin(slow);
    const left = begin(slow);
    waiting[1]?.(failed('gone'));
    time.advance(OPERATOR_LIMITS.bodyWaitMs);
    expect(late.answer).toMatchObject({ status: 408, body: '{"error_type":"RequestTimeout"}' });
    waiting[0]?.(failed('gone'));
    expect(left.answer).toBeNull();
    // None of them counts as under way any more.
    for (let number = 0; number < 2 * OPERATOR_LIMITS.operationsMax; number++) await call({});
    expect(new Set(statuses.slice(2))).toEqual(new Set([200]));
  });

  it('a bug of an operation is logged and says no more', async () => {
    const { call, log } = makeFront({
      GetLicense: async () => {
        throw new Error('a secret');
      },
    });
    expect(await call({})).toMatchObject({ status: 500, text: '{"error_type":"HandlerException"}' });
    expect(log.lines).toHaveLength(1);
  });

  it('too many operations at once', async () => {
    const endless: Handler = () => new Promise(() => {});
    const { begin, requestOf, call } = makeFront({ GetLicense: endless });
    for (let number = 0; number < OPERATOR_LIMITS.operationsMax; number++) begin(requestOf({}));
    expect(await call({})).toMatchObject({ status: 503, body: { error_type: 'TooManyRequests' } });
  });
});

describe('outcomes', () => {
  const say = async (outcome: OperationAnswer) => makeFront({ GetLicense: async () => outcome }).call({});

  it('are compact JSON, or 400 with the reason', async () => {
    expect(await say(answered({ mode: 'normal', a: [1] }))).toMatchObject({
      status: 200,
      text: '{"mode":"normal","a":[1]}',
    });
    expect((await say(refused('NODE-IS-ALIVE', { target_node: 'a@b' }))).text).toBe(
      '{"error_reason":{"target_node":"a@b"},"error_type":"NODE-IS-ALIVE"}',
    );
    expect(await say(refused('NO-QUORUM'))).toMatchObject({
      status: 400,
      text: '{"error_type":"NO-QUORUM"}',
    });
    expect((await say({ type: 'busy' })).status).toBe(503);
  });

  it('lead to the owner of the channel, unless the caller wants it here', async () => {
    const asked: string[] = [];
    const { call } = makeFront(
      { PushChannel: async () => answered('here') },
      {
        ownerElsewhere: (channel) => {
          asked.push(channel);
          return channel === 'far' ? 'http://10.0.0.2:3000/' : null;
        },
      },
    );
    const push = (values: object) =>
      call({ target: 'Sora_20160711.PushChannel', body: JSON.stringify({ data: {}, ...values }) });
    const far = await push({ channel_id: 'far' });
    expect([far.status, far.text, far.headers.slice(-2)]).toEqual([
      307,
      '',
      ['location', 'http://10.0.0.2:3000/'],
    ]);
    expect((await push({ channel_id: 'near' })).body).toBe('here');
    expect((await push({ channel_id: 'far', redirect: false })).body).toBe('here');
    expect(asked).toEqual(['far', 'near']);
  });
});

describe('a configured origin', () => {
  const CORS = [
    ...['access-control-allow-headers', 'Origin, X-Requested-With, Content-Type, Accept, x-sora-target'],
    ...['access-control-allow-methods', 'POST, OPTIONS'],
    ...['access-control-allow-origin', ORIGIN],
    ...['access-control-max-age', '1000'],
  ];

  it('is named in all answers, errors too, and preflights are answered', async () => {
    const { call, front, requestOf } = makeFront(
      { GetLicense: async () => answered(1) },
      { corsOrigin: ORIGIN },
    );
    expect(front.isPreflight(requestOf({ method: 'OPTIONS' }))).toBe(true);
    expect(await call({ method: 'OPTIONS', target: null })).toMatchObject({ status: 200, text: '' });
    for (const given of [{}, { method: 'OPTIONS' }, { target: null }, { body: '{' }]) {
      expect((await call(given)).headers).toEqual([...CORS, ...SERVER]);
    }
  });
});
