/**
 * The application as callbacks meet it: it keeps what it was asked and answers when it is told to.
 *
 * `answers` decides at once what most calls are told; what it leaves open waits for the test. As
 * with a real client no answer comes within the call that asks for it.
 */
import { failed, ok } from '../../src/base/index.ts';
import type { HttpAnswer, HttpCall, HttpClient, HttpFailure } from '../../src/net/index.ts';

type Done = Parameters<HttpClient['call']>[1];

/** An answer of the application; header lines are name, value, name, value. */
export interface AppAnswer {
  readonly status: number;
  readonly headers?: readonly string[];
  readonly body?: string;
}

/** One callback that arrived. */
export class AppCall {
  /** The path of its URL: `/connect`, `/close`, … */
  readonly path: string;
  readonly call: HttpCall;
  /** Which worker asked, as `slot.run`. */
  readonly asker: string;
  readonly #arrive: (happen: () => void) => void;
  #done: Done | null;

  constructor(asker: string, call: HttpCall, done: Done, arrive: (happen: () => void) => void) {
    this.path = new URL(call.url).pathname;
    this.call = call;
    this.asker = asker;
    this.#done = done;
    this.#arrive = arrive;
  }

  get open(): boolean {
    return this.#done !== null;
  }

  get body(): string {
    return Buffer.from(this.call.body ?? []).toString('latin1');
  }

  header(name: string): string | undefined {
    return headerLines(this.call.headers, name)[0];
  }

  answer(status: number, headers: readonly string[] = [], body = ''): void {
    const answer = httpAnswer({ status, headers, body });
    this.#settle((done) => done(ok(answer)));
  }

  fail(kind: HttpFailure['kind']): void {
    this.#settle((done) => done(failed({ kind, message: `the fake application is ${kind}` })));
  }

  /** Breaks off in the middle of the answer's body. */
  failAfterHead(status: number, headers: readonly string[]): void {
    const message = 'the fake application broke off';
    const head = httpAnswer({ status, headers, body: '' });
    this.#settle((done) => done(failed({ kind: 'malformed', message, head })));
  }

  /** Answers after the asker was told `timeout`. */
  answerLate(status: number, headers: readonly string[] = [], body = ''): void {
    const { lateAnswer } = this.call;
    this.#arrive(() => lateAnswer?.(ok(httpAnswer({ status, headers, body }))));
  }

  #settle(tell: (done: Done) => void): void {
    const done = this.#done;
    if (done === null) throw new Error(`the call of ${this.path} is answered already`);
    this.#done = null;
    this.#arrive(() => tell(done));
  }
}

/** Takes the callbacks of all workers of a node. */
export class FakeApplication {
  readonly calls: AppCall[] = [];
  /** Null leaves the call open until the test answers it. */
  answers: (call: AppCall) => AppAnswer | null = () => ({ status: 200 });
  #arriving: { readonly asker: string; readonly happen: () => void }[] = [];
  readonly #dead = new Set<string>();

  /** The client of one worker run. */
  client(asker: string): HttpClient {
    const client: Pick<HttpClient, 'call'> = {
      call: (call, done) => {
        if (this.#dead.has(asker)) return;
        const received = new AppCall(asker, call, done, (happen) => this.#arriving.push({ asker, happen }));
        this.calls.push(received);
        const answer = this.answers(received);
        if (answer !== null) received.answer(answer.status, answer.headers, answer.body);
      },
    };
    return client as HttpClient;
  }

  /** From now on nothing that this run asks arrives, and nothing that it is told is heard. */
  bury(asker: string): void {
    this.#dead.add(asker);
  }

  /** Lets the oldest answer arrive; false when there is none. */
  step(): boolean {
    const next = this.#arriving.shift();
    if (next === undefined) return false;
    if (!this.#dead.has(next.asker)) next.happen();
    return true;
  }

  to(path: string): AppCall[] {
    return this.calls.filter((call) => call.path === path);
  }

  /** The one call of `path` that is not answered yet. */
  open(path: string): AppCall {
    const open = this.to(path).filter((call) => call.open);
    if (open.length !== 1) throw new Error(`${open.length} calls of ${path} are open, not one`);
    return open[0] as AppCall;
  }

  /** Close events as they were told: key, reason and event id. */
  closeEvents(): { key: string; reason: string; id: string }[] {
    return this.to('/close').map((call) => ({
      key: call.header('X-Kuiperbelt-Session') ?? '',
      reason: call.header('X-Arrokoth-Reason') ?? '',
      id: call.header('X-Arrokoth-Event-Id') ?? '',
    }));
  }
}

function httpAnswer({ status, headers, body }: Required<AppAnswer>): HttpAnswer {
  return {
    status,
    rawHeaders: headers,
    header: (name) => headerLines(headers, name)[0],
    headerLines: (name) => headerLines(headers, name),
    body: Buffer.from(body, 'latin1'),
  };
}

/** Every value of `name` in a flat list of header lines. */
export function headerLines(headers: readonly string[], name: string): string[] {
  const values: string[] = [];
  for (let index = 0; index + 1 < headers.length; index += 2) {
    if (headers[index]?.toLowerCase() === name.toLowerCase()) values.push(headers[index + 1] as string);
  }
  return values;
}
