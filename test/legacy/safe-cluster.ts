/**
 * A few replicas of ours under a scenario's control, with what the scenarios H1 to H18 ask of them.
 *
 * The harness is that of `consensus/`; this forms clusters, remembers what clients were told, and
 * watches every message for two masters in one ballot and for a master nobody voted for.
 */
import { expect } from 'vitest';
import { Cluster } from '../../src/consensus/testdata/cluster.ts';

export class SafeCluster extends Cluster {
  readonly #names: readonly string[];
  #proposed: Map<number, { readonly at: string; readonly text: string }> = new Map();
  /** Ballot -> who spoke as its master. */
  #spoke: Map<number, Set<string>> = new Map();
  #votes: Map<number, Map<string, Set<string>>> = new Map();

  constructor(names: readonly string[], seed = 1) {
    super({ votersMax: names.length }, seed);
    this.#names = names;
    this.events = {
      message: (from, to, message) => {
        const { type, ballot } = message;
        if (type === 'append' || type === 'snapshot') this.#note(this.#spoke, ballot, from);
        if (type !== 'vote_answer' || !message.granted) return;
        const ofBallot = this.#votes.get(ballot) ?? new Map<string, Set<string>>();
        this.#votes.set(ballot, ofBallot);
        const voters = ofBallot.get(to) ?? new Set<string>();
        ofBallot.set(to, voters.add(from));
      },
    };
  }

  /** All of them members, the first one master, and `base` applied everywhere. */
  static of(names: readonly string[], seed = 1): SafeCluster {
    const cluster = new SafeCluster(names, seed);
    const [first = '', ...others] = names;
    for (const name of others) cluster.start(name);
    cluster.found(first);
    cluster.until(() => cluster.node(first).running.isConfirmedMaster);
    for (const name of others) cluster.add(name);
    cluster.submit('base');
    cluster.until(() => names.every((name) => cluster.node(name).applied.includes('base')));
    return cluster;
  }

  /** Has the master take `name` in, and waits until it is as much of a member as it will be. */
  add(name: string): void {
    const id = this.ask(this.masterName, (replica, asked) => {
      replica.changeMember(asked, { type: 'add', name });
    });
    this.until(() => this.#isSettled(this.masterName, id));
    this.run(2_000);
  }

  get masterName(): string {
    const { master } = this;
    expect(master, 'there is a master').not.toBeNull();
    return master?.name ?? '';
  }

  /** The number of a submission that is under way at `at`. */
  offer(text: string, at: string = this.masterName, requestId: string | null = null): number {
    const id = this.propose(at, text, requestId);
    this.#proposed.set(id, { at, text });
    return id;
  }

  /** Submits, and waits until the client is told that it is done. */
  submit(text: string, at: string = this.masterName, requestId: string | null = null): void {
    const id = this.offer(text, at, requestId);
    this.until(() => this.#isSettled(at, id));
    expect(this.isCommitted(id), `${text} is committed at once`).toBe(true);
  }

  isCommitted(id: number): boolean {
    const at = this.#proposed.get(id)?.at ?? '';
    return this.node(at).settled.some((settled) => settled.id === id && settled.type === 'committed');
  }

  /** Waits for a confirmed master other than `but`. */
  elected(but: string | null = null): string {
    this.until(() => {
      const { master } = this;
      return master !== null && master.name !== but && master.running.isConfirmedMaster;
    });
    return this.masterName;
  }

  /** Every link works and every node runs again; then all states are one, and nothing said was wrong. */
  settle(): void {
    this.heal();
    for (const name of this.#names) {
      const node = this.node(name);
      node.isPaused = false;
      if (node.replica === null) this.start(name);
      else this.turn(node);
    }
    this.elected();
    this.submit('the end');
    this.until(() => this.#names.every((name) => this.node(name).applied.at(-1) === 'the end'));
    this.check();
  }

  /** States agree, what clients were told is in them once, and every master was voted for, alone. */
  check(): void {
    const states = this.#names.map((name) => this.node(name).applied);
    const longest = states.reduce((left, right) => (left.length < right.length ? right : left), []);
    for (const state of states) expect(state).toEqual(longest.slice(0, state.length));
    for (const [id, { text }] of this.#proposed) {
      if (!this.isCommitted(id)) continue;
      expect(
        longest.filter((each) => each === text),
        `${text} was acknowledged`,
      ).toHaveLength(1);
    }
    this.checkMasters();
  }

  checkMasters(): void {
    for (const [ballot, masters] of this.#spoke) {
      expect([...masters], `masters of ballot ${ballot}`).toHaveLength(1);
      const voters = this.#votes.get(ballot)?.get([...masters][0] ?? '')?.size ?? 0;
      // The first ballot is the founder's, alone; later ones need a majority, its own vote included.
      if (ballot > 2) expect(voters + 1, `votes of ballot ${ballot}`).toBeGreaterThan(1);
    }
  }

  #isSettled(at: string, id: number): boolean {
    return this.node(at).settled.some((settled) => settled.id === id);
  }

  #note(notes: Map<number, Set<string>>, ballot: number, name: string): void {
    const known = notes.get(ballot) ?? new Set<string>();
    notes.set(ballot, known.add(name));
  }
}
