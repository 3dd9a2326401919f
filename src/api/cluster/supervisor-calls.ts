/**
 * Operations that the supervisor carries out: what changes the node or its cluster.
 *
 * Each call is answered once, by the supervisor or by the bound on its time. How many there are at once
 * is bounded by the front, which lets in no more operations than that.
 */
import { OPERATOR_LIMITS, type Timers } from '../../base/index.ts';
import type { FromWorker, OperationName, OperationOutcome } from '../../process/index.ts';
import { answered, type OperationAnswer, refused } from '../front/operation-answer.ts';

/** What calls are made with. */
export interface SupervisorCallDoors {
  readonly timers: Timers;
  readonly send: (message: Extract<FromWorker, { type: 'operate' }>) => void;
}

/** The calls of one api worker. */
export class SupervisorCalls {
  readonly #doors: SupervisorCallDoors;
  readonly #open = new Map<number, (outcome: OperationOutcome) => void>();
  #ids = 0;

  constructor(doors: SupervisorCallDoors) {
    this.#doors = doors;
  }

  /** Has `operation` carried out, and puts its outcome into the words of the API. */
  async perform(operation: OperationName, request: unknown): Promise<OperationAnswer> {
    const outcome = await this.#ask(operation, request);
    if (outcome.ok) return answered(outcome.answer);
    if (outcome.error === 'TOO-MANY-OPERATIONS') return { type: 'busy' };
    if (outcome.error === 'INTERNAL-ERROR') throw new Error(JSON.stringify(outcome.reason));
    return refused(outcome.error, outcome.reason);
  }

  /** The supervisor's answer; one that nobody waits for any more is ignored. */
  settle(id: number, outcome: OperationOutcome): void {
    this.#open.get(id)?.(outcome);
  }

  #ask(operation: OperationName, request: unknown): Promise<OperationOutcome> {
    const id = ++this.#ids;
    return new Promise((resolve) => {
      const settle = (outcome: OperationOutcome): void => {
        this.#open.delete(id);
        bound.cancel();
        resolve(outcome);
      };
      const silence = { ok: false, error: 'SUPERVISOR-UNAVAILABLE' } as const;
      const bound = this.#doors.timers.after(OPERATOR_LIMITS.supervisorWaitMs, () => settle(silence));
      this.#open.set(id, settle);
      this.#doors.send({ type: 'operate', id, operation, request });
    });
  }
}
