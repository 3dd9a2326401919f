/**
 * `/send`, `/close`, `/subscribe` and `/unsubscribe`: whom a request is for, and what it is told.
 *
 * The bytes of the answers are kuiperbelt's (section 6), because applications parse them and prune
 * their sessions by them. Keys and channels are byte strings (`base/utf8.ts`), read as UTF-8 only
 * where they are shown in JSON. Delivering itself is the gateway's business.
 */
import { type ChannelName, failed, ok, type Result, type SessionKey } from '../../base/index.ts';
import { isChannelName } from '../connect/connect-reply.ts';
import { goJsonByteString, goJsonString } from '../go-json.ts';
import { JSON_TYPE, jsonAnswer, type OutgoingAnswer, TEXT_TYPE } from '../outgoing-answer.ts';

/** Whose answers are given: the released program's, or those that kuiperbelt's README shows. */
export type Compat = 'released' | 'documented';

/** Whom a request is for, in the order of its headers; one named twice is meant twice. */
export interface Targets {
  readonly sessions: readonly SessionKey[];
  readonly channels: readonly ChannelName[];
}

/** Why a request names no usable targets. */
export type TargetsFailure = 'missing' | 'channel_missing' | 'too_many' | 'channel_invalid';

/** Why one target was not served. */
export type TargetFailure =
  | 'not_found'
  | 'closed'
  | 'deadline'
  | 'unreachable'
  | 'overloaded'
  | 'isolated'
  | 'blocked'
  | 'too_many_channels';

/** One target that was not served. */
export type TargetError =
  | { readonly session: SessionKey; readonly failure: TargetFailure }
  | { readonly channel: ChannelName; readonly failure: TargetFailure };

/** How many connections of a channel a message was handed to. */
export interface ChannelDelivery {
  readonly channel: ChannelName;
  readonly delivered: number;
}

/** The outcome of a request that had usable targets. */
export interface DeliveryOutcome {
  /** Unknown sessions in the order of the request, then other failures as they came. */
  readonly errors: readonly TargetError[];
  readonly channels: readonly ChannelDelivery[];
  /** Connections served in all; the documented answer is "NG" when there were none. */
  readonly delivered: number;
  /** `strict_broadcast`. */
  readonly strict: boolean;
  readonly compat: Compat;
}

/** The words in which each failure is told; the first three are kuiperbelt's. */
export const FAILURE_TEXTS: Readonly<Record<TargetFailure, string>> = {
  not_found: 'kuiperbelt: session is not found',
  closed: 'kuiperbelt: session is closed',
  deadline: 'context deadline exceeded',
  unreachable: 'node is unreachable',
  overloaded: 'node is overloaded',
  isolated: 'owner is isolated',
  blocked: 'node begins no new channel session',
  too_many_channels: 'session is in too many channels',
};

/** How kuiperbelt's README words an unknown session. */
export const NOT_FOUND_DOCUMENTED = 'session is not found.';

/** The whole answer when nothing went wrong; shared, since it is given for nearly every request. */
const ALL_WELL: OutgoingAnswer = jsonAnswer(200, '{"result":"OK"}');

/** Reads the targets out of a request's session and channel header lines. */
export function readTargets(
  lines: { readonly sessions: readonly string[]; readonly channels: readonly string[] },
  limits: { readonly targetsMax: number; readonly channelNameBytesMax: number },
): Result<Targets, TargetsFailure> {
  const { sessions, channels } = lines;
  if (sessions.length + channels.length === 0) return failed('missing');
  if (sessions.length + channels.length > limits.targetsMax) return failed('too_many');
  const names = channels.filter((name) => isChannelName(name, limits.channelNameBytesMax));
  if (names.length < channels.length) return failed('channel_invalid');
  // Any line is a session key, even an empty one: it is simply not found.
  return ok({ sessions: sessions as readonly SessionKey[], channels: names });
}

/**
 * The answer to a request that was carried out, or that `strict` stopped because of unknown
 * sessions. Errors do not make a non-strict request fail: 200 and "OK" beside them is kuiperbelt's
 * way, and its clients read `errors[].session` to learn which sessions are gone.
 */
export function sendAnswer(outcome: DeliveryOutcome): OutgoingAnswer {
  const { errors, channels, strict, compat } = outcome;
  if (errors.length === 0 && channels.length === 0) return ALL_WELL;
  const channelsJson = channels.length === 0 ? '' : `"channels":[${channels.map(channelJson).join(',')}],`;
  if (errors.length === 0) return jsonAnswer(200, `{${channelsJson}"result":"OK"}`);

  const errorsJson = errors.map((error) => errorJson(error, compat)).join(',');
  const nobodyServed = compat === 'documented' && outcome.delivered === 0;
  const result = strict || nobodyServed ? 'NG' : 'OK';
  return {
    status: strict ? 400 : 200,
    // The released program sets the type after the head is out, so its answer says text.
    headers: ['Content-Type', compat === 'released' ? TEXT_TYPE : JSON_TYPE],
    body: `{${channelsJson}"errors":[${errorsJson}],"result":"${result}"}\n`,
  };
}

/** The answer to a request without usable targets. */
export function targetsFailureAnswer(failure: TargetsFailure): OutgoingAnswer {
  return refusal(400, TARGETS_FAILURE_TEXTS[failure]);
}

/** 405: only POST is served. */
export function methodAnswer(): OutgoingAnswer {
  return refusal(405, 'required POST method', ['Allow', 'POST']);
}

/** 401: the bearer token is missing or wrong. */
export function unauthorizedAnswer(): OutgoingAnswer {
  const challenge = ['WWW-Authenticate', 'Bearer realm="arrokoth"'];
  return refusal(401, 'bearer token is missing or wrong', challenge);
}

/** 403: a page of a browser makes a call that is the application's. */
export function pageCallAnswer(): OutgoingAnswer {
  return refusal(403, 'pages may not call without a token');
}

/** 413: the body is larger than `limits.body`. */
export function bodyTooLargeAnswer(): OutgoingAnswer {
  return refusal(413, 'request body is too large');
}

/** 500: the body could not be read. */
export function bodyUnreadableAnswer(): OutgoingAnswer {
  return jsonAnswer(500, '{"result":"NG"}');
}

/** `/ping`: this process answers. */
export function pingAnswer(): OutgoingAnswer {
  return ALL_WELL;
}

const TARGETS_FAILURE_TEXTS: Readonly<Record<TargetsFailure, string>> = {
  missing: 'session header is missing',
  channel_missing: 'channel header is missing',
  too_many: 'too many sessions and channels in one request',
  channel_invalid: 'channel name is empty or too long',
};

function refusal(status: number, text: string, extraHeaders: readonly string[] = []): OutgoingAnswer {
  return jsonAnswer(status, `{"errors":[{"error":${goJsonString(text)}}],"result":"NG"}`, extraHeaders);
}

function channelJson({ channel, delivered }: ChannelDelivery): string {
  return `{"channel":${goJsonByteString(channel)},"delivered":${delivered}}`;
}

function errorJson(error: TargetError, compat: Compat): string {
  const documented = compat === 'documented' && error.failure === 'not_found';
  const text = goJsonString(documented ? NOT_FOUND_DOCUMENTED : FAILURE_TEXTS[error.failure]);
  // A channel never appears as `session`: applications prune what they find there.
  if ('channel' in error) return `{"channel":${goJsonByteString(error.channel)},"error":${text}}`;
  return `{"error":${text},"session":${goJsonByteString(error.session)}}`;
}
