/** A logger that keeps its lines, so that a test can ask what an operator would have read. */
import type { LogFields, Logger } from '../../src/base/index.ts';

/** One log line. */
export interface CollectedLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly fields: LogFields;
  readonly message: string;
}

/** Keeps lines of itself and of its children, in order. */
export class CollectedLog implements Logger {
  readonly debugEnabled = true;
  readonly lines: CollectedLine[];
  readonly #fields: LogFields;

  constructor(lines: CollectedLine[] = [], fields: LogFields = {}) {
    this.lines = lines;
    this.#fields = fields;
  }

  debug(fields: LogFields, message: string): void {
    this.#keep('debug', fields, message);
  }

  info(fields: LogFields, message: string): void {
    this.#keep('info', fields, message);
  }

  warn(fields: LogFields, message: string): void {
    this.#keep('warn', fields, message);
  }

  error(fields: LogFields, message: string): void {
    this.#keep('error', fields, message);
  }

  child(fields: LogFields): Logger {
    return new CollectedLog(this.lines, { ...this.#fields, ...fields });
  }

  /** Messages of one level. */
  messages(level: CollectedLine['level']): string[] {
    return this.lines.filter((line) => line.level === level).map((line) => line.message);
  }

  #keep(level: CollectedLine['level'], fields: LogFields, message: string): void {
    this.lines.push({ level, fields: { ...this.#fields, ...fields }, message });
  }
}
