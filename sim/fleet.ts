/**
 * The simulated cluster as a whole: nodes, the network between them, what was seen, who judges.
 *
 * It also knows what the fault model forbids: a directory may be damaged only while the voters that
 * are left whole can still elect a master, in every configuration that may be the one that counts.
 */
import type { Configuration, Member, MemberName, Message } from '../src/consensus/index.ts';
import type { Judge } from './judge.ts';
import type { Network } from './network.ts';
import type { NodeWorld, Sending } from './node-world.ts';
import type { Rng } from './rng.ts';
import type { SimulatedNode } from './simulated-node.ts';
import type { SwarmOptions } from './swarm.ts';
import type { Totals } from './totals.ts';
import type { Trace } from './trace.ts';
import type { World } from './world.ts';

/** What a fleet is made of. */
export interface FleetParts {
  readonly world: World;
  readonly rng: Rng;
  readonly network: Network;
  readonly judge: Judge;
  readonly totals: Totals;
  readonly trace: Trace;
  readonly options: SwarmOptions;
}

/** More nodes than any world has. */
const NODES_MAX = 16;

/** A message on its way. */
interface Packet {
  readonly from: MemberName;
  readonly link: string;
  readonly receiver: SimulatedNode;
  readonly message: Message;
  /** For the judge: what the sender knew. */
  readonly carriedMs: number;
}

/** Nodes and everything between them. */
export class Fleet implements NodeWorld {
  readonly world: World;
  readonly rng: Rng;
  readonly network: Network;
  readonly judge: Judge;
  readonly totals: Totals;
  readonly trace: Trace;
  readonly options: SwarmOptions;
  readonly nodes: SimulatedNode[] = [];
  readonly #byName = new Map<MemberName, SimulatedNode>();
  /** Of each ordered pair of nodes: how traces call it. */
  readonly #links: string[] = [];
  readonly #arrive = ({ from, link, receiver, message, carriedMs }: Packet): void => {
    this.trace.note(message.type, link, message.ballot, message);
    receiver.receive(from, message, carriedMs);
  };

  constructor(parts: FleetParts) {
    this.world = parts.world;
    this.rng = parts.rng;
    this.network = parts.network;
    this.judge = parts.judge;
    this.totals = parts.totals;
    this.trace = parts.trace;
    this.options = parts.options;
  }

  add(node: SimulatedNode): void {
    this.nodes.push(node);
    this.#byName.set(node.name, node);
    for (const other of this.nodes) {
      this.#links[node.number * NODES_MAX + other.number] = `${node.short}>${other.short}`;
      this.#links[other.number * NODES_MAX + node.number] = `${other.short}>${node.short}`;
    }
  }

  /** Carries a message between two nodes. */
  send(from: Sending, to: MemberName, message: Message): void {
    const receiver = this.#byName.get(to);
    if (receiver === undefined) return;
    const carriedMs = this.judge.sent(from, to, message, this.world.nowMs);
    this.totals.messages++;
    const packet: Packet = {
      from: from.name,
      link: this.#links[from.number * NODES_MAX + receiver.number] as string,
      receiver,
      message: this.options.copiesMessages ? copied(message) : message,
      carriedMs,
    };
    this.network.send(from.number, receiver.number, this.#arrive, packet);
  }

  /** Whoever takes itself for the master; the newest if there are several. */
  master(): SimulatedNode | undefined {
    let newest: SimulatedNode | undefined;
    for (const node of this.nodes)
      if (node.isMaster && (newest === undefined || node.ballot > newest.ballot)) newest = node;
    return newest;
  }

  /** Whoever is a member in a configuration that may be the one that counts. */
  get members(): readonly SimulatedNode[] {
    const names = new Set<MemberName>();
    for (const { members } of this.judge.configurationsInUse) for (const { name } of members) names.add(name);
    return this.nodes.filter(({ name }) => names.has(name));
  }

  /** True when those that stay whole without `node` are a majority, whichever configuration counts. */
  canLose(node: SimulatedNode): boolean {
    return this.canElect(this.nodes.filter((other) => other !== node));
  }

  /** True when `nodes`, once they run and reach each other, can elect a master and commit. */
  canElect(nodes: readonly SimulatedNode[]): boolean {
    return this.judge.configurationsInUse.every((configuration) => canElect(nodes, configuration));
  }

  /** Nobody's directory is damaged or new: then all of them together can always agree. */
  get isWhole(): boolean {
    return this.judge.configurationsInUse.every((configuration) => areAllThere(this.nodes, configuration));
  }
}

/** The same message in memory of its own. */
function copied<Value>(value: Value): Value {
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Uint8Array) return new Uint8Array(value) as Value;
  if (Array.isArray(value)) return value.map(copied) as Value;
  const copy: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(value)) copy[name] = copied(field);
  return copy as Value;
}

/** A majority of voters whose word counts; or all members, muted ones included. */
function canElect(nodes: readonly SimulatedNode[], configuration: Configuration): boolean {
  const voters = configuration.members.filter(({ role }) => role === 'voter');
  const counting = voters.filter((voter) => nodes.some((node) => isIn(node, voter) && !node.isMuted));
  return counting.length * 2 > voters.length || areAllThere(nodes, configuration);
}

/** Every member is among the nodes, and remembers the cluster. */
function areAllThere(nodes: readonly SimulatedNode[], { members }: Configuration): boolean {
  return members.every((member) =>
    member.role === 'voter'
      ? nodes.some((node) => isIn(node, member))
      : nodes.some((node) => node.name === member.name && node.hasJoined && !node.isDamaged),
  );
}

/** True when the voter is this node with this very directory, and nothing of it was destroyed. */
function isIn(node: SimulatedNode, { name, storage }: Member): boolean {
  return node.name === name && node.storage === storage && !node.isDamaged;
}
