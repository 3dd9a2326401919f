/**
 * Plays a transcript: commands above a dashed line, below it what came of them.
 *
 * A block of commands ends with `----`, its expected output with an empty line; lines with `#` are
 * the story. Besides what a command prints itself, a block prints all that the replicas handed out
 * meanwhile. The commands, with an example each, are the methods of `Player`.
 */
import type { MemberName, Message, Notice, Reading, Settlement } from '../index.ts';
import { Cluster, type FakeNode } from './cluster.ts';
import { describeMembers, describeMessage, describePayload } from './describe.ts';

/** The same transcript with the output that its commands have now. */
export function playTranscript(text: string): string {
  const player = new Player();
  const lines: string[] = [];
  let isOutput = false;
  for (const line of text.split('\n')) {
    if (isOutput) {
      if (line !== '') continue;
      isOutput = false;
    } else if (line === '----') {
      isOutput = true;
      lines.push(line, ...player.takeOutput());
      continue;
    } else if (line !== '' && !line.startsWith('#')) {
      player.play(line);
    }
    lines.push(line);
  }
  return lines.join('\n');
}

type Words = readonly string[];

class Player {
  #cluster = new Cluster();
  #lines: string[] = [];
  readonly #labels = new Map<number, string>();
  readonly #seen = new Map<FakeNode, { applied: number; settled: number; reads: number; notices: number }>();
  #traced: readonly string[] = [];

  play(line: string): void {
    const [verb = '', ...words] = line.split(' ');
    const command = this.#commands[verb];
    if (command === undefined) throw new Error(`no such command: ${line}`);
    command(words);
    this.#collect();
  }

  takeOutput(): string[] {
    return this.#lines.splice(0);
  }

  readonly #commands: Record<string, (words: Words) => unknown> = {
    // settings appendBytesMax=100 : must come first
    settings: (words) => {
      const settings = Object.fromEntries(words.map((word) => word.split('=')));
      this.#cluster = new Cluster(mapNumbers(settings));
    },
    // found a : the first member of a new cluster
    found: ([name = '']) => void this.#cluster.found(name),
    // start b c : from what their disks hold
    start: (names) => forAll(names, (name) => this.#start(name)),
    // crash a : what is not synced is lost
    crash: (names) => forAll(names, (name) => this.#cluster.crash(name)),
    // pause a : it stands still, as under SIGSTOP
    pause: ([name = '']) => {
      this.#cluster.node(name).isPaused = true;
    },
    resume: ([name = '']) => {
      this.#cluster.node(name).isPaused = false;
      this.#cluster.turn(this.#cluster.node(name));
    },
    // tear a 2 : while it is down, its disk loses the last two entries, and knows it
    tear: ([name = '', count]) => this.#cluster.node(name).disk.tear(Number(count)),
    // empty a : while it is down, its disk is replaced
    empty: ([name = '']) => this.#cluster.empty(name),
    // stick a, unstick a : its syncs take for ever, and finish
    stick: ([name = '']) => {
      this.#cluster.node(name).disk.isStuck = true;
    },
    unstick: ([name = '']) => {
      const node = this.#cluster.node(name);
      node.disk.isStuck = false;
      this.#cluster.sync(node);
    },
    // knows a put=1 del=2 : which kinds it applies, from its next start on
    knows: ([name = '', ...kinds]) => {
      this.#cluster.node(name).knows = mapNumbers(Object.fromEntries(kinds.map((kind) => kind.split('='))));
    },
    // cut a b : nothing from a to b
    cut: ([from = '', to = '']) => this.#cluster.cut(from, to),
    isolate: (names) => forAll(names, (name) => this.#cluster.isolate(name)),
    heal: () => this.#cluster.heal(),
    // run 500 : milliseconds
    run: ([forMs]) => this.#cluster.run(Number(forMs)),
    // elect : until there is a confirmed master
    elect: () => this.#cluster.until(() => this.#cluster.master?.running.isConfirmedMaster === true),
    // cluster a b c : founds it with a, and waits until all are members and voters as they should be
    cluster: (names) => this.#makeCluster(names),
    // propose a x request=r1 kind=put version=1
    propose: ([name = '', text = '', ...options]) => {
      const { request, kind, version } = Object.fromEntries(options.map((option) => option.split('=')));
      const id = this.#cluster.propose(name, text, request ?? null, kind, Number(version ?? 1));
      this.#labels.set(id, text);
    },
    // fill a 20 : twenty proposals, x1 to x20
    fill: ([name = '', count]) => {
      for (let at = 1; at <= Number(count); at++)
        this.#labels.set(this.#cluster.propose(name, `x${at}`), `x${at}`);
    },
    // read a
    read: ([name = '']) =>
      this.#label(
        'read',
        this.#cluster.ask(name, (replica, id) => replica.read(id)),
      ),
    // change a add b, change a add b foreign, change a remove b
    change: ([at = '', type = '', name = '', foreign]) => {
      const change = type === 'add' ? { type, name, foreign: foreign !== undefined } : { type, name };
      const id = this.#cluster.ask(at, (replica, id) => replica.changeMember(id, change as never));
      this.#label(`${type} ${name}`, id);
    },
    // transfer a b, transfer a
    transfer: ([at = '', to]) =>
      this.#label(
        'transfer',
        this.#cluster.ask(at, (replica, id) => replica.transfer(id, to ?? null)),
      ),
    // snapshot a : its driver saves one
    snapshot: ([name = '']) => this.#cluster.snapshot(name),
    // status : one line a node
    status: () => this.#lines.push(...[...this.#cluster.nodes.values()].map(statusOf)),
    // log a : what its log holds in memory
    log: ([name = '']) => this.#printLog(name),
    // state a : what its state was given
    state: ([name = '']) => this.#lines.push(`${name}: ${this.#cluster.node(name).applied.join(' ')}`),
    // members a : by its latest configuration
    members: ([name = '']) =>
      this.#lines.push(`${name}: ${describeMembers(this.#cluster.node(name).running.configuration)}`),
    // contact a b : within how many hundreds of milliseconds they heard of the majority
    contact: (names) =>
      names.forEach((name) => {
        const ageMs = this.#cluster.node(name).running.contactAgeMs(this.#cluster.nowMs);
        this.#lines.push(`${name}: contact within ${Math.ceil(ageMs / 100) * 100} ms`);
      }),
    // trace vote vote_answer : print such messages as they arrive; trace : no longer
    trace: (types) => {
      this.#traced = types;
      this.#cluster.events = { message: (from, to, message) => this.#trace(from, to, message) };
    },
    // inject x a vote ballot=9 : a message of somebody else's making
    inject: ([from = '', to = '', type = '', ...fields]) => this.#inject(from, to, type, fields),
  };

  #label(label: string, id: number): void {
    this.#labels.set(id, label);
  }

  #start(name: MemberName): void {
    const node = this.#cluster.start(name);
    this.#seen.set(node, { ...this.#seenOf(node), applied: 0 });
  }

  #makeCluster([first = '', ...rest]: Words): void {
    const cluster = this.#cluster;
    cluster.found(first);
    cluster.run(10);
    for (const name of rest) {
      this.#start(name);
      cluster.ask(first, (replica, id) => replica.changeMember(id, { type: 'add', name }));
    }
    cluster.run(1_500);
    for (const node of cluster.nodes.values()) this.#seen.set(node, ends(node));
  }

  #seenOf(node: FakeNode) {
    return this.#seen.get(node) ?? { applied: 0, settled: 0, reads: 0, notices: 0 };
  }

  #collect(): void {
    for (const node of this.#cluster.nodes.values()) {
      const seen = this.#seenOf(node);
      const say = (text: string) => this.#lines.push(`${node.name}: ${text}`);
      for (const notice of node.notices.slice(seen.notices)) say(describeNotice(notice));
      const applied = node.applied.slice(seen.applied);
      if (applied.length > 0) say(`applied ${applied.join(' ')}`);
      for (const settlement of node.settled.slice(seen.settled)) say(this.#describeSettlement(settlement));
      for (const reading of node.reads.slice(seen.reads)) say(describeReading(reading));
      this.#seen.set(node, ends(node));
    }
  }

  #describeSettlement(settlement: Settlement): string {
    const label = this.#labels.get(settlement.id);
    if (settlement.type === 'committed') return `${label} is committed at ${settlement.index}`;
    const { reason, master, detail } = settlement;
    return `${label} is refused: ${reason} (${detail}); master ${master ?? 'unknown'}`;
  }

  #printLog(name: MemberName): void {
    const { snapshot, entries } = this.#cluster.node(name).disk.synced;
    if (snapshot !== null) this.#lines.push(`${name}: snapshot ${snapshot.index}/${snapshot.ballot}`);
    for (const { index, ballot, payload } of entries)
      this.#lines.push(`${name}: ${index}/${ballot} ${describePayload(payload)}`);
  }

  #trace(from: MemberName, to: MemberName, message: Message): void {
    if (this.#traced.includes(message.type)) this.#lines.push(`${from} -> ${to} ${describeMessage(message)}`);
  }

  #inject(from: MemberName, to: MemberName, type: string, fields: Words): void {
    const { incarnation = 'cluster', ...numbers } = Object.fromEntries(
      fields.map((field) => field.split('=')),
    );
    const sender = { incarnation, storage: `${from}1`, run: 1, knows: {}, muted: false };
    const contact = { ageMs: 0, echoMs: null };
    const message = { type, call: 1, sender, contact, entries: [], ...mapNumbers(numbers) };
    this.#cluster.ask(to, (replica) => replica.receive(from, message as unknown as Message));
  }
}

function forAll(words: Words, run: (word: string) => void): void {
  for (const word of words) run(word);
}

function ends({ applied, settled, reads, notices }: FakeNode) {
  return {
    applied: applied.length,
    settled: settled.length,
    reads: reads.length,
    notices: notices.length,
  };
}

function mapNumbers(values: Record<string, string | undefined>): Record<string, number> {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, Number(value)]));
}

function describeNotice(notice: Notice): string {
  switch (notice.type) {
    case 'became_master':
      return `became master of ballot ${notice.ballot}`;
    case 'lost_master':
      return `is no longer master of ballot ${notice.ballot}`;
    case 'master_known':
      return `${notice.master} is master of ballot ${notice.ballot}`;
    case 'configuration':
      return `members at ${notice.index}: ${describeMembers(notice.configuration)}`;
    case 'unknown_kind':
      return `does not know ${notice.kind} ${notice.version} at ${notice.index}`;
    case 'removed':
      return 'was removed';
    case 'readmitted':
      return 'counts again';
    case 'contradicted':
      return `refuses what ${notice.from} says in ballot ${notice.ballot}: ${notice.detail}`;
  }
}

function describeReading(reading: Reading): string {
  if (reading.type === 'ready') return `read is ready at ${reading.index}`;
  return `read is refused; master ${reading.master ?? 'unknown'}`;
}

function statusOf({ name, replica, isPaused }: FakeNode): string {
  if (replica === null) return `${name}  down`;
  const { role, ballot, master, lastIndex, commitIndex, appliedIndex, isMuted } = replica;
  const standing = replica.isConfirmedMaster ? 'master' : replica.isMaster ? 'master?' : role;
  const flags = `${isMuted ? '  muted' : ''}${isPaused ? '  paused' : ''}`;
  const log = `last ${lastIndex}  commit ${commitIndex}  applied ${appliedIndex}`;
  return `${name}  ${standing}  ballot ${ballot}  of ${master ?? '?'}  ${log}${flags}`;
}
