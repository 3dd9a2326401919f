/**
 * The figures of a replicated log, for operators.
 *
 * Names and meanings only; most are read when somebody asks and cost nothing until then.
 */
import type { Meter } from '../base/index.ts';
import type { LogStatus } from './log-status.ts';

/** What the figures that are read are made of. */
export interface LogFigures {
  readonly status: () => LogStatus;
  readonly waiting: () => { readonly dropped: number; readonly proposals: number; readonly reads: number };
}

/** The figures that are counted as things happen. */
export interface LogMetrics {
  saved(tookMs: number): void;
  masterChanged(): void;
  submitted(result: string): void;
  read(result: string): void;
  undecodable(): void;
  contradicted(): void;
  startFailed(): void;
}

const SAVE_BUCKETS = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5];

/** Makes the metrics of one log. */
export function openLogMetrics(meter: Meter, figures: LogFigures): LogMetrics {
  observe(meter, figures);
  const saves = meter.histogram({
    name: 'arrokoth_log_save_seconds',
    help: 'Time from handing entries or a promise to the disk until they are durable.',
    buckets: SAVE_BUCKETS,
  });
  const masters = meter.counter({
    name: 'arrokoth_log_master_changes_total',
    help: 'Masters that this node came to know, itself included.',
  });
  const submissions = meter.counter({
    name: 'arrokoth_log_submissions_total',
    help: 'Submissions through this node, by what became of them: `committed` or the code of an error.',
    labels: ['result'],
  });
  const reads = meter.counter({
    name: 'arrokoth_log_reads_total',
    help: 'Linearizable reads on this node, by what became of them: `ready` or the code of an error.',
    labels: ['result'],
  });
  const undecodable = meter.counter({
    name: 'arrokoth_log_undecodable_changes_total',
    help: 'Committed changes that the codec could not read, and that every member skipped.',
  });
  const contradictions = meter.counter({
    name: 'arrokoth_log_contradictions_total',
    help: 'Messages that were refused because they cannot be true beside what is committed here.',
  });
  const starts = meter.counter({
    name: 'arrokoth_log_foreign_starts_failed_total',
    help: 'Snapshots that a member of the original protocol refused, or did not get in time.',
  });
  return {
    saved: (tookMs) => saves.observe(tookMs / 1_000),
    masterChanged: () => masters.add(1),
    submitted: (result) => submissions.add(1, { result }),
    read: (result) => reads.add(1, { result }),
    undecodable: () => undecodable.add(1),
    contradicted: () => contradictions.add(1),
    startFailed: () => starts.add(1),
  };
}

function observe(meter: Meter, { status, waiting }: LogFigures): void {
  const gauge = (name: string, help: string, read: () => number): void =>
    meter.observed({ name, help, type: 'gauge' }, read);
  gauge('arrokoth_log_is_master', '1 on the confirmed master, else 0.', () => Number(status().isMaster));
  gauge('arrokoth_log_ballot', 'The ballot that this node is in.', () => status().ballot);
  gauge('arrokoth_log_commit_index', 'Up to here the log is decided, as far as this node knows.', () => {
    return status().commitIndex;
  });
  gauge('arrokoth_log_applied_index', 'Up to here the state has taken the log over.', () => {
    return status().appliedIndex;
  });
  gauge('arrokoth_log_durable_index', 'Up to here the log is on the disk of this node.', () => {
    return status().durableIndex;
  });
  gauge(
    'arrokoth_log_contact_age_seconds',
    'How long ago a majority is known to have been in contact with the master; -1: never.',
    () => {
      const { contactAgeMs } = status();
      return contactAgeMs === null ? -1 : contactAgeMs / 1_000;
    },
  );
  gauge('arrokoth_log_proposals_waiting', 'Proposals on this node that are not settled.', () => {
    return waiting().proposals;
  });
  gauge('arrokoth_log_reads_waiting', 'Reads on this node that are not answered.', () => waiting().reads);
  meter.observed(
    {
      name: 'arrokoth_log_messages_dropped_total',
      help: 'Messages of members that were dropped because more came in one turn than are kept.',
      type: 'counter',
    },
    () => waiting().dropped,
  );
  meter.observedEach(
    { name: 'arrokoth_log_members', help: 'Members by their role.', labels: ['role'] },
    () => {
      const { members } = status();
      return (['voter', 'learner', 'foreign'] as const).map((role) => {
        return [{ role }, members.filter((member) => member.role === role).length] as const;
      });
    },
  );
}
