/**
 * Finds the word that somebody probably meant.
 *
 * Edit distance over short lists of names; used for unknown keys and unknown choices only.
 */

/** Names longer than this are no misspelling of ours, and the distance costs their product. */
const NAME_LENGTH_MAX = 64;

/** The closest of `names`, or null when none is close enough to be worth a question. */
export function nearestName(word: string, names: readonly string[]): string | null {
  if (word.length > NAME_LENGTH_MAX) return null;
  const simple = simplify(word);
  let nearest: string | null = null;
  let distanceMin = Math.max(1, Math.floor(simple.length / 3)) + 1;
  for (const name of names) {
    const distance = editDistance(simple, simplify(name));
    if (distance >= distanceMin) continue;
    distanceMin = distance;
    nearest = name;
  }
  return nearest;
}

/** `maxQueued` and `max-queued` are as close to `max_queued` as one can get. */
function simplify(name: string): string {
  return name.toLowerCase().replace(/[-_ ]/g, '');
}

/** Letters added, left out, changed, or swapped with their neighbour. */
function editDistance(left: string, right: string): number {
  let above: number[] = [];
  let row = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let i = 1; i <= left.length; i++) {
    const next = [i];
    for (let j = 1; j <= right.length; j++) {
      const changed = (row[j - 1] as number) + (left[i - 1] === right[j - 1] ? 0 : 1);
      const swapped = left[i - 1] === right[j - 2] && left[i - 2] === right[j - 1];
      const swap = swapped && i > 1 && j > 1 ? (above[j - 2] as number) + 1 : changed;
      next.push(Math.min(changed, swap, (row[j] as number) + 1, (next[j - 1] as number) + 1));
    }
    above = row;
    row = next;
  }
  return row[right.length] as number;
}
