/**
 * What members ask of the master, and what becomes of it, as bodies of submit, addmember, rmmember.
 *
 * Messages between replicas may be lost; a wish is answered, or its asker is told that nobody knows.
 */
import { PEER_LIMITS, type Result } from '../base/index.ts';
import type { MemberName, Sender } from '../consensus/index.ts';
import type { Method } from './dialects.ts';
import { type Fields, misfit } from './field-checks.ts';
import { base64Of } from './foreign-codec.ts';
import { fitting } from './message-codec.ts';
import type { MasterOutcome, MasterRequest } from './peer-types.ts';
import { isSpokenBy, SPOKEN } from './protocol-versions.ts';
import { senderHead, senderOf } from './sender-codec.ts';

/** A wish as it came. */
export interface ReadWish {
  readonly from: MemberName;
  readonly to: MemberName;
  readonly sender: Sender;
  readonly request: MasterRequest;
}

/** The call that carries each kind of wish. */
export const WISH_METHOD: Readonly<Record<MasterRequest['type'], Method>> = {
  submit: 'submit',
  add: 'addmember',
  remove: 'rmmember',
};

/** Whether a safe body is a wish, and no message between replicas. */
export function isWish(fields: Fields): boolean {
  const type = fitting(() => fields.id('Type'));
  return type.ok && Object.hasOwn(WISH_METHOD, type.value);
}

/** Writes a wish. */
export function writeWish(
  place: { readonly from: MemberName; readonly to: MemberName },
  sender: Sender,
  request: MasterRequest,
): string {
  const head = { ...senderHead(request.type, sender), From: { Addr: place.from }, To: { Addr: place.to } };
  if (request.type !== 'submit') {
    return JSON.stringify({ Instance: 0, Sequence: 0, Mem: { Addr: request.member }, ...head });
  }
  const { kind, version, requestId, changes } = request;
  const wanted = { Kind: kind, Version: version, ReqId: requestId };
  return JSON.stringify({ Changes: changes.map(base64Of), ...head, ...wanted });
}

/** Reads a wish that came by the call `method`. The failure says which field does not fit. */
export function readWish(method: Method, fields: Fields): Result<ReadWish, string> {
  return fitting(() => {
    if (!isSpokenBy(fields.object('Proto'))) {
      misfit('Proto', `a range with a version from ${SPOKEN.min} to ${SPOKEN.max}`);
    }
    const type = fields.id('Type') as MasterRequest['type'];
    if (WISH_METHOD[type] !== method) misfit('Type', `a wish that ${method} carries`);
    const place = { from: fields.address('From'), to: fields.address('To'), sender: senderOf(fields) };
    if (type !== 'submit') return { ...place, request: { type, member: fields.address('Mem') } };
    return {
      ...place,
      request: {
        ...{ type, kind: fields.id('Kind'), version: fields.whole('Version', PEER_LIMITS.versionMax) },
        ...{ requestId: fields.id('ReqId'), changes: fields.changes('Changes') },
      },
    };
  });
}

/** Writes what became of a wish. */
export function writeOutcome(sender: Sender, outcome: MasterOutcome): string {
  const head = senderHead('outcome', sender);
  if (outcome.type === 'done') {
    const place = { Index: outcome.index, Ballot: outcome.ballot };
    return JSON.stringify({ Accepted: true, Err: { Code: '', Err: '' }, ...head, ...place });
  }
  const { retry, master, detail } = outcome;
  const error = { Code: 'ERR_STATE', Err: `ERR_STATE: ${detail}` };
  const rest = { Retry: retry, Master: master === null ? null : { Addr: master }, Detail: detail };
  return JSON.stringify({ Accepted: false, Err: error, ...head, ...rest });
}

/** Reads it. The failure says which field does not fit. */
export function readOutcome(fields: Fields): Result<MasterOutcome, string> {
  return fitting(() => {
    if (fields.id('Type') !== 'outcome') misfit('Type', 'outcome');
    if (fields.bool('Accepted')) {
      return { type: 'done', index: fields.whole('Index'), ballot: fields.ballot('Ballot') };
    }
    const master = fields.has('Master') ? fields.address('Master') : null;
    const detail = fields.text('Detail', PEER_LIMITS.jsonTextBytesMax);
    return { type: 'refused', retry: fields.bool('Retry'), master, detail };
  });
}
