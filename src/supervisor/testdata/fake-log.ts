/**
 * A log that commits at once, or as the test lets it.
 *
 * It has the members and the contact that the test gives it; nothing happens by itself.
 */
import { ArrokothError } from '../../base/index.ts';
import type { ClusterChange } from '../../cluster/index.ts';
import type { LogStatus, Silence } from '../../store/index.ts';
import type { ClusterLog, LogOrder } from '../cluster/doors.ts';

type Listener = (...facts: never[]) => void;

/** One log, as a supervisor sees it. */
export class FakeLog implements ClusterLog {
  readonly order: LogOrder;
  readonly submitted: ClusterChange[] = [];
  status_: LogStatus;
  silences_ = new Map<string, Silence>();
  /** False: submissions are refused as without a majority. */
  hasQuorum = true;
  /** True: what is taken note of has been undone by the time the state knows of it. */
  forgets = false;
  isClosed = false;
  failsToStart: ArrokothError | null = null;
  readonly #listeners = new Map<string, Listener[]>();

  constructor(order: LogOrder, address = 'http://localhost') {
    this.order = order;
    const isFounder = order.founding !== null;
    const members = [address, ...(order.founding ?? [])].map((name) => ({ name, role: 'voter' as const }));
    this.status_ = {
      cluster: 'main',
      address,
      mode: 'strict',
      condition: 'running',
      role: isFounder ? 'voter' : 'unjoined',
      isMaster: isFounder,
      master: isFounder ? address : null,
      ballot: isFounder ? 1 : 0,
      commitIndex: 0,
      appliedIndex: 0,
      lastIndex: 0,
      durableIndex: 0,
      contactAgeMs: isFounder ? 0 : null,
      members: isFounder ? members : [],
      fed: [],
    };
  }

  on(name: string, listener: unknown): never {
    this.#listeners.set(name, [...(this.#listeners.get(name) ?? []), listener as Listener]);
    return this as never;
  }

  tell(name: string, ...facts: unknown[]): void {
    for (const listener of this.#listeners.get(name) ?? []) listener(...(facts as never[]));
  }

  async start(): Promise<void> {
    if (this.failsToStart !== null) throw this.failsToStart;
  }

  async submit(changes: readonly ClusterChange[]): Promise<{ index: number }> {
    this.submitted.push(...changes);
    if (!this.hasQuorum) throw new ArrokothError('LOG_TIMEOUT', 'Nobody answers.');
    return { index: this.commit(...changes) };
  }

  /** Applies changes as the next entry of the log. */
  commit(...changes: readonly ClusterChange[]): number {
    const index = this.status_.appliedIndex + 1;
    this.status_ = { ...this.status_, appliedIndex: index, commitIndex: index };
    const lasting = this.forgets ? [] : changes;
    for (const change of lasting) this.order.state.apply(change, index);
    this.tell('committed', index, lasting);
    return index;
  }

  async read(): Promise<{ index: number }> {
    if (!this.hasQuorum) throw new ArrokothError('LOG_NOT_CONFIRMED', 'Nobody answers.');
    return { index: this.status_.appliedIndex };
  }

  async addMember(name: string): Promise<void> {
    this.#setMembers([...this.status_.members, { name, role: 'learner' }]);
  }

  async removeMember(name: string): Promise<void> {
    this.#setMembers(this.status_.members.filter((member) => member.name !== name));
  }

  members() {
    return this.status_.members.map((member) => ({ ...member, storage: null, knows: {} }));
  }

  status(): LogStatus {
    return this.status_;
  }

  /** Members are heard of all the time, unless the test says otherwise. */
  silences(): ReadonlyMap<string, Silence> {
    const heard = this.status_.members.map(({ name }) => [name, { silentMs: 0, isHeard: true }] as const);
    return new Map([...heard, ...this.silences_]);
  }

  async close(): Promise<void> {
    this.isClosed = true;
  }

  #setMembers(members: LogStatus['members']): void {
    if (!this.hasQuorum) throw new ArrokothError('LOG_TIMEOUT', 'Nobody answers.');
    this.status_ = { ...this.status_, members };
  }
}
