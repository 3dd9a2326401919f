/**
 * Whether and when a page connects again, as a state machine without a browser in it.
 *
 * `step` takes where a connection stands and what has happened, and returns where it stands now and
 * at most one thing to do. `ArrokothSocket` drives it; it reads no clock, draws no chance and
 * opens nothing itself.
 */

/**
 * Where a connection stands. In the last three it stays until `connect()` is called: `closed` by
 * this page or in peace by the application, `replaced` by a newer connection of the same session
 * key, `refused` because the other side does not want this client as it is.
 */
export type SocketState = 'connecting' | 'open' | 'waiting' | 'closed' | 'replaced' | 'refused';

/** What a page is told about its connection. */
export interface SocketStatus {
  readonly state: SocketState;
  /** Close code of the connection that ended last; 1006 when it broke or never was, null before that. */
  readonly code: number | null;
  /** What was said with that code. */
  readonly reason: string;
  /** HTTP status of the probe after a handshake that failed, where it could be read. */
  readonly httpStatus: number | null;
  /** Milliseconds from now to the next attempt; null unless `waiting`. */
  readonly retryInMs: number | null;
}

/** The bounds of the waiting. */
export interface ReconnectionBounds {
  /** The longest wait before the first new attempt; it doubles with every failure. */
  readonly backoffMs: number;
  readonly backoffMaxMs: number;
  /** The longest `Retry-After` that is obeyed. */
  readonly retryAfterMaxMs: number;
  /** A handshake without an answer for so long has failed. */
  readonly handshakeTimeoutMs: number;
  /** A connection that lived so long was a success, and the waiting begins anew. */
  readonly stableMs: number;
  /** Whether something can be asked why a handshake failed. */
  readonly canProbe: boolean;
  /** Close codes to come back after, although they would end it otherwise. */
  readonly reconnectOn: readonly number[];
}

/** Those of a page that sets none. */
export const DEFAULT_BOUNDS: ReconnectionBounds = {
  backoffMs: 1_000,
  backoffMaxMs: 30_000,
  retryAfterMaxMs: 600_000,
  handshakeTimeoutMs: 20_000,
  stableMs: 5_000,
  canProbe: true,
  reconnectOn: [],
};

/** Everything that is known of a connection; replaced, never changed. */
export interface Life {
  readonly state: SocketState;
  /** `connecting` has two parts: the handshake, and the question why it failed. */
  readonly probing: boolean;
  /** Attempts in a row that came to nothing lasting. */
  readonly failures: number;
  readonly openedAtMs: number;
  /** When `timer` is due, if it is. */
  readonly wakeAtMs: number | null;
  /** No attempt before this: the server asked for it. */
  readonly notBeforeMs: number;
  readonly code: number | null;
  readonly reason: string;
  readonly httpStatus: number | null;
}

/** What has happened. */
export type SocketInput =
  /** The page wants a connection, or does not any more. */
  | { readonly type: 'connect' | 'close' }
  /** `ended` before `opened` is a handshake that failed. */
  | { readonly type: 'opened' }
  | { readonly type: 'ended'; readonly code: number; readonly reason: string }
  /** The browser will not even try: a wrong address, a page that may not connect there. */
  | { readonly type: 'impossible'; readonly reason: string }
  /** The answer of the probe; null where there was none, or none that may be read. */
  | { readonly type: 'probed'; readonly httpStatus: number | null; readonly retryAfterMs: number | null }
  | { readonly type: 'timer' }
  /** The network is back; somebody looks at the page again. */
  | { readonly type: 'online' | 'visible' };

/** What a step depends on beside its input. */
export interface Circumstances {
  readonly nowMs: number;
  /** Chance, in [0, 1). */
  readonly fraction: number;
  /** False only when the browser is sure that there is no network. */
  readonly online: boolean;
}

/** What is to be done after a step. `open`, `probe` and `drop` all let go of what there was before. */
export type SocketOrder = 'open' | 'probe' | 'drop' | null;

/** Before anybody has asked for a connection. */
export const UNBORN: Life = {
  state: 'closed',
  probing: false,
  failures: 0,
  openedAtMs: 0,
  wakeAtMs: null,
  notBeforeMs: 0,
  code: null,
  reason: '',
  httpStatus: null,
};

const NORMAL_CLOSURE = 1000;
/** "Try again later": whoever comes back at once meets the same trouble. */
const TRY_AGAIN_LATER = 1013;
const TRY_AGAIN_LATER_FAILURES = 3;
/** A newer connection has the session key; to come back would throw that one out in turn. */
const REPLACED = 4409;
/** What we sent, or who we are, is not wanted; it would not be the next time either. */
const REFUSALS = [1002, 1003, 1007, 1008, 1009, 1010];
const APPLICATION_CODES_MIN = 4000;
/** HTTP's own words for a client that is not wanted, and for one whose session has a newer connection. */
const REFUSING_STATUSES = [401, 403];
const CONFLICT = 409;
const PROBE_TIMEOUT_MS = 5_000;
/** 2 to this power is beyond every bound, and still a number. */
const EXPONENT_MAX = 30;

/** Takes one input. The order is to be carried out before the next step. */
export function step(
  bounds: ReconnectionBounds,
  life: Life,
  input: SocketInput,
  now: Circumstances,
): [life: Life, order: SocketOrder] {
  switch (input.type) {
    case 'connect':
      if (life.state === 'connecting' || life.state === 'open') return [life, null];
      return life.state === 'waiting' ? [hasten(life, now, 0), null] : attempt(bounds, UNBORN, now);
    case 'close':
      return [stopped(life, 'closed', NORMAL_CLOSURE, ''), 'drop'];
    case 'impossible':
      return [stopped(life, 'refused', null, input.reason), 'drop'];
    case 'opened':
      return [{ ...life, state: 'open', openedAtMs: now.nowMs, wakeAtMs: null }, null];
    case 'ended':
      return life.state === 'open'
        ? ended(bounds, life, input, now)
        : handshakeFailed(bounds, { ...life, code: input.code, reason: input.reason }, now);
    case 'probed':
      return probed(bounds, life, input, now);
    case 'timer':
      if (life.state === 'waiting') return attempt(bounds, life, now);
      // The handshake or the probe took too long.
      return life.probing
        ? [waiting(bounds, life, now, 0), 'drop']
        : handshakeFailed(bounds, { ...life, code: 1006, reason: '' }, now);
    case 'online':
      // Everybody behind one router is back at the same moment.
      return [hasten(life, now, bounds.backoffMs), null];
    case 'visible':
      return [hasten(life, now, 0), null];
  }
}

function attempt(bounds: ReconnectionBounds, life: Life, now: Circumstances): [Life, SocketOrder] {
  const wakeAtMs = now.nowMs + bounds.handshakeTimeoutMs;
  return [{ ...life, state: 'connecting', wakeAtMs, httpStatus: null }, 'open'];
}

function ended(
  bounds: ReconnectionBounds,
  life: Life,
  { code, reason }: { readonly code: number; readonly reason: string },
  now: Circumstances,
): [Life, SocketOrder] {
  if (!bounds.reconnectOn.includes(code)) {
    if (code === NORMAL_CLOSURE) return [stopped(life, 'closed', code, reason), 'drop'];
    if (code === REPLACED) return [stopped(life, 'replaced', code, reason), 'drop'];
    if (REFUSALS.includes(code) || code >= APPLICATION_CODES_MIN) {
      return [stopped(life, 'refused', code, reason), 'drop'];
    }
  }
  const lasted = now.nowMs - life.openedAtMs >= bounds.stableMs;
  const failures = Math.max(
    lasted ? 0 : life.failures + 1,
    code === TRY_AGAIN_LATER ? TRY_AGAIN_LATER_FAILURES : 0,
  );
  return [waiting(bounds, { ...life, failures, code, reason }, now, 0), 'drop'];
}

/** The browser does not say why; whoever can be asked may. */
function handshakeFailed(bounds: ReconnectionBounds, life: Life, now: Circumstances): [Life, SocketOrder] {
  const failed = { ...life, failures: life.failures + 1 };
  if (!bounds.canProbe) return [waiting(bounds, failed, now, 0), 'drop'];
  return [{ ...failed, probing: true, wakeAtMs: now.nowMs + PROBE_TIMEOUT_MS }, 'probe'];
}

function probed(
  bounds: ReconnectionBounds,
  life: Life,
  answer: { readonly httpStatus: number | null; readonly retryAfterMs: number | null },
  now: Circumstances,
): [Life, SocketOrder] {
  const { httpStatus, retryAfterMs } = answer;
  const told = { ...life, httpStatus };
  if (httpStatus === CONFLICT) return [stopped(told, 'replaced', life.code, life.reason), 'drop'];
  if (httpStatus !== null && REFUSING_STATUSES.includes(httpStatus)) {
    return [stopped(told, 'refused', life.code, life.reason), 'drop'];
  }
  return [waiting(bounds, told, now, Math.min(retryAfterMs ?? 0, bounds.retryAfterMaxMs)), 'drop'];
}

/**
 * Full jitter: anything up to the bound, so that a crowd which was cut at once comes back spread
 * out. `Retry-After` is told to a whole crowd too, so it is where the spread begins.
 */
function waiting(bounds: ReconnectionBounds, life: Life, now: Circumstances, retryAfterMs: number): Life {
  const boundMs = Math.min(
    bounds.backoffMaxMs,
    bounds.backoffMs * 2 ** Math.min(life.failures, EXPONENT_MAX),
  );
  const notBeforeMs = now.nowMs + retryAfterMs;
  // `online` will wake us; browsers err about that sometimes, so now and then an attempt is made.
  const delayMs = now.online ? now.fraction * boundMs : bounds.backoffMaxMs;
  return { ...life, state: 'waiting', probing: false, notBeforeMs, wakeAtMs: notBeforeMs + delayMs };
}

/** Waits no longer than `spreadMs` by chance, but as long as the server asked for. */
function hasten(life: Life, now: Circumstances, spreadMs: number): Life {
  if (life.state !== 'waiting' || life.wakeAtMs === null) return life;
  const soonestMs = Math.max(life.notBeforeMs, now.nowMs) + now.fraction * spreadMs;
  return soonestMs < life.wakeAtMs ? { ...life, wakeAtMs: soonestMs } : life;
}

function stopped(life: Life, state: SocketState, code: number | null, reason: string): Life {
  return { ...life, state, code, reason, probing: false, wakeAtMs: null };
}

/** The value of a `Retry-After` header: seconds or a date, as milliseconds from now. */
export function readRetryAfter(value: string | null, nowMs: number): number | null {
  const text = value?.trim() ?? '';
  const ms = /^\d+$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - nowMs;
  return Number.isNaN(ms) ? null : Math.max(0, ms);
}
