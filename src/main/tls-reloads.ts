/**
 * Takes new certificates over as they come, and never a broken one.
 *
 * Knows no file and no clock: it is told that something may have changed, and what is there now. A
 * certificate and its key are replaced one after the other, so a pair that does not fit is given some
 * time before anybody hears of it; then it is told once. Until all is well the old ones are shown.
 */
import { type Clock, LIMITS, type Logger } from '../base/index.ts';
import type { TlsMaterial } from '../config/index.ts';
import type { TlsReading } from '../net/index.ts';

/** What the reloads of one worker work with. */
export interface TlsReloadsDoors {
  readonly identity: { readonly material: TlsMaterial; replaceMaterial(material: TlsMaterial): void };
  readonly read: () => TlsReading;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly reloaded: (outcome: 'ok' | 'failed') => void;
}

interface Trouble {
  readonly sinceMs: number;
  readonly problems: readonly string[];
  told: boolean;
}

/** The reloads of one worker. */
export class TlsReloads {
  readonly #doors: TlsReloadsDoors;
  #trouble: Trouble | null = null;

  constructor(doors: TlsReloadsDoors) {
    this.#doors = doors;
  }

  /** Called every few seconds; `changed`: a file is not what it was. */
  looked(changed: boolean): void {
    if (changed) this.#read();
    const trouble = this.#trouble;
    if (trouble === null || trouble.told) return;
    if (this.#doors.clock.monotonicMs() - trouble.sinceMs < LIMITS.tlsFilesSettleMs) return;
    trouble.told = true;
    this.#doors.reloaded('failed');
    const fields = { code: 'TLS_UNUSABLE', problems: trouble.problems };
    this.#doors.logger.error(fields, 'the new certificates cannot be used; the old ones stay');
  }

  #read(): void {
    const { identity, read, clock, logger, reloaded } = this.#doors;
    const { material, facts, problems, warnings } = read();
    if (material === null) {
      this.#trouble = { sinceMs: clock.monotonicMs(), problems, told: false };
      return;
    }
    this.#trouble = null;
    if (JSON.stringify(material) === JSON.stringify(identity.material)) return;
    identity.replaceMaterial(material);
    reloaded('ok');
    const expires = facts.map(({ expiresAtMs }) => new Date(expiresAtMs).toISOString());
    logger.info({ expires }, 'new certificates are shown from now on');
    for (const warning of warnings) logger.warn({}, warning);
  }
}
