import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Homes } from './homes.ts';
import { ViewCompleteness } from './view-completeness.ts';

const view = (names: readonly string[], workers = 2) => {
  return new Homes({ number: 1, nodes: names.map((node) => ({ node, epoch: 1, workers })) });
};
const nodes = ['a@10.0.0.1', 'b@10.0.0.2', 'c@10.0.0.3', 'd@10.0.0.4'];
const keys = Array.from({ length: 3_000 }, (_, number) => `session-${number}`);

describe('Homes', () => {
  it('are two workers of two nodes, the same whatever order the view lists them in', () => {
    const [one, other] = [view(nodes), view([...nodes].reverse())];
    for (const key of keys.slice(0, 100)) {
      const homes = one.of(key);
      expect(new Set(homes.map(({ node }) => node)).size).toBe(2);
      expect(other.order(key)).toEqual(one.order(key));
    }
  });

  it('are one where there is one node, and none where there is none', () => {
    expect(view(['a@10.0.0.1']).of('key')).toHaveLength(1);
    expect(view([]).of('key')).toEqual([]);
  });

  it('are spread over nodes and workers', () => {
    const counts = new Map<string, number>();
    for (const key of keys) {
      const [first] = view(nodes).of(key);
      counts.set(first?.seat ?? '', (counts.get(first?.seat ?? '') ?? 0) + 1);
    }
    expect(counts.size).toBe(8);
    for (const count of counts.values()) expect(count).toBeGreaterThan(keys.length / 8 / 2);
  });

  it('move only for the keys that a node gains or loses', () => {
    fc.assert(
      fc.property(fc.constantFrom(...nodes), fc.constantFrom(...keys), (gone, key) => {
        const before = view(nodes).order(key);
        const after = view(nodes.filter((node) => node !== gone)).order(key);
        expect(after).toEqual(before.filter(({ node }) => node !== gone));
      }),
    );
  });
});

describe('ViewCompleteness', () => {
  const [one, two] = view(['a@10.0.0.1'], 2).seats() as [never, never];

  it('takes everybody, by the very view that it has', () => {
    const completeness = new ViewCompleteness();
    completeness.view(5, [one, two]);
    completeness.rebuilt(one, 5);
    completeness.rebuilt(two, 4);
    expect(completeness.complete).toBe(false);
    completeness.rebuilt(two, 5);
    expect(completeness.complete).toBe(true);
  });

  it('takes nobody at its word who has another view, not even a later one', () => {
    const completeness = new ViewCompleteness();
    completeness.rebuilt(one, 6);
    completeness.view(5, [one]);
    expect(completeness.complete).toBe(false);
    completeness.view(6, [one]);
    expect(completeness.complete).toBe(true);
  });

  it('ends with a link, and never begins without a view', () => {
    const completeness = new ViewCompleteness();
    expect(completeness.complete).toBe(false);
    completeness.view(5, [one]);
    completeness.rebuilt(one, 5);
    completeness.lost(one);
    expect(completeness.complete).toBe(false);
  });
});
