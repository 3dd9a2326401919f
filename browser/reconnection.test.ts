/** The rules of coming back, without a browser: what each end means, and how long each wait is. */
import { describe, expect, it } from 'vitest';
import {
  type Circumstances,
  type Life,
  type ReconnectionBounds,
  readRetryAfter,
  type SocketInput,
  type SocketOrder,
  step,
  UNBORN,
} from './reconnection.ts';

const BOUNDS: ReconnectionBounds = {
  backoffMs: 1_000,
  backoffMaxMs: 30_000,
  retryAfterMaxMs: 600_000,
  handshakeTimeoutMs: 20_000,
  stableMs: 5_000,
  canProbe: true,
  reconnectOn: [],
};

const CONNECT: SocketInput = { type: 'connect' };
const OPENED: SocketInput = { type: 'opened' };
const TIMER: SocketInput = { type: 'timer' };
const BROKEN = ended(1006);
const UNREADABLE: SocketInput = { type: 'probed', httpStatus: null, retryAfterMs: null };

function ended(code: number, reason = ''): SocketInput {
  return { type: 'ended', code, reason };
}

/** Takes inputs one after the other, all at the same moment, and remembers what was ordered. */
class Walk {
  life: Life = UNBORN;
  orders: SocketOrder[] = [];
  now: Circumstances = { nowMs: 1_000_000, fraction: 0.5, online: true };
  readonly bounds: ReconnectionBounds;

  constructor(bounds: Partial<ReconnectionBounds> = {}) {
    this.bounds = { ...BOUNDS, ...bounds };
  }

  take(...inputs: SocketInput[]): this {
    for (const input of inputs) {
      const [life, order] = step(this.bounds, this.life, input, this.now);
      this.life = life;
      this.orders.push(order);
    }
    return this;
  }

  pass(ms: number): this {
    this.now = { ...this.now, nowMs: this.now.nowMs + ms };
    return this;
  }

  /** Milliseconds until the timer is due. */
  get dueMs(): number | null {
    return this.life.wakeAtMs === null ? null : this.life.wakeAtMs - this.now.nowMs;
  }
}

/** A connection that has lived long enough to count as a success. */
const settled = (bounds?: Partial<ReconnectionBounds>): Walk =>
  new Walk(bounds).take(CONNECT, OPENED).pass(5_000);

describe('a connection', () => {
  it('begins when it is asked for, once', () => {
    const walk = new Walk();
    expect(walk.life.state).toBe('closed');
    walk.take(CONNECT, CONNECT, OPENED, CONNECT);
    expect([walk.life.state, walk.orders, walk.dueMs]).toEqual(['open', ['open', null, null, null], null]);
  });

  it('ends when the page wants it to, in every state, and begins anew', () => {
    const before: SocketInput[][] = [[], [CONNECT], [CONNECT, BROKEN], [CONNECT, OPENED, BROKEN]];
    for (const inputs of before) {
      const walk = new Walk().take(...inputs, { type: 'close' });
      expect([walk.life.state, walk.life.code, walk.dueMs, walk.orders.at(-1)]).toEqual([
        'closed',
        1000,
        null,
        'drop',
      ]);
      walk.take(CONNECT);
      expect([walk.life.state, walk.life.failures, walk.orders.at(-1)]).toEqual(['connecting', 0, 'open']);
    }
  });

  it('is refused when the browser will not try', () => {
    const walk = new Walk().take(CONNECT, { type: 'impossible', reason: 'SyntaxError' });
    expect(walk.life).toMatchObject({ state: 'refused', code: null, reason: 'SyntaxError', wakeAtMs: null });
  });
});

describe('the end of an open connection', () => {
  it.each([
    [1000, 'closed'],
    [4409, 'replaced'],
    [1002, 'refused'],
    [1003, 'refused'],
    [1007, 'refused'],
    [1008, 'refused'],
    [1009, 'refused'],
    [1010, 'refused'],
    [4000, 'refused'],
    [4999, 'refused'],
  ])('with %i is %s, and nobody comes back', (code, state) => {
    const walk = settled().take(ended(code, 'why'));
    expect(walk.life).toMatchObject({ state, code, reason: 'why', wakeAtMs: null });
    walk.take({ type: 'online' }, { type: 'visible' });
    expect(walk.life.state).toBe(state);
  });

  it.each([1001, 1005, 1006, 1011, 1012, 1014])('with %i is soon made good, by chance', (code) => {
    for (const fraction of [0, 0.25, 0.999]) {
      const walk = settled();
      walk.now = { ...walk.now, fraction };
      walk.take(ended(code));
      expect(walk.life).toMatchObject({ state: 'waiting', code });
      expect(walk.dueMs).toBeCloseTo(fraction * 1_000);
      expect([walk.take(TIMER).life.state, walk.orders.at(-1)]).toEqual(['connecting', 'open']);
    }
  });

  it('with 1013 is given time', () => {
    expect(settled().take(ended(1013)).dueMs).toBe(4_000);
  });

  it('is come back from where the page says so', () => {
    for (const code of [1000, 4409, 4001]) {
      expect(settled({ reconnectOn: [code] }).take(ended(code)).life.state).toBe('waiting');
    }
  });

  it('counts as a failure when it comes too soon', () => {
    const walk = new Walk();
    walk.take(CONNECT, OPENED).pass(4_999).take(ended(1012));
    expect(walk.dueMs).toBe(1_000);
    walk.take(TIMER, OPENED).pass(4_999).take(ended(1012));
    expect(walk.dueMs).toBe(2_000);
    walk.take(TIMER, OPENED).pass(5_000).take(ended(1012));
    expect(walk.dueMs).toBe(500);
  });
});

describe('a handshake that fails', () => {
  it('is asked about, and then waited for twice as long each time, up to the bound', () => {
    const walk = new Walk().take(CONNECT);
    const waits: (number | null)[] = [];
    for (let count = 0; count < 40; count++) {
      walk.take(BROKEN);
      expect([walk.life.state, walk.orders.at(-1), walk.dueMs]).toEqual(['connecting', 'probe', 5_000]);
      walk.take(UNREADABLE);
      waits.push(walk.dueMs);
      walk.take(TIMER);
    }
    expect(waits.slice(0, 6)).toEqual([1_000, 2_000, 4_000, 8_000, 15_000, 15_000]);
    expect(waits.at(-1)).toBe(15_000);
  });

  it('is not asked about when there is nobody to ask', () => {
    const walk = new Walk({ canProbe: false }).take(CONNECT, BROKEN);
    expect([walk.life.state, walk.dueMs, walk.orders.at(-1)]).toEqual(['waiting', 1_000, 'drop']);
  });

  it('is one that takes too long, and so does the question', () => {
    const walk = new Walk().take(CONNECT);
    expect(walk.dueMs).toBe(20_000);
    walk.pass(20_000).take(TIMER);
    expect([walk.life.probing, walk.life.code, walk.orders.at(-1)]).toEqual([true, 1006, 'probe']);
    walk.pass(5_000).take(TIMER);
    expect([walk.life.state, walk.life.probing, walk.orders.at(-1), walk.dueMs]).toEqual([
      'waiting',
      false,
      'drop',
      1_000,
    ]);
  });

  it.each([401, 403])('is a refusal when the probe says %i', (httpStatus) => {
    const walk = new Walk().take(CONNECT, BROKEN, { type: 'probed', httpStatus, retryAfterMs: null });
    expect(walk.life).toMatchObject({ state: 'refused', httpStatus, wakeAtMs: null, probing: false });
  });

  it('is one that was replaced when the probe says 409', () => {
    const walk = new Walk().take(CONNECT, BROKEN, { type: 'probed', httpStatus: 409, retryAfterMs: 1_000 });
    expect(walk.life).toMatchObject({ state: 'replaced', httpStatus: 409, wakeAtMs: null, probing: false });
  });

  it.each([
    [10_000, 10_000],
    [700_000, 600_000],
  ])('with Retry-After of %i ms is repeated after it, spread by chance', (retryAfterMs, floorMs) => {
    const walk = new Walk().take(CONNECT, BROKEN, { type: 'probed', httpStatus: 503, retryAfterMs });
    expect([walk.dueMs, walk.life.httpStatus]).toEqual([floorMs + 1_000, 503]);
    walk.take({ type: 'visible' }, { type: 'online' }, CONNECT);
    expect(walk.dueMs, 'nothing may shorten it').toBe(floorMs);
    walk.take(TIMER);
    expect(walk.life.httpStatus, 'the next attempt has an answer of its own').toBe(null);
  });
});

describe('the network and the page', () => {
  const offline = { nowMs: 0, fraction: 0.5, online: false };

  it('let a wait be long while there is no network, and short when it is back', () => {
    const walk = new Walk();
    walk.now = offline;
    walk.take(CONNECT, OPENED, BROKEN);
    expect(walk.dueMs).toBe(30_000);
    walk.take({ type: 'online' });
    expect(walk.dueMs, 'everybody behind the router is back too').toBe(500);
  });

  it('end a wait when somebody looks', () => {
    const walk = settled().take(BROKEN, { type: 'visible' });
    expect(walk.dueMs).toBe(0);
  });

  it('never make a wait longer, and change nothing else', () => {
    const walk = settled().take(BROKEN, { type: 'visible' }, { type: 'online' });
    expect(walk.dueMs).toBe(0);
    const open = settled();
    const { life } = open;
    open.take({ type: 'online' }, { type: 'visible' });
    expect(open.life).toBe(life);
  });
});

describe('Retry-After', () => {
  it.each([
    ['5', 5_000],
    [' 0 ', 0],
    ['Thu, 01 Jan 1970 00:01:00 GMT', 50_000],
    ['Thu, 01 Jan 1970 00:00:00 GMT', 0],
    ['soon', null],
    ['-5 s', null],
    ['', null],
    [null, null],
  ])('%j is read', (value, ms) => {
    expect(readRetryAfter(value, 10_000)).toBe(ms);
  });
});
