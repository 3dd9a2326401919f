/**
 * Questions that are asked of a configuration.
 *
 * Pure look-ups. Which configuration may follow which, and which one should, is `membership.ts`.
 */
import type { Configuration, KnownKinds, Member, MemberName } from './types.ts';

/** Before anything is known. */
export const NO_MEMBERS: Configuration = { members: [] };

/** The member of that name. */
export function memberOf(configuration: Configuration, name: MemberName): Member | undefined {
  for (const member of configuration.members) if (member.name === name) return member;
  return undefined;
}

/** The members that vote. */
export function votersOf(configuration: Configuration): readonly Member[] {
  return configuration.members.filter(({ role }) => role === 'voter');
}

/** True when `name` votes and its data directory is the one that was made a voter. */
export function isVoter(configuration: Configuration, name: MemberName, storage: string): boolean {
  const member = memberOf(configuration, name);
  return member?.role === 'voter' && member.storage === storage;
}

/** True when each name stands there once, and each voter has the data directory that votes. */
export function isWhole({ members }: Configuration): boolean {
  const names = new Set(members.map(({ name }) => name));
  return (
    names.size === members.length &&
    members.every(({ role, storage }) => role !== 'voter' || storage !== null)
  );
}

/** True when both know the same kinds in the same versions. */
export function sameKinds(left: KnownKinds, right: KnownKinds): boolean {
  if (left === right) return true;
  const kinds = Object.keys(left);
  if (kinds.length !== Object.keys(right).length) return false;
  return kinds.every((kind) => left[kind] === right[kind]);
}

/** True when `knows` holds `kind` in `version` or a newer one. */
export function knowsKind(knows: KnownKinds, kind: string, version: number): boolean {
  // `Object.hasOwn`, because a kind may be called like something that every object has.
  return Object.hasOwn(knows, kind) && (knows[kind] as number) >= version;
}

/**
 * True when every member that applies changes said that it knows the kind. One that has not answered
 * yet has said nothing: a member that is added and never started must not stop all the others.
 */
export function allKnow({ members }: Configuration, kind: string, version: number): boolean {
  return members.every(
    ({ role, storage, knows }) => role === 'foreign' || storage === null || knowsKind(knows, kind, version),
  );
}
