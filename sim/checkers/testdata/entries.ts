/** Hand-made entries for the tests of the checkers. */
import type { Configuration, Entry } from '../../../src/consensus/index.ts';
import { encodePut, REGISTER_KIND, REGISTER_VERSION } from '../../register-state.ts';

/** One submission that sets register `k`; its request id is `r-` and the value. */
export function changesEntry(index: number, ballot: number, value: string): Entry {
  const kind = { kind: REGISTER_KIND, version: REGISTER_VERSION };
  const changes = [encodePut('k', value)];
  return { index, ballot, payload: { type: 'changes', ...kind, requestId: `r-${value}`, changes } };
}

/** A configuration of voters; the storage of each is its name with `-disk`. */
export function votersOf(names: readonly string[]): Configuration {
  return { members: names.map((name) => ({ name, storage: `${name}-disk`, role: 'voter', knows: {} })) };
}

/** A change of the membership to those voters. */
export function membersEntry(index: number, ballot: number, names: readonly string[]): Entry {
  return { index, ballot, payload: { type: 'members', configuration: votersOf(names) } };
}
