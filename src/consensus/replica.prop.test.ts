/** Whatever fails, nothing is forked and nothing that was acknowledged is lost; then all goes on. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Cluster, type FakeNode } from './testdata/cluster.ts';

const NAMES = ['a', 'b', 'c', 'd', 'e'];
const name = fc.constantFrom(...NAMES);
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ type: fc.constant('propose' as const), name, repeat: fc.boolean() }) },
  { weight: 6, arbitrary: fc.record({ type: fc.constant('run' as const), forMs: fc.nat(1_500) }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('crash' as const), name }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('start' as const), name }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('isolate' as const), name }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('cut' as const), name, other: name }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('heal' as const) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('snapshot' as const), name }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('transfer' as const), name }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('pause' as const), name }) },
  {
    weight: 1,
    arbitrary: fc.record({ type: fc.constant('weather' as const), loss: fc.nat(40), spread: fc.nat(60) }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('stick' as const), name, isStuck: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('tear' as const), name, count: fc.nat(4) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('empty' as const), name }) },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant('change' as const),
      name,
      change: fc.constantFrom('add', 'remove'),
    }),
  },
);
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

/** A run, with what has to hold at each of its steps. */
class Run {
  readonly cluster: Cluster;
  readonly #asked = new Map<number, string>();
  readonly #acknowledged = new Set<string>();
  readonly #masters = new Map<number, string>();
  readonly #history: string[] = [];
  #count = 0;
  #draw: number;

  constructor(members: number, seed: number) {
    this.#draw = seed + 1;
    this.cluster = new Cluster({}, seed + 1);
    this.cluster.found('a');
    this.cluster.run(10);
    for (const joiner of NAMES.slice(1, members)) {
      this.cluster.start(joiner);
      this.cluster.ask('a', (replica, id) => replica.changeMember(id, { type: 'add', name: joiner }));
    }
    this.cluster.run(1_500);
  }

  do(each: Step): void {
    const { cluster } = this;
    const node = 'name' in each ? cluster.nodes.get(each.name) : undefined;
    if (each.type === 'run') cluster.run(each.forMs);
    else if (each.type === 'heal') cluster.heal();
    else if (each.type === 'weather') this.#weather(each.loss / 100, each.spread);
    else if (each.type === 'change') this.#change(each.name, each.change as 'add' | 'remove');
    else if (node === undefined) return;
    else if (each.type === 'tear') this.#damage(node, () => node.disk.tear(each.count));
    else if (each.type === 'empty') this.#damage(node, () => cluster.empty(node.name));
    else if (each.type === 'start') this.#start(node);
    else if (node.replica === null) return;
    else if (each.type === 'propose') this.#propose(node, each.repeat);
    else if (each.type === 'crash') cluster.crash(node.name);
    else if (each.type === 'isolate') cluster.isolate(node.name);
    else if (each.type === 'cut') cluster.cut(each.name, each.other);
    else if (each.type === 'pause') node.isPaused = true;
    else if (node.isPaused) return;
    else if (each.type === 'snapshot') cluster.snapshot(node.name);
    else if (each.type === 'transfer') cluster.ask(node.name, (replica, id) => replica.transfer(id, null));
    else if (each.type === 'stick') this.#stick(node, each.isStuck);
    this.check();
  }

  /** All is well from now on: the cluster has to take a submission, and everybody to apply it. */
  settle(): void {
    const { cluster } = this;
    cluster.heal();
    cluster.delays = () => [1];
    for (const node of cluster.nodes.values()) {
      this.#start(node);
      this.#stick(node, false);
    }
    let isIn = false;
    for (let attempt = 0; attempt < 20 && !isIn; attempt++) {
      cluster.run(1_000);
      this.check();
      if (cluster.master === null) continue;
      const id = cluster.propose(cluster.master.name, `end${attempt}`);
      cluster.run(1_000);
      isIn = cluster.outcomeOf(id)?.type === 'committed';
    }
    expect(isIn).toBe(true);
    cluster.run(5_000);
    this.check();
    for (const { name: member } of cluster.master?.running.configuration.members ?? []) {
      expect(`${member}: ${cluster.node(member).applied}`).toEqual(`${member}: ${this.#history}`);
    }
    for (const text of this.#acknowledged)
      expect(this.#history.filter((each) => each === text)).toEqual([text]);
  }

  check(): void {
    for (const node of this.cluster.nodes.values()) {
      const { replica, applied, settled } = node;
      if (replica?.isMaster === true) {
        const other = this.#masters.get(replica.ballot) ?? node.name;
        expect(`${replica.ballot} ${node.name}`).toBe(`${replica.ballot} ${other}`);
        this.#masters.set(replica.ballot, node.name);
      }
      const known = Math.min(applied.length, this.#history.length);
      expect(applied.slice(0, known)).toEqual(this.#history.slice(0, known));
      this.#history.push(...applied.slice(known));
      for (const { id, type } of settled) {
        const text = this.#asked.get(id);
        if (text !== undefined && type === 'committed') this.#acknowledged.add(text);
      }
    }
  }

  /**
   * Damage that the rules are made for: one disk at a time, the next one when all is as it was. What
   * is lost by a majority at once cannot be found again by anybody.
   */
  #damage(node: FakeNode, damage: () => void): void {
    const { cluster } = this;
    const voters = cluster.master?.running.configuration.members.filter(({ role }) => role === 'voter');
    if (!this.#isWhole || voters === undefined || voters.length < 3) return;
    cluster.crash(node.name);
    damage();
    cluster.start(node.name);
  }

  /** Everybody runs, agrees about the members, and has the directory that the log knows. */
  get #isWhole(): boolean {
    const configuration = this.cluster.master?.running.configuration;
    if (configuration === undefined) return false;
    return configuration.members.every((member) => {
      const { replica, disk, storage } = this.cluster.node(member.name);
      if (replica === null || disk.synced.muted || member.storage !== storage) return false;
      return JSON.stringify(replica.configuration) === JSON.stringify(configuration);
    });
  }

  #change(name: string, type: 'add' | 'remove'): void {
    const { cluster } = this;
    if (cluster.master === null || cluster.master.isPaused || !this.#isWhole) return;
    if (!cluster.nodes.has(name)) cluster.start(name);
    cluster.ask(cluster.master.name, (replica, id) => replica.changeMember(id, { type, name }));
  }

  #propose(node: FakeNode, repeat: boolean): void {
    if (node.isPaused) return;
    if (!repeat) this.#count++;
    const text = `x${this.#count}`;
    const id = this.cluster.propose(node.name, text, `request ${text}`);
    this.#asked.set(id, text);
  }

  #start(node: FakeNode): void {
    if (node.replica === null) this.cluster.start(node.name);
    node.isPaused = false;
    this.cluster.turn(node);
  }

  #stick(node: FakeNode, isStuck: boolean): void {
    node.disk.isStuck = isStuck;
    if (!isStuck) this.cluster.sync(node);
  }

  #weather(loss: number, spread: number): void {
    this.cluster.delays = () => {
      if (this.#fraction() < loss) return [];
      const delay = () => 1 + this.#fraction() * spread;
      return this.#fraction() < 0.05 ? [delay(), delay()] : [delay()];
    };
  }

  #fraction(): number {
    this.#draw = (this.#draw * 48_271) % 2_147_483_647;
    return this.#draw / 2_147_483_647;
  }
}

it('neither forks nor forgets, whatever fails', { timeout: 60_000 }, () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 5 }),
      fc.nat(1_000_000),
      fc.array(step, { minLength: 20, maxLength: 60 }),
      (members, seed, steps) => {
        const run = new Run(members, seed);
        for (const each of steps) run.do(each);
        run.settle();
      },
    ),
    { numRuns: 60 },
  );
});
