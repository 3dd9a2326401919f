/**
 * Which node owns which channel: the first claim in the log wins, for as long as its epoch lasts.
 *
 * A claim whose epoch is over stays listed, and gives way to the next one. It is forgotten when the
 * channel is claimed anew or released, when its node is purged, or when its place is needed. Fencing
 * numbers grow from each claim to the next, so that whoever has seen one knows every older owner.
 */
import { CLUSTER_LIMITS } from '../base/index.ts';
import type { ChannelOwner, Epoch, NodeName, OwnedChannel, ReleasedChannel } from './types.ts';

/** One epoch of one node, in which it owns channels. */
export interface Tenure {
  readonly node: NodeName;
  readonly epoch: Epoch;
}

interface Claim {
  readonly tenure: Tenure;
  readonly fencing: number;
}

/** What a claim led to, for each channel that was not somebody's already. */
export interface ClaimOutcome {
  readonly fencing: number;
  readonly taken: readonly string[];
  /** There is no room for them, or their names are too long. */
  readonly refused: readonly string[];
}

/** The claims as a snapshot holds them: a column each, because a list of objects takes twice as long. */
export interface ClaimsImage {
  readonly tenures: readonly (readonly [node: NodeName, epoch: Epoch])[];
  /** In the order of their fencing numbers. */
  readonly channels: readonly string[];
  /** The place in `tenures`, for each channel. */
  readonly owners: readonly number[];
  readonly fencings: readonly number[];
  readonly newestFencing: number;
}

const NOTHING: ClaimsImage = { tenures: [], channels: [], owners: [], fencings: [], newestFencing: 0 };

/** The owners of all channels. */
export class Claims {
  /** True while that epoch lasts. */
  readonly #isUp: (node: NodeName, epoch: Epoch) => boolean;
  /** In the order of their fencing numbers: a channel that changes hands moves to the end. */
  readonly #claims = new Map<string, Claim>();
  /** The newest of each node: all claims of one epoch share one object. */
  readonly #tenures = new Map<NodeName, Tenure>();
  #characters = 0;
  #newestFencing: number;
  /** False: there is certainly none, and nobody has to look through all claims for one. */
  #mayHoldEnded = true;

  constructor(isUp: (node: NodeName, epoch: Epoch) => boolean, image: ClaimsImage = NOTHING) {
    this.#isUp = isUp;
    this.#newestFencing = image.newestFencing;
    const tenures = image.tenures.map(([node, epoch]) => this.#shared({ node, epoch }));
    image.channels.forEach((channel, at) => {
      const tenure = tenures[image.owners[at] as number] as Tenure;
      this.#add(channel, { tenure, fencing: image.fencings[at] as number });
    });
  }

  owner(channel: string): ChannelOwner | null {
    const claim = this.#claims.get(channel);
    return claim === undefined ? null : this.#ownerOf(claim);
  }

  /** All channels at this moment, in the order of their fencing numbers. */
  list(): OwnedChannel[] {
    return Array.from(this.#claims, ([channel, claim]) => ({ channel, ...this.#ownerOf(claim) }));
  }

  /** At most `max` claims whose epochs are over, the oldest first. */
  abandoned(max: number): ReleasedChannel[] {
    const found: ReleasedChannel[] = [];
    if (!this.#mayHoldEnded) return found;
    for (const [name, claim] of this.#claims) {
      if (found.length === max) return found;
      if (!this.#isLive(claim)) found.push({ name, fencing: claim.fencing });
    }
    this.#mayHoldEnded = found.length > 0;
    return found;
  }

  /** A node that is up wants to own channels; it gets those that nobody owns in an epoch that lasts. */
  claim(claimer: Tenure, channels: readonly string[], index: number): ClaimOutcome {
    const tenure = this.#shared(claimer);
    // The index alone would do, if it were certain that an entry of the log holds one claim only.
    const fencing = Math.max(index, this.#newestFencing + 1);
    this.#newestFencing = fencing;
    const taken: string[] = [];
    const refused: string[] = [];
    for (const channel of channels) {
      const present = this.#claims.get(channel);
      if (present !== undefined && this.#isLive(present)) continue;
      if (present !== undefined) this.#remove(channel);
      if (this.#hasRoomFor(channel)) {
        this.#add(channel, { tenure, fencing });
        taken.push(channel);
      } else {
        refused.push(channel);
      }
    }
    return { fencing, taken, refused };
  }

  /** A node that is up gives channels back: its own ones, or such whose epoch is over. */
  release(by: NodeName, channels: readonly ReleasedChannel[]): ReleasedChannel[] {
    return channels.filter(({ name, fencing }) => {
      const present = this.#claims.get(name);
      if (present?.fencing !== fencing) return false;
      if (present.tenure.node !== by && this.#isLive(present)) return false;
      this.#remove(name);
      return true;
    });
  }

  /** Some epoch is over. */
  epochEnded(): void {
    this.#mayHoldEnded = true;
  }

  /** Forgets what a purged node owned, which was down. */
  forget(node: NodeName): void {
    this.#tenures.delete(node);
    this.#drop((claim) => claim.tenure.node === node);
  }

  /** What a snapshot holds: the same for the same claims, whatever led to them. */
  image(): ClaimsImage {
    const places = new Map<Tenure, number>();
    const owners: number[] = [];
    const fencings: number[] = [];
    for (const { tenure, fencing } of this.#claims.values()) {
      const place = places.get(tenure) ?? places.size;
      places.set(tenure, place);
      owners.push(place);
      fencings.push(fencing);
    }
    const tenures = Array.from(places.keys(), ({ node, epoch }) => [node, epoch] as const);
    const channels = [...this.#claims.keys()];
    return { tenures, channels, owners, fencings, newestFencing: this.#newestFencing };
  }

  #ownerOf({ tenure: { node, epoch }, fencing }: Claim): ChannelOwner {
    return { node, epoch, fencing, live: this.#isUp(node, epoch) };
  }

  /** One object for each epoch. A node begins them one after the other, so older ones are not asked for. */
  #shared(tenure: Tenure): Tenure {
    const newest = this.#tenures.get(tenure.node);
    if (newest?.epoch === tenure.epoch) return newest;
    if ((newest?.epoch ?? 0) < tenure.epoch) this.#tenures.set(tenure.node, tenure);
    return tenure;
  }

  #isLive({ tenure }: Claim): boolean {
    return this.#isUp(tenure.node, tenure.epoch);
  }

  /** At the bound, claims whose epochs are over give way; then further ones are refused. */
  #hasRoomFor(channel: string): boolean {
    if (channel === '' || channel.length > CLUSTER_LIMITS.channelNameCharactersMax) return false;
    if (this.#fits(channel)) return true;
    this.#drop((claim) => !this.#isLive(claim));
    this.#mayHoldEnded = false;
    return this.#fits(channel);
  }

  #fits(channel: string): boolean {
    const { channelsMax, channelNamesCharactersMax } = CLUSTER_LIMITS;
    const characters = this.#characters + channel.length;
    return this.#claims.size < channelsMax && characters <= channelNamesCharactersMax;
  }

  /** Forgets what fits the description, of which only claims can be whose epochs are over. */
  #drop(isMeant: (claim: Claim) => boolean): void {
    if (!this.#mayHoldEnded) return;
    for (const [channel, claim] of this.#claims) if (isMeant(claim)) this.#remove(channel);
  }

  #add(channel: string, claim: Claim): void {
    this.#claims.set(channel, claim);
    this.#characters += channel.length;
  }

  #remove(channel: string): void {
    if (this.#claims.delete(channel)) this.#characters -= channel.length;
  }
}
