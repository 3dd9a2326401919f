/** Arbitrary messages between replicas, every field in all that it may be. */
import fc from 'fast-check';
import { PEER_LIMITS } from '../../base/index.ts';
import type {
  Answer,
  Ballot,
  Configuration,
  Entry,
  Message,
  Payload,
  Request,
  Sender,
} from '../../consensus/index.ts';

const index = () =>
  fc.oneof(
    fc.nat(100),
    fc.nat(),
    fc.maxSafeNat().map((value) => Math.floor(value / 2)),
  );
const ballot = () => fc.oneof(fc.nat(9), fc.integer({ min: 0, max: PEER_LIMITS.ballotMax }));
const bytes = () => fc.uint8Array({ maxLength: 20 });
const name = () => fc.oneof(fc.webUrl(), fc.string({ minLength: 1, maxLength: 30, unit: 'binary' }));
const id = () => fc.string({ maxLength: 30, unit: 'binary' });
const knows = () => fc.dictionary(id(), fc.nat(), { maxKeys: 4 });
const milliseconds = () => fc.double({ min: 0, noNaN: true, noDefaultInfinity: true });
const call = () => fc.maxSafeNat();

/** Anybody. */
export function anySender(): fc.Arbitrary<Sender> {
  const incarnation = fc.option(id());
  return fc.record({ incarnation, storage: id(), run: milliseconds(), knows: knows(), muted: fc.boolean() });
}

const question = () => ({ call: call(), ballot: ballot(), sender: anySender() });
const contact = () =>
  fc.record({ ageMs: fc.oneof(milliseconds(), endless()), echoMs: fc.option(milliseconds()) });
const endless = () => fc.constant(Number.POSITIVE_INFINITY);

function configuration(): fc.Arbitrary<Configuration> {
  const role = fc.constantFrom('voter' as const, 'learner' as const, 'foreign' as const);
  const member = fc.record({ name: name(), storage: fc.option(id()), role, knows: knows() });
  return fc.record({ members: fc.uniqueArray(member, { maxLength: 4, selector: (one) => one.name }) });
}

function payload(): fc.Arbitrary<Payload> {
  const head = { kind: id(), version: fc.nat(), requestId: fc.option(id()) };
  return fc.oneof(
    fc.constant({ type: 'noop' as const }),
    fc.record({ type: fc.constant('members' as const), configuration: configuration() }),
    fc.record({
      type: fc.constant('changes' as const),
      ...head,
      changes: fc.array(bytes(), { maxLength: 3 }),
    }),
  );
}

/** Appends whose entries follow each other, with ballots that never fall. */
function append(): fc.Arbitrary<Request> {
  const ballots = fc.array(fc.integer({ min: 1, max: PEER_LIMITS.ballotMax }), {
    minLength: 1,
    maxLength: 5,
  });
  return fc
    .record({
      ...{ call: call(), sender: anySender(), prevIndex: index(), commitIndex: index(), firstIndex: index() },
      ...{ round: fc.nat(), contact: contact(), readmitAt: fc.option(index()), ballots },
      payloads: fc.array(payload(), { minLength: 5, maxLength: 5 }),
    })
    .map(({ ballots: drawn, payloads, ...rest }) => {
      const rising = [...drawn].sort((left, right) => left - right);
      const prevBallot = rising.shift() as Ballot;
      const entries: Entry[] = rising.map((ballot, at) => ({
        ...{ index: rest.prevIndex + 1 + at, ballot, payload: payloads[at] as Payload },
      }));
      return { type: 'append', ...rest, ballot: rising.at(-1) ?? prevBallot, prevBallot, entries };
    });
}

function snapshot(): fc.Arbitrary<Request> {
  const checksum = fc.integer({ min: 0, max: 2 ** 32 - 1 });
  return fc
    .record({
      ...{ ...question(), index: index(), lastBallot: ballot(), checksum, offset: fc.nat(), piece: bytes() },
      ...{ more: fc.nat(), round: fc.nat(), contact: contact() },
    })
    .map(({ more, ...rest }) => {
      const totalBytes = rest.offset + rest.piece.length + more;
      return { type: 'snapshot', ...rest, totalBytes };
    });
}

/** A question, of one type or any. */
export function anyRequest(type?: Request['type']): fc.Arbitrary<Request> {
  const last = { lastIndex: index(), lastBallot: ballot() };
  const all: Record<Request['type'], fc.Arbitrary<Request>> = {
    pre_vote: fc.record({ type: fc.constant('pre_vote' as const), ...question(), ...last }),
    vote: fc.record({ type: fc.constant('vote' as const), ...question(), ...last, transfer: fc.boolean() }),
    append: append(),
    snapshot: snapshot(),
    transfer: fc.record({ type: fc.constant('transfer' as const), ...question() }),
    read: fc.record({ type: fc.constant('read' as const), ...question() }),
  };
  return type === undefined ? fc.oneof(...Object.values(all)) : all[type];
}

/** An answer of any type. */
export function anyAnswer(): fc.Arbitrary<Answer> {
  const granted = fc.boolean();
  const round = { round: fc.nat(), clockMs: milliseconds() };
  return fc.oneof(
    fc.record({ type: fc.constant('pre_vote_answer' as const), ...question(), granted }),
    fc.record({ type: fc.constant('vote_answer' as const), ...question(), granted }),
    fc.record({
      ...{ type: fc.constant('append_answer' as const), ...question(), granted },
      ...{ matchIndex: index(), matchBallot: ballot(), ...round },
    }),
    fc.record({
      ...{ type: fc.constant('snapshot_answer' as const), ...question(), index: index(), offset: fc.nat() },
      ...{ installed: fc.boolean(), ...round },
    }),
    fc.record({ type: fc.constant('transfer_answer' as const), ...question() }),
    fc.record({
      ...{ type: fc.constant('read_answer' as const), ...question(), index: fc.option(index()) },
      master: fc.option(name()),
    }),
  );
}

/** A message of any type. */
export function anyMessage(): fc.Arbitrary<Message> {
  return fc.oneof(anyRequest(), anyAnswer());
}
