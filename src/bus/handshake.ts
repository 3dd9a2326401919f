/**
 * How two workers of different nodes make sure of each other, before anything else is said.
 *
 * Four frames: an introduction, a challenge, the dialler's proof, the server's proof. All that was
 * said is proven, so that neither name nor epoch nor nonce can be another's. The dialler proves first:
 * a stranger learns nothing that it could try secrets on. Plain objects: facts in, a step out.
 */
import { type WorkerAddress, type WorkerName, type WorkerSlot, workerAddress } from '../base/index.ts';
import type { WorkerKind } from '../process/index.ts';
import type { Json } from './bus.ts';
import type { MeshAuth } from './mesh-auth.ts';

/** A place on another node, as the view names it: who has it is told by the greeting. */
export interface RemotePlace {
  readonly node: string;
  readonly epoch: number;
  readonly slot: WorkerSlot;
}

/** Who dials whom. */
export interface Greeting {
  readonly from: WorkerAddress;
  readonly kind: WorkerKind;
  readonly to: WorkerAddress;
}

/** What the dialling side does next. */
export type DialStep =
  | { readonly type: 'send'; readonly facts: Json }
  | { readonly type: 'up'; readonly sister: WorkerAddress }
  | { readonly type: 'refused'; readonly fault: string };

/** What the serving side does next; what it sends with `greeted` is the last of the greeting. */
export type ServeStep =
  | { readonly type: 'send'; readonly facts: Json }
  | { readonly type: 'greeted'; readonly greeting: Greeting; readonly facts: Json }
  | { readonly type: 'refused'; readonly fault: string };

/** The dialling side of any greeting. */
export interface DialGreeting {
  /** The facts of the first frame. */
  begin(): Json;
  receive(facts: Json): DialStep;
}

/** The serving side of any greeting. */
export interface ServeGreeting {
  receive(facts: Json): ServeStep;
}

/** Both ends of one cluster speak of the same one. */
export interface MeshCluster {
  /** Incarnation of the cluster; links of another one are refused. */
  readonly incarnation: string;
  /** This worker, with the epoch of its node. */
  readonly self: WorkerAddress;
}

const VERSION = 1;
const NONCE = /^[0-9a-f]{64}$/;
const NODE_CHARACTERS_MAX = 512;

type Introduction = [version: number, incarnation: string, from: Parts, to: Parts, nonce: string];
/** Node, epoch, slot, and a run where it is known. */
type Parts = [node: string, epoch: number, slot: number, run?: number];
type Challenge = [run: number, nonce: string];

/** Introduces this worker to one place of another node. */
export class RemoteDialGreeting implements DialGreeting {
  readonly #auth: MeshAuth;
  readonly #introduction: Introduction;
  readonly #place: RemotePlace;
  #challenge: Challenge | null = null;

  constructor(auth: MeshAuth, { incarnation, self }: MeshCluster, place: RemotePlace) {
    const { node, epoch, slot, run } = self;
    this.#auth = auth;
    this.#place = place;
    const to: Parts = [place.node, place.epoch, place.slot];
    this.#introduction = [VERSION, incarnation, [node, epoch, slot, run], to, auth.nonce()];
  }

  begin(): Json {
    return this.#introduction as unknown as Json;
  }

  receive(facts: Json): DialStep {
    const heard = this.#challenge;
    if (heard === null) {
      const challenge = readChallenge(facts);
      if (challenge === null) return refused('its challenge cannot be read');
      this.#challenge = challenge;
      return { type: 'send', facts: this.#auth.prove('dials', said(this.#introduction, challenge)) };
    }
    if (!this.#auth.isProof('serves', said(this.#introduction, heard), facts)) {
      return refused('it does not know the secret');
    }
    return { type: 'up', sister: workerAddress({ ...this.#place, run: heard[0] }) };
  }
}

/** Hears who dials, and whether that is true. */
export class RemoteServeGreeting implements ServeGreeting {
  readonly #auth: MeshAuth;
  readonly #cluster: MeshCluster;
  #introduction: Introduction | null = null;
  #challenge: Challenge | null = null;

  constructor(auth: MeshAuth, cluster: MeshCluster) {
    this.#auth = auth;
    this.#cluster = cluster;
  }

  receive(facts: Json): ServeStep {
    const [introduction, challenge] = [this.#introduction, this.#challenge];
    if (introduction === null || challenge === null) return this.#beChallenging(facts);
    if (!this.#auth.isProof('dials', said(introduction, challenge), facts)) {
      return refused('it does not know the secret');
    }
    const greeting: Greeting = {
      from: addressOf(introduction[2]),
      kind: 'gateway',
      to: this.#cluster.self,
    };
    const proof = this.#auth.prove('serves', said(introduction, challenge));
    return { type: 'greeted', greeting, facts: proof };
  }

  #beChallenging(facts: Json): ServeStep {
    const introduction = readIntroduction(facts);
    if (introduction === null) return refused('its introduction cannot be read');
    const [version, incarnation, , [node, epoch, slot]] = introduction;
    const { self } = this.#cluster;
    if (version !== VERSION) return refused('it speaks another version');
    if (incarnation !== this.#cluster.incarnation) return refused('it is of another cluster');
    const isForUs = node === self.node && epoch === self.epoch && slot === self.slot;
    if (!isForUs) return refused('it looks for another worker');
    this.#introduction = introduction;
    this.#challenge = [self.run, this.#auth.nonce()];
    return { type: 'send', facts: this.#challenge };
  }
}

/** One text for all that both have said; JSON says where each part ends. */
function said(introduction: Introduction, challenge: Challenge): string {
  return JSON.stringify([introduction, challenge]);
}

function refused(fault: string): { type: 'refused'; fault: string } {
  return { type: 'refused', fault };
}

function addressOf([node, epoch, slot, run = 0]: Parts): WorkerAddress {
  const name: WorkerName = { node, epoch, slot, run };
  return workerAddress(name);
}

/** Copied part by part: what a stranger adds is not proven and not kept. */
function readIntroduction(facts: Json): Introduction | null {
  if (!Array.isArray(facts) || facts.length !== 5) return null;
  const [version, incarnation, from, to, nonce] = facts as readonly Json[];
  const [fromParts, toParts] = [readParts(from, 4), readParts(to, 3)];
  if (fromParts === null || toParts === null) return null;
  if (typeof version !== 'number' || typeof incarnation !== 'string' || !isNonce(nonce)) return null;
  return [version, incarnation, fromParts, toParts, nonce];
}

function readParts(value: Json | undefined, length: 3 | 4): Parts | null {
  if (!Array.isArray(value) || value.length !== length) return null;
  const [node, ...numbers] = value as readonly Json[];
  if (typeof node !== 'string' || node.length > NODE_CHARACTERS_MAX) return null;
  return numbers.every(isCount) ? ([node, ...numbers] as Parts) : null;
}

function readChallenge(facts: Json): Challenge | null {
  if (!Array.isArray(facts) || facts.length !== 2) return null;
  const [run, nonce] = facts as readonly Json[];
  return isCount(run) && isNonce(nonce) ? [run, nonce] : null;
}

function isCount(value: Json | undefined): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isNonce(value: Json | undefined): value is string {
  return typeof value === 'string' && NONCE.test(value);
}
