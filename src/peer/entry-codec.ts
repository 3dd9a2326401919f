/**
 * Entries of the log and configurations, as JSON values of safe calls.
 *
 * The changes of a call's first entry stand where the original has them, in `Changes` of the call,
 * and are not written twice. Places in the log are not written at all: entries are contiguous.
 */
import { PEER_LIMITS } from '../base/index.ts';
import type { Ballot, Configuration, Entry, Index, Member, Payload } from '../consensus/index.ts';
import { Fields, misfit } from './field-checks.ts';
import { base64Of } from './foreign-codec.ts';

const NO_CHANGES: readonly Uint8Array[] = [];

/** What `Changes` of a call with these entries holds. */
export function firstChanges(entries: readonly Entry[]): string[] {
  const payload = entries[0]?.payload;
  return payload?.type === 'changes' ? payload.changes.map(base64Of) : [];
}

/** The list `Entries` of a call. */
export function entriesToJson(entries: readonly Entry[]): object[] {
  return entries.map((entry, place) => entryToJson(entry, place === 0));
}

function entryToJson({ ballot, payload }: Entry, isFirst: boolean): object {
  switch (payload.type) {
    case 'noop':
      return { Ballot: ballot, Type: 'noop' };
    case 'members':
      return { Ballot: ballot, Type: 'members', Config: configurationToJson(payload.configuration) };
    case 'changes': {
      const { kind, version, requestId, changes } = payload;
      const head = { Ballot: ballot, Type: 'changes', Kind: kind, Version: version, ReqId: requestId };
      return isFirst ? head : { ...head, Changes: changes.map(base64Of) };
    }
  }
}

/** Where the entries of a call stand. */
export interface EntriesPlace {
  readonly prevIndex: Index;
  readonly prevBallot: Ballot;
  /** Of the master; no entry is newer. */
  readonly ballot: Ballot;
}

/** The entries of `call`, of which there may be none. */
export function entriesFromJson(call: Fields, place: EntriesPlace): Entry[] {
  const values = call.list('Entries', PEER_LIMITS.entriesMax);
  const { prevIndex } = place;
  if (prevIndex + values.length > Number.MAX_SAFE_INTEGER)
    misfit('PrevIndex', 'a place that can be counted on from');
  let previous = place.prevBallot;
  return values.map((value, at) => {
    const fields = new Fields(value, 'Entries');
    const ballot = fields.ballot('Ballot');
    // A log's ballots never fall, and its master has seen none above its own.
    if (ballot < previous || ballot < 1 || ballot > place.ballot) misfit('Ballot of an entry', 'in order');
    previous = ballot;
    return { index: prevIndex + 1 + at, ballot, payload: payloadFromJson(fields, at === 0 ? call : fields) };
  });
}

/** `bytes`: where the changes stand, if there are any. */
function payloadFromJson(fields: Fields, bytes: Fields): Payload {
  const type = fields.id('Type');
  if (type === 'noop') return { type };
  if (type === 'members') return { type, configuration: configurationFromJson(fields) };
  if (type !== 'changes') misfit('Type of an entry', 'known');
  return {
    type,
    kind: fields.id('Kind'),
    version: fields.whole('Version', PEER_LIMITS.versionMax),
    requestId: fields.idOrNull('ReqId'),
    changes: bytes.has('Changes') ? bytes.changes('Changes') : NO_CHANGES,
  };
}

function configurationToJson({ members }: Configuration): object[] {
  return members.map(({ name, storage, role, knows }) => ({
    ...{ Addr: name, Storage: storage, Role: role, Knows: knows },
  }));
}

function configurationFromJson(fields: Fields): Configuration {
  const members = fields.list('Config', PEER_LIMITS.membersMax).map((value) => memberFromJson(value));
  if (new Set(members.map(({ name }) => name)).size !== members.length)
    misfit('Config', 'a list without repetition');
  return { members };
}

function memberFromJson(value: unknown): Member {
  const fields = new Fields(value, 'Config');
  const role = fields.id('Role');
  if (role !== 'voter' && role !== 'learner' && role !== 'foreign') misfit('Role', 'known');
  const name = fields.text('Addr', PEER_LIMITS.nameCharactersMax);
  if (name === '') misfit('Addr', 'an address');
  return { name, storage: fields.idOrNull('Storage'), role, knows: fields.knows('Knows') };
}
