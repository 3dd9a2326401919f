/**
 * The shapes in which a network falls apart: which links are cut, in which direction, or only worse.
 */
import type { Rng } from './rng.ts';
import type { SimulatedNode } from './simulated-node.ts';

/** One direction between two nodes. */
export interface Side {
  readonly from: SimulatedNode;
  readonly to: SimulatedNode;
}

/** A direction that fails. `worse` null: nothing passes. */
export interface FailedLink extends Side {
  readonly worse: { readonly lossChance: number; readonly delayMeanMs: number } | null;
}

/** Draws what fails; `master` is the most interesting victim. */
export function drawPartition(
  rng: Rng,
  nodes: readonly SimulatedNode[],
  master: SimulatedNode | undefined,
): { name: string; links: FailedLink[] } {
  const all = nodes.flatMap((from): Side[] => nodes.filter((to) => to !== from).map((to) => ({ from, to })));
  const victim = master !== undefined && rng.chance(0.6) ? master : rng.pick(nodes);
  const name = rng.pick(['alone', 'deaf', 'mute', 'halves', 'links', 'lopsided', 'bridge'] as const);
  const cut = (chosen: (side: Side) => boolean): FailedLink[] =>
    all.filter(chosen).map((side) => ({ ...side, worse: null }));
  switch (name) {
    case 'alone':
      return { name, links: cut(({ from, to }) => from === victim || to === victim) };
    case 'deaf':
      return { name, links: cut(({ to }) => to === victim) };
    case 'mute':
      return { name, links: cut(({ from }) => from === victim) };
    case 'halves': {
      const half = new Set(rng.shuffled(nodes).slice(0, rng.between(1, nodes.length - 1)));
      return { name, links: cut(({ from, to }) => half.has(from) !== half.has(to)) };
    }
    case 'links':
      return { name, links: cut(() => rng.chance(0.3)) };
    case 'bridge': {
      // Two sides that only the victim can reach: it must not make both believe in different masters.
      const half = new Set(rng.shuffled(nodes.filter((node) => node !== victim)).slice(0, nodes.length >> 1));
      const isBridge = ({ from, to }: Side): boolean => from === victim || to === victim;
      return { name, links: cut((side) => !isBridge(side) && half.has(side.from) !== half.has(side.to)) };
    }
    case 'lopsided': {
      const worse = { lossChance: rng.pick([0, 0.3, 0.8]), delayMeanMs: rng.pick([20, 200, 800]) };
      return { name, links: all.filter(() => rng.chance(0.4)).map((side) => ({ ...side, worse })) };
    }
  }
}
