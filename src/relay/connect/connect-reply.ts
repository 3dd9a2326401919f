/**
 * What the application's answer to the connect callback means for the client (kuiperbelt 5.3).
 *
 * 200 with a session header admits; every other status is the application's own refusal and is
 * relayed; what is no usable answer becomes this node's refusal. Nothing is done here: the verdict
 * says what to answer, what to log and whether it counts as a connect error.
 */
import type { ChannelName, Result, SessionKey } from '../../base/index.ts';
import { isHeaderValue } from '../callbacks/header-lines.ts';
import { isBinary } from '../delivery/frame-type.ts';
import { type OutgoingAnswer, statusAnswer, unavailableAnswer } from '../outgoing-answer.ts';
import { CHOICE_HEADER } from './subprotocols.ts';

/** The settings that bound what an application may ask for. */
export interface ConnectReplySettings {
  readonly sessionHeader: string;
  readonly channelHeader: string;
  readonly limits: {
    readonly sessionKeyBytesMax: number;
    readonly channelNameBytesMax: number;
    readonly channelsPerConnectionMax: number;
  };
}

/** Status and headers of the application's answer. */
export interface CallbackAnswerHead {
  readonly status: number;
  header(name: string): string | undefined;
  headerLines(name: string): readonly string[];
}

/** The application's answer, body included. */
export interface CallbackAnswer extends CallbackAnswerHead {
  readonly body: Uint8Array;
}

/** Why there is no answer. `not_configured`: the configuration names no connect URL. */
export interface CallbackFailure {
  readonly kind:
    | 'not_configured'
    | 'bad_url'
    | 'unreachable'
    | 'timeout'
    | 'malformed'
    | 'too_large'
    | 'busy'
    | 'redirects'
    | 'no_backend';
  readonly message: string;
  /** Of `no_backend`: when one of those that rest may be asked again. */
  readonly retryAfterMs?: number;
  /** The head of an answer whose body did not arrive whole. */
  readonly head?: CallbackAnswerHead;
}

/** Severity and words of the log line that a refusal deserves. */
export interface RefusalLog {
  readonly level: 'info' | 'warn' | 'error';
  readonly message: string;
}

/** A client that the application lets in. */
export interface Admission {
  readonly type: 'admit';
  readonly key: SessionKey;
  readonly channels: readonly ChannelName[];
  /** The subprotocol that the application chooses; null: none. Not yet compared with the offer. */
  readonly protocol: string | null;
  /** The first message; null when the body was empty. */
  readonly hello: Uint8Array | null;
  readonly helloBinary: boolean;
}

/** A client that stays out. `counted`: it is a connect error in `/stats`. */
export type ConnectRefusal = {
  readonly type: 'refuse';
  readonly counted: boolean;
  /**
   * The key under which the application believes to have admitted the client, although its answer
   * was of no use: it is owed a close event. Null when it said no, or gave no key to speak of.
   */
  readonly admittedAs: SessionKey | null;
  readonly log: RefusalLog;
} & OutgoingAnswer;

/** What to do with the client. */
export type ConnectVerdict = Admission | ConnectRefusal;

/**
 * Headers of a refusal that reach the client. kuiperbelt relays the first alone; the other two say
 * when and how to try again and cannot harm. Cookies and locations stay behind, as in kuiperbelt.
 */
const RELAYED_HEADERS = ['Content-Type', 'Retry-After', 'WWW-Authenticate'];
/** Why a client is sent away while more wait than may. */
export const CROWDED = 'too many clients are connecting';
/** Statuses that have no body (RFC 9110 6.4.1). */
const BODILESS = new Set([204, 304]);
const NO_BACKEND = 'the application does not answer';
const NO_BODY = new Uint8Array(0);

/** Reads the outcome of a connect callback. `retryAfterSeconds`: asked when it was not put at all. */
export function readConnectReply(
  settings: ConnectReplySettings,
  outcome: Result<CallbackAnswer, CallbackFailure>,
  retryAfterSeconds: () => number,
): ConnectVerdict {
  if (!outcome.ok) return noAnswer(settings, outcome.error, retryAfterSeconds);
  const answer = outcome.value;
  if (answer.status === 200) return admit(settings, answer);
  if (answer.status < 200 || answer.status > 999) {
    return applicationError(`the connect callback answered status ${answer.status}`);
  }
  return relay(answer);
}

function noAnswer(
  settings: ConnectReplySettings,
  failure: CallbackFailure,
  retryAfterSeconds: () => number,
): ConnectRefusal {
  const log: RefusalLog = { level: 'error', message: `the connect callback failed: ${failure.message}` };
  if (failure.kind === 'not_configured') return refuse(statusAnswer(500), log);
  if (failure.kind === 'busy') {
    return refuse(unavailableAnswer(CROWDED, retryAfterSeconds()), { ...log, level: 'warn' });
  }
  if (failure.kind === 'no_backend') {
    const seconds = Math.max(retryAfterSeconds(), Math.ceil((failure.retryAfterMs ?? 0) / 1_000));
    return refuse(unavailableAnswer(NO_BACKEND, seconds), { ...log, level: 'warn' });
  }
  const key = failure.head?.status === 200 ? readKey(settings, failure.head) : null;
  return refuse(statusAnswer(502), log, key);
}

function admit(settings: ConnectReplySettings, answer: CallbackAnswer): ConnectVerdict {
  const { limits } = settings;
  const named = answer.headerLines(settings.sessionHeader)[0] ?? '';
  if (named === '') {
    const message = `the connect callback answered 200 without ${settings.sessionHeader}`;
    return refuse(statusAnswer(400), { level: 'error', message });
  }
  const key = readKey(settings, answer);
  if (key === null) {
    return applicationError('the connect callback gave a session key that is too long or not a header value');
  }
  const channels = [...new Set(answer.headerLines(settings.channelHeader))];
  if (channels.length > limits.channelsPerConnectionMax) {
    return applicationError(`the connect callback named ${channels.length} channels`, key);
  }
  if (!channels.every((name) => isChannelName(name, limits.channelNameBytesMax))) {
    return applicationError('the connect callback named a channel that is empty or too long', key);
  }
  return {
    type: 'admit',
    key,
    channels,
    protocol: answer.header(CHOICE_HEADER) ?? null,
    hello: answer.body.length > 0 ? answer.body : null,
    helloBinary: isBinary(answer.header('content-type')),
  };
}

/** The session key of an answer, or null when there is none that a callback could carry. */
function readKey(settings: ConnectReplySettings, head: CallbackAnswerHead): SessionKey | null {
  const key = head.headerLines(settings.sessionHeader)[0] ?? '';
  const usable = key !== '' && key.length <= settings.limits.sessionKeyBytesMax && isHeaderValue(key);
  return usable ? (key as SessionKey) : null;
}

/** True when `name` can be the name of a channel. */
export function isChannelName(name: string, bytesMax: number): name is ChannelName {
  return name !== '' && name.length <= bytesMax && isHeaderValue(name);
}

function relay(answer: CallbackAnswer): ConnectRefusal {
  const headers = RELAYED_HEADERS.flatMap((name) => {
    const value = answer.header(name);
    return value !== undefined && isHeaderValue(value) ? [name, value] : [];
  });
  const body = BODILESS.has(answer.status) ? NO_BODY : answer.body;
  const relayed: OutgoingAnswer = { status: answer.status, headers, body };
  if (answer.status === 403) {
    const log: RefusalLog = {
      level: 'info',
      message: 'authorization failed: the connect callback answered 403',
    };
    return { type: 'refuse', ...relayed, counted: false, admittedAs: null, log };
  }
  const message = `the connect callback refused with status ${answer.status}`;
  return refuse(relayed, { level: 'error', message });
}

/** The application said yes, but not in a way that can be carried out. */
function applicationError(message: string, admittedAs: SessionKey | null = null): ConnectRefusal {
  return refuse(statusAnswer(502), { level: 'error', message }, admittedAs);
}

function refuse(
  answer: OutgoingAnswer,
  log: RefusalLog,
  admittedAs: SessionKey | null = null,
): ConnectRefusal {
  return { type: 'refuse', ...answer, counted: true, admittedAs, log };
}
