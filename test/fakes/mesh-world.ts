/**
 * The workers of one node inside one process, on real unix sockets, with the list that their
 * supervisor would send them.
 *
 * Time stands still until the test moves it; only the ends of turns come by themselves.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Bus, MeshBus } from '../../src/bus/index.ts';
import type { WorkerKind, WorkerPlace } from '../../src/process/index.ts';
import type { BusWorld } from './bus-suite.ts';
import { CollectedLog } from './collected-log.ts';
import { FakeTime } from './fake-time.ts';
import { workerAt } from './worker-names.ts';

/** Patience is the test's, but turns end by themselves, since sockets do not wait for a test. */
export class SocketTime extends FakeTime {
  override endOfTurn(run: () => void): void {
    setImmediate(run);
  }
}

/** A node's workers and the list that its supervisor would send them. */
export class MeshWorld implements BusWorld {
  readonly directory = mkdtempSync(join(tmpdir(), 'arrokoth-mesh-'));
  readonly time = new SocketTime();
  readonly log = new CollectedLog();
  readonly buses = new Set<MeshBus>();
  places: WorkerPlace[] = [];

  path(slot: number, run: number): string {
    return join(this.directory, `${slot}.${run}.sock`);
  }

  async make(slot: number, run: number, kind: WorkerKind = 'gateway', outboxBytesMax = 64_000_000) {
    const meshPath = kind === 'gateway' ? this.path(slot, run) : join(this.directory, 'api.sock');
    const doors = { clock: this.time, timers: this.time, logger: this.log };
    const bus = new MeshBus({ self: workerAt(slot, run), kind, meshPath, ...doors, outboxBytesMax });
    this.buses.add(bus);
    await bus.listen();
    return bus;
  }

  announce(bus: Bus): void {
    const { slot, run } = bus.self;
    this.places = this.places.filter((place) => place.slot !== slot);
    this.places.push({ kind: 'gateway', slot, run, meshPath: this.path(slot, run) });
    this.tellAll();
  }

  tellAll(): void {
    for (const bus of this.buses) bus.peers(this.places);
  }

  async kill(bus: Bus): Promise<void> {
    this.buses.delete(bus as MeshBus);
    await (bus as MeshBus).close();
    this.places = this.places.filter((place) => place.slot !== bus.self.slot);
    this.tellAll();
  }

  pass(ms: number): void {
    this.time.advance(ms);
  }

  async end(): Promise<void> {
    await Promise.all([...this.buses].map((bus) => bus.close()));
    rmSync(this.directory, { recursive: true, force: true });
  }
}
