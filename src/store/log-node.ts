/**
 * One node of a replicated log: the driver, the user's state, the peers and the disk, joined.
 *
 * No rule of the protocol is here, and no promise but that of the port: `replicated-log.ts` puts
 * those on top. From the founding to the end.
 */
import { ArrokothError, IdSource, LOG_LIMITS, PEER_LIMITS } from '../base/index.ts';
import type { Configuration, KnownKinds, MemberName, Message, Notice, Restored } from '../consensus/index.ts';
import type { MasterOutcome, MasterRequest, PeerEvents } from '../peer/index.ts';
import { LineBudget } from '../relay/index.ts';
import { CodecState } from './codec-state.ts';
import { type Confirmed, ConfirmedReads } from './confirmed-reads.ts';
import { Discoveries } from './discoveries.ts';
import type { Outcome, Settled } from './doors.ts';
import { EmbeddedLog } from './embedded.ts';
import { answerForeign, type ForeignCallDoors } from './foreign-calls.ts';
import { ForeignFeeds } from './foreign-feed.ts';
import { FoundingPause, isBlank, saveBeginning, withParticipants } from './founding.ts';
import type { LogDoors, OpenedJournal, PeerPort } from './log-doors.ts';
import type { LogListeners } from './log-events.ts';
import { type LogMetrics, openLogMetrics } from './log-metrics.ts';
import type { LogMode, LogOptions } from './log-options.ts';
import { type LogReplica, type LogStatus, type Silence, statusOf } from './log-status.ts';
import { Submissions, type Submitted } from './submissions.ts';

interface Running {
  readonly replica: LogReplica;
  readonly driver: EmbeddedLog;
}

/** A node from its start to its end. */
export class LogNode<Change> {
  readonly #options: LogOptions<Change>;
  readonly #doors: LogDoors;
  readonly #listeners: LogListeners<Change>;
  readonly #mode: LogMode;
  readonly #knows: KnownKinds;
  readonly #ids: IdSource;
  readonly #state: CodecState<Change>;
  readonly #submissions: Submissions;
  readonly #reads: ConfirmedReads;
  readonly #feeds: ForeignFeeds;
  readonly #discoveries: Discoveries;
  readonly #metrics: LogMetrics;
  readonly #lines = new LineBudget(PEER_LIMITS.refusalLinesPerSecond);
  #opened: OpenedJournal | null = null;
  #port: PeerPort | null = null;
  #pause: FoundingPause | null = null;
  #running: Running | null = null;
  #isClosed = false;

  constructor(options: LogOptions<Change>, doors: LogDoors, listeners: LogListeners<Change>) {
    const { address, cluster, codec, mode = 'strict' } = options;
    const { timers, random, logger } = doors;
    this.#options = options;
    this.#doors = doors;
    this.#listeners = listeners;
    this.#mode = mode;
    this.#knows = { [codec.kind]: codec.version };
    this.#ids = new IdSource(doors);
    this.#state = new CodecState({ codec, state: options.state, events: this.#stateEvents() });
    this.#submissions = new Submissions({
      ...{ timers, random, self: address },
      master: () => this.#running?.replica.master ?? null,
      perform: (request, done) => this.#perform(request, done),
      ask: (to, request, done) => this.#transport.ask(to, request, done),
    });
    this.#reads = new ConfirmedReads({
      timers,
      read: (done) => {
        if (this.#running === null) done({ type: 'refused', master: null });
        else this.#running.driver.read(done);
      },
    });
    this.#feeds = new ForeignFeeds(
      { cluster, self: address },
      {
        transport: { callForeign: (to, call, done) => this.#transport.callForeign(to, call, done) },
        ...{ timers, logger, random: () => random.fraction() },
        startFailed: () => this.#metrics.startFailed(),
        snapshot: () => {
          return { index: this.#running?.driver.appliedIndex ?? 0, state: this.#state.snapshot() };
        },
      },
    );
    this.#discoveries = new Discoveries({
      ...{ mode, timers, logger },
      isMaster: () => this.#running?.replica.isConfirmedMaster === true,
      configuration: () => this.configuration,
      change: (change, done) => this.#running?.driver.changeMember(change, done),
    });
    this.#metrics = openLogMetrics(doors.meter, {
      status: () => this.status(),
      waiting: () => this.#running?.driver.figures ?? { dropped: 0, proposals: 0, reads: 0 },
    });
  }

  get configuration(): Configuration {
    return this.#running?.replica.configuration ?? { members: [] };
  }

  /** A request id that nobody has used before. */
  drawRequestId(): string {
    return this.#ids.next();
  }

  /** Opens the disk and the port, then takes part. Resolves when peers and callers are listened to. */
  async start(): Promise<void> {
    const opened = this.#doors.openJournal();
    if (!opened.ok) throw opened.error;
    this.#opened = opened.value;
    const { cluster, address, initMaster = false } = this.#options;
    const identity = { cluster, name: address, knows: this.#knows };
    try {
      this.#port = await this.#doors.openPeers(identity, this.#peerEvents());
    } catch (error) {
      await new Promise<void>((done) => opened.value.journal.close(done));
      throw error;
    }
    const { restored } = opened.value;
    if (initMaster && isBlank(restored)) this.#considerFounding(opened.value);
    else this.#run(opened.value, restored);
  }

  /** Carries one request out, here or at the master. */
  submit(request: MasterRequest, timeoutMs: number, done: (submitted: Submitted) => void): void {
    if (this.#isClosed) return done({ ok: false, error: closedError() });
    this.#submissions.submit(request, timeoutMs, (submitted) => {
      if (request.type === 'submit')
        this.#metrics.submitted(submitted.ok ? 'committed' : submitted.error.code);
      done(submitted);
    });
  }

  /** Waits until this node's state holds everything that was acknowledged before the call. */
  read(timeoutMs: number, done: (confirmed: Confirmed) => void): void {
    if (this.#isClosed) return done({ ok: false, error: closedError() });
    this.#reads.read(timeoutMs, (confirmed) => {
      this.#metrics.read(confirmed.ok ? 'ready' : confirmed.error.code);
      done(confirmed);
    });
  }

  /** Hands the mastership over; refused unless this node is the master. */
  transfer(to: MemberName | null, done: Settled): void {
    if (this.#running !== null) return this.#running.driver.transfer(to, done);
    done({ type: 'refused', reason: 'not_master', master: null, detail: 'this node is in no cluster yet' });
  }

  status(): LogStatus {
    const { cluster, address } = this.#options;
    return statusOf({
      ...{ cluster, address, mode: this.#mode, nowMs: this.#doors.clock.monotonicMs() },
      ...{ running: this.#running, isStopped: this.#isClosed, fed: this.#feeds.status() },
    });
  }

  /** Of a confirmed master: for how long each member was not heard of. Empty on other nodes. */
  silences(): ReadonlyMap<MemberName, Silence> {
    if (!this.#isConfirmedMaster) return new Map();
    const nowMs = this.#doors.clock.monotonicMs();
    const { progress } = this.#running?.replica ?? { progress: [] };
    return new Map(
      [...progress].map(({ name, heardMs, hasAnswered }) => {
        return [name, { silentMs: nowMs - heardMs, isHeard: hasAnswered }];
      }),
    );
  }

  /** Ends everything; what waits is refused. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#endWaiting(closedError());
    this.#isClosed = true;
    const { journal } = this.#opened ?? {};
    if (this.#running !== null) await new Promise<void>((done) => this.#running?.driver.close(done));
    else if (journal !== undefined) await new Promise<void>((done) => journal.close(done));
    await this.#port?.close();
  }

  get #transport() {
    if (this.#port === null) throw new ArrokothError('LOG_CLOSED', 'It has not started.');
    return this.#port.transport;
  }

  /** As the status says it, without the rest of a status: every submission asks. */
  get #isConfirmedMaster(): boolean {
    const { replica, driver } = this.#running ?? {};
    return replica?.isConfirmedMaster === true && driver?.impaired === null;
  }

  #considerFounding(opened: OpenedJournal): void {
    const { timers, logger } = this.#doors;
    const { foundingPauseMs = LOG_LIMITS.foundingPauseMs } = this.#options;
    this.#pause = new FoundingPause(timers, foundingPauseMs, (isFirst) => {
      this.#pause = null;
      if (isFirst) return this.#found(opened);
      logger.warn({}, 'the cluster exists already: this node joins it again instead of founding it');
      this.#run(opened, opened.restored);
    });
  }

  #found(opened: OpenedJournal): void {
    const { participants = [], address } = this.#options;
    const facts = { name: address, storage: opened.storage, knows: this.#knows };
    const founded = this.#doors.found({ ...facts, incarnation: this.#ids.next() });
    const beginning = withParticipants(founded, participants);
    saveBeginning(opened.journal, beginning, (error) => {
      if (this.#isClosed) return;
      if (error === null) return this.#run(opened, beginning);
      this.#stopped(new ArrokothError('LOG_DISK_FAILED', `${error.message}.`, { cause: error }));
    });
  }

  #run(opened: OpenedJournal, restored: Restored): void {
    const { clock, timers, logger, createReplica } = this.#doors;
    const { address, snapshotLogBytes } = this.#options;
    const facts = { name: address, storage: opened.storage, knows: this.#knows };
    const replica = createReplica({ ...facts, restored });
    const driver = new EmbeddedLog({
      ...{ replica, clock, timers, logger, journal: opened.journal, state: this.#state },
      ...(snapshotLogBytes === undefined ? {} : { snapshotLogBytes }),
      transport: this.#transport,
      events: {
        notice: (notice) => this.#heed(notice),
        saved: (tookMs) => this.#metrics.saved(tookMs),
        stopped: (error) => this.#stopped(error),
      },
    });
    this.#running = { replica, driver };
    driver.start();
  }

  #stateEvents() {
    return {
      applied: (entry: Parameters<ForeignFeeds['applied']>[0]) => this.#feeds.applied(entry),
      committed: (index: number, changes: readonly Change[]) =>
        this.#listeners.tell('committed', index, changes),
      undecodable: (index: number, error: Error) => {
        this.#metrics.undecodable();
        this.#doors.logger.error(
          { index, error: error.message },
          'a committed change cannot be read; skipped',
        );
        this.#listeners.tell('undecodable', index, error);
      },
    };
  }

  #peerEvents(): PeerEvents {
    const doors = this.#foreignCallDoors();
    return {
      receive: (from, message) => this.#receive(from, message),
      foreign: (call, reply) => answerForeign(call, doors, reply),
      asked: (request, reply) => {
        this.#perform(request, (outcome) =>
          reply(masterOutcome(outcome, this.#running?.replica.ballot ?? 0)),
        );
      },
      spokeForeign: (member) => this.#discoveries.spokeForeign(member),
    };
  }

  #receive(from: MemberName, message: Message): void {
    this.#pause?.receive(message);
    this.#running?.driver.receive(from, message);
  }

  #foreignCallDoors(): ForeignCallDoors {
    const { kind, version } = this.#options.codec;
    return {
      mode: this.#mode,
      timers: this.#doors.timers,
      isMember: () => ['voter', 'learner'].includes(this.#running?.replica.role ?? ''),
      isConfirmedMaster: () => this.#isConfirmedMaster,
      understands: (changes) => this.#state.understands(changes),
      propose: (changes, requestId, done) => {
        this.#running?.driver.propose({ type: 'changes', kind, version, requestId, changes }, done);
      },
      confirm: (done) => this.#running?.driver.read(done),
    };
  }

  /** As the master; a replica that is none says so. */
  #perform(request: MasterRequest, done: Settled): void {
    if (this.#running === null) {
      return done({ type: 'refused', reason: 'not_master', master: null, detail: 'in no cluster yet' });
    }
    const { driver } = this.#running;
    if (request.type === 'submit') {
      const { kind, version, requestId, changes } = request;
      driver.propose({ type: 'changes', kind, version, requestId, changes }, done);
    } else driver.changeMember({ type: request.type, name: request.member }, done);
  }

  #heed(notice: Notice): void {
    const { logger } = this.#doors;
    switch (notice.type) {
      case 'became_master':
        logger.info({ ballot: notice.ballot }, 'this node is the master');
        this.#feeds.begin(notice.ballot, this.configuration);
        return this.#listeners.tell('becameMaster', notice.ballot);
      case 'lost_master':
        logger.info({ ballot: notice.ballot }, 'this node is the master no longer');
        this.#feeds.end();
        return this.#listeners.tell('lostMaster', notice.ballot);
      case 'master_known':
        logger.info({ master: notice.master, ballot: notice.ballot }, 'the master is known');
        this.#metrics.masterChanged();
        this.#submissions.masterKnown(notice.master);
        return this.#reads.masterKnown();
      case 'configuration':
        logger.info(
          { index: notice.index, members: memberWords(notice.configuration) },
          'the members changed',
        );
        return this.#feeds.configure(notice.configuration);
      case 'removed':
        logger.warn({}, 'this node is no member of its cluster any more');
        return this.#listeners.tell('removed');
      case 'readmitted':
        return logger.info({}, 'this node has everything back that its disk had lost, and votes again');
      case 'contradicted':
        return this.#contradicted(notice);
      case 'unknown_kind':
        return;
    }
  }

  /** One of both is wrong, and an operator has to find out which: loud, but no louder for who sends more. */
  #contradicted({ from, ballot, detail }: Extract<Notice, { readonly type: 'contradicted' }>): void {
    const { logger, clock } = this.#doors;
    this.#metrics.contradicted();
    const omitted = this.#lines.take(clock.monotonicMs());
    if (omitted === null) return;
    const error = new ArrokothError('LOG_CONTRADICTED', `${from}, ballot ${ballot}: ${detail}.`);
    const fields = { code: error.code, member: from, ballot, detail, ...(omitted > 0 ? { omitted } : {}) };
    logger.error(fields, 'a member contradicts what is committed here; its message was refused');
    this.#listeners.tell('contradicted', error);
  }

  #stopped(error: ArrokothError): void {
    this.#endWaiting(error);
    this.#listeners.tell('stopped', error);
  }

  #endWaiting(error: ArrokothError): void {
    this.#pause?.cancel();
    this.#pause = null;
    this.#feeds.end();
    this.#submissions.close(error);
    this.#reads.close(error);
  }
}

function memberWords({ members }: Configuration): string[] {
  return members.map(({ name, role }) => `${name} (${role})`);
}

function closedError(): ArrokothError {
  return new ArrokothError('LOG_CLOSED', 'It was closed.');
}

function masterOutcome(outcome: Outcome, ballot: number): MasterOutcome {
  if (outcome.type === 'committed') return { type: 'done', index: outcome.index, ballot };
  const { reason, master, detail } = outcome;
  const retry = reason !== 'unknown_kind' && reason !== 'too_large' && reason !== 'members';
  return { type: 'refused', retry, master, detail };
}
