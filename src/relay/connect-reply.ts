/**
 * What the application's answer to the connect callback means for the client (kuiperbelt 5.3).
 *
 * 200 with a session header admits; every other status is the application's own refusal and is
 * relayed; what is no usable answer becomes this node's refusal. Nothing is done here: the verdict
 * says what to answer, what to log and whether it counts as a connect error.
 */
import type { ChannelName, Result, SessionKey } from '../base/index.ts';
import { isBinary } from './frame-type.ts';
import { isHeaderValue } from './header-lines.ts';
import { type OutgoingAnswer, statusAnswer, unavailableAnswer } from './outgoing-answer.ts';

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

/** The application's answer, body included. */
export interface CallbackAnswer {
  readonly status: number;
  header(name: string): string | undefined;
  headerLines(name: string): readonly string[];
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
    | 'redirects';
  readonly message: string;
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
  /** The first message; null when the body was empty. */
  readonly hello: Uint8Array | null;
  readonly helloBinary: boolean;
}

/** A client that stays out. `counted`: it is a connect error in `/stats`. */
export type ConnectRefusal = {
  readonly type: 'refuse';
  readonly counted: boolean;
  readonly log: RefusalLog;
} & OutgoingAnswer;

/** What to do with the client. */
export type ConnectVerdict = Admission | ConnectRefusal;

/**
 * Headers of a refusal that reach the client. kuiperbelt relays the first alone; the other two say
 * when and how to try again and cannot harm. Cookies and locations stay behind, as in kuiperbelt.
 */
const RELAYED_HEADERS = ['Content-Type', 'Retry-After', 'WWW-Authenticate'];
/** Statuses that have no body (RFC 9110 6.4.1). */
const BODILESS = new Set([204, 304]);
const NO_BODY = new Uint8Array(0);

/** Reads the outcome of a connect callback. */
export function readConnectReply(
  settings: ConnectReplySettings,
  outcome: Result<CallbackAnswer, CallbackFailure>,
): ConnectVerdict {
  if (!outcome.ok) return noAnswer(outcome.error);
  const answer = outcome.value;
  if (answer.status === 200) return admit(settings, answer);
  if (answer.status < 200 || answer.status > 999) {
    return applicationError(`the connect callback answered status ${answer.status}`);
  }
  return relay(answer);
}

function noAnswer(failure: CallbackFailure): ConnectRefusal {
  const log: RefusalLog = { level: 'error', message: `the connect callback failed: ${failure.message}` };
  if (failure.kind === 'not_configured') return refuse(statusAnswer(500), log);
  if (failure.kind === 'busy') {
    return refuse(unavailableAnswer('too many clients are connecting'), { ...log, level: 'warn' });
  }
  return refuse(statusAnswer(502), log);
}

function admit(settings: ConnectReplySettings, answer: CallbackAnswer): ConnectVerdict {
  const { limits } = settings;
  const key = answer.headerLines(settings.sessionHeader)[0] ?? '';
  if (key === '') {
    const message = `the connect callback answered 200 without ${settings.sessionHeader}`;
    return refuse(statusAnswer(400), { level: 'error', message });
  }
  if (key.length > limits.sessionKeyBytesMax || !isHeaderValue(key)) {
    return applicationError('the connect callback gave a session key that is too long or not a header value');
  }
  const channels = [...new Set(answer.headerLines(settings.channelHeader))];
  if (channels.length > limits.channelsPerConnectionMax) {
    return applicationError(`the connect callback named ${channels.length} channels`);
  }
  if (!channels.every((name) => isChannelName(name, limits.channelNameBytesMax))) {
    return applicationError('the connect callback named a channel that is empty or too long');
  }
  return {
    type: 'admit',
    key: key as SessionKey,
    channels,
    hello: answer.body.length > 0 ? answer.body : null,
    helloBinary: isBinary(answer.header('content-type')),
  };
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
    return { type: 'refuse', ...relayed, counted: false, log };
  }
  const message = `the connect callback refused with status ${answer.status}`;
  return refuse(relayed, { level: 'error', message });
}

/** The application said yes, but not in a way that can be carried out. */
function applicationError(message: string): ConnectRefusal {
  return refuse(statusAnswer(502), { level: 'error', message });
}

function refuse(answer: OutgoingAnswer, log: RefusalLog): ConnectRefusal {
  return { type: 'refuse', ...answer, counted: true, log };
}
