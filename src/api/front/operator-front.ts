/**
 * `POST /` on the operator's listener: from a request to an operation and back, in Sora's words.
 *
 * Knows HTTP and the contract, and no operation. Each request is answered once, within a bound;
 * browsers' pages of the one configured origin may read the answers.
 */
import { type Logger, OPERATOR_LIMITS, type Timers } from '../../base/index.ts';
import type { LiveConfig } from '../../config/index.ts';
import { GENERIC_ERRORS, type GenericErrorType, genericErrorBody } from '../../contract/index.ts';
import type { HttpRequest, HttpResponse, RawHeaders } from '../../net/index.ts';
import type { Handler, ListOutcome, OperationAnswer } from './operation-answer.ts';
import { type OperationRequest, readRequest } from './read-request.ts';
import { type ListEnd, sendList } from './send-list.ts';
import { readTarget, TARGET_HEADER } from './sora-target.ts';

/** What the front needs. */
export interface OperatorFrontDoors {
  readonly live: LiveConfig;
  readonly timers: Timers;
  readonly logger: Logger;
  /** What carries out each operation of the contract, by name. */
  readonly handlers: ReadonlyMap<string, Handler>;
  /** Where an operation is carried out that belongs to the owner of a channel; null: here. */
  readonly ownerElsewhere: (channel: string) => string | null;
  /** Called once for each answer. */
  readonly count: (status: number) => void;
}

const SERVER: RawHeaders = ['server', 'arrokoth'];
const JSON_TYPE: RawHeaders = ['content-type', 'application/json'];
const NOTHING = '';

/** Answers what comes to `/`. */
export class OperatorFront {
  readonly #doors: OperatorFrontDoors;
  #underWay = 0;
  #lists = 0;

  constructor(doors: OperatorFrontDoors) {
    this.#doors = doors;
  }

  /** Whether a browser asks if its page may call; it shows no token then, and learns nothing. */
  isPreflight(request: HttpRequest): boolean {
    return request.method === 'OPTIONS' && this.#doors.live.current.api.corsOrigin !== null;
  }

  /** The headers of all answers of `/`, of refusals too. */
  get headers(): RawHeaders {
    const { corsOrigin } = this.#doors.live.current.api;
    if (corsOrigin === null) return [...JSON_TYPE, ...SERVER];
    return [
      'access-control-allow-headers',
      `Origin, X-Requested-With, Content-Type, Accept, ${TARGET_HEADER}`,
      'access-control-allow-methods',
      'POST, OPTIONS',
      'access-control-allow-origin',
      corsOrigin,
      'access-control-max-age',
      '1000',
      ...JSON_TYPE,
      ...SERVER,
    ];
  }

  /** Answers a request whose token is right. */
  handle(request: HttpRequest, response: HttpResponse): void {
    if (this.isPreflight(request)) return this.#send(response, 200, NOTHING);
    if (request.method !== 'POST') return this.#fail(response, 'UnexpectedMethod');
    const target = readTarget(request.header(TARGET_HEADER));
    if (!target.ok) return this.#fail(response, target.error);
    if (this.#underWay >= OPERATOR_LIMITS.operationsMax) return this.#fail(response, 'TooManyRequests');
    this.#underWay++;
    this.#read(request, response, (body) => {
      const asked = readRequest(target.value, body);
      if (asked.ok) return this.#carryOut(asked.value, response);
      this.#underWay--;
      this.#fail(response, asked.error.type, asked.error.reason);
    });
  }

  #read(request: HttpRequest, response: HttpResponse, then: (body: Uint8Array) => void): void {
    const { timers, live } = this.#doors;
    let isOver = false;
    const refuse = (type: GenericErrorType | null): void => {
      isOver = true;
      this.#underWay--;
      if (type === null) return;
      const { status } = GENERIC_ERRORS[type];
      this.#doors.count(status);
      response.sendLast(status, this.headers, JSON.stringify(genericErrorBody(type)));
    };
    // Half of what the listener gives a request, which would end without a word.
    const waitMs = Math.min(OPERATOR_LIMITS.bodyWaitMs, 3 * live.current.limits.handshakeTimeoutMs);
    const bound = timers.after(waitMs, () => refuse('RequestTimeout'));
    request.body(OPERATOR_LIMITS.bodyBytesMax, (body) => {
      bound.cancel();
      if (isOver) return;
      if (body.ok) then(body.value);
      else refuse(body.error === 'too_large' ? 'PayloadTooLarge' : null);
    });
  }

  #carryOut(asked: OperationRequest, response: HttpResponse): void {
    const done = this.#run(asked).then((answer) => this.#answer(answer, response));
    done
      .catch((failure: unknown) => {
        const { name } = asked.operation;
        this.#doors.logger.error({ failure, operation: name }, 'an operation of the operator failed');
        this.#fail(response, 'HandlerException');
      })
      .finally(() => {
        this.#underWay--;
      });
  }

  async #run({ operation, values }: OperationRequest): Promise<OperationAnswer> {
    const { handlers, ownerElsewhere } = this.#doors;
    const { channel_id: channel, redirect } = values;
    if (operation.runsOn === 'owner' && typeof channel === 'string' && redirect !== false) {
      const location = ownerElsewhere(channel);
      if (location !== null) return { type: 'elsewhere', location };
    }
    return (handlers.get(operation.name) as Handler)(values);
  }

  async #answer(answer: OperationAnswer, response: HttpResponse): Promise<void> {
    switch (answer.type) {
      case 'answer':
        return this.#send(response, 200, JSON.stringify(answer.value));
      case 'refused': {
        const { error, reason } = answer;
        const body = reason === undefined ? {} : { error_reason: reason };
        return this.#send(response, 400, JSON.stringify({ ...body, error_type: error }));
      }
      case 'elsewhere':
        this.#doors.count(307);
        return response.send(307, [...this.headers, 'location', answer.location], NOTHING);
      case 'busy':
        return this.#fail(response, 'TooManyRequests');
      case 'list':
        return this.#sendList(answer, response);
    }
  }

  async #sendList(list: ListOutcome, response: HttpResponse): Promise<void> {
    if (this.#lists >= OPERATOR_LIMITS.listsMax) return this.#fail(response, 'TooManyRequests');
    this.#lists++;
    try {
      const end: ListEnd = await sendList(response, this.headers, list, this.#doors.timers);
      if (end !== 'left') this.#doors.count(200);
      if (end === 'broken_off') this.#doors.logger.warn({}, 'a list for an operator broke off');
    } finally {
      this.#lists--;
    }
  }

  #fail(response: HttpResponse, type: GenericErrorType, reason?: unknown): void {
    this.#send(response, GENERIC_ERRORS[type].status, JSON.stringify(genericErrorBody(type, reason)));
  }

  #send(response: HttpResponse, status: number, body: string): void {
    this.#doors.count(status);
    response.send(status, this.headers, body);
  }
}
