/**
 * Histories of a small cluster for property tests: any changes in any order, late and foolish ones too.
 *
 * What a change needs to know of the state (an epoch, a fencing number) is a wish until its turn
 * comes; mostly it is right by then, sometimes one off.
 */
import fc from 'fast-check';
import type { ClusterChange, ClusterState } from '../index.ts';
import { claim, down, purge, release, up } from './changes.ts';

const NODES = ['a@h', 'b@h', 'c@h'];
const CHANNELS = ['sora', 'lemon', 'hisui', 'zakuro'];

/** A change in the making. */
export type Wish = (state: ClusterState) => ClusterChange;

const node = fc.constantFrom(...NODES);
/** Mostly the present epoch; now and then the one before or after. */
const off = fc.constantFrom(0, 0, 0, 0, -1, 1);
const channels = fc.subarray(CHANNELS, { minLength: 1 });
const boot = fc.constantFrom('one', 'two', 'three');
const ports = fc.constantFrom([7401], [7401, 7402]);

const wishes: readonly fc.Arbitrary<Wish>[] = [
  fc.tuple(node, boot, ports).map(([name, life, meshPorts]) => {
    return () => up(name, life, { meshPorts, workers: meshPorts.length });
  }),
  fc.tuple(node, off).map(
    ([name, by]) =>
      (state) =>
        down(name, epochOf(state, name) + by),
  ),
  node.map((name) => () => purge(name)),
  fc.tuple(node, off, channels).map(([name, by, names]) => {
    return (state) => claim(name, epochOf(state, name) + by, ...names);
  }),
  fc.tuple(node, off, channels, off).map(([name, by, names, byFencing]) => {
    return (state) => {
      const fencingOf = (each: string) => (state.owner(each)?.fencing ?? 0) + byFencing;
      const released = names.map((each) => ({ name: each, fencing: fencingOf(each) }));
      return release(name, epochOf(state, name) + by, ...released);
    };
  }),
];

/** Entries of the log, some of several changes; claims are the most frequent, as in life. */
export const histories: fc.Arbitrary<Wish[][]> = fc.array(
  fc.array(fc.oneof(...wishes, wishes[3] as fc.Arbitrary<Wish>, wishes[0] as fc.Arbitrary<Wish>), {
    minLength: 1,
    maxLength: 3,
  }),
  { maxLength: 60 },
);

function epochOf(state: ClusterState, name: string): number {
  return Math.max(1, state.node(name)?.epoch ?? 1);
}
