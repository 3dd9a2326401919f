import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { createLogger, type LogSeverity } from './logger.ts';

function record(level: LogSeverity = 'info') {
  const lines: Record<string, unknown>[] = [];
  const made = createLogger({
    level,
    base: { node: 'n@h', worker: 'gateway/0' },
    showSecrets: false,
    sink: { write: (line) => lines.push(JSON.parse(line)), flush: () => {} },
  });
  return { lines, ...made };
}

describe('createLogger', () => {
  test('writes one JSON object a line with level, time, node and worker as words', () => {
    const { lines, logger } = record();
    logger.info({ port: 1 }, 'hello');
    expect(lines).toEqual([
      {
        level: 'info',
        time: expect.stringMatching(/^\d{4}-.*Z$/),
        node: 'n@h',
        worker: 'gateway/0',
        port: 1,
        msg: 'hello',
      },
    ]);
  });

  test('drops what is below the level', () => {
    const { lines, logger } = record('warn');
    logger.debug({}, 'a');
    logger.info({}, 'b');
    logger.warn({}, 'c');
    logger.error({}, 'd');
    expect(lines.map((line) => line.msg)).toEqual(['c', 'd']);
    expect(logger.debugEnabled).toBe(false);
    expect(record('debug').logger.debugEnabled).toBe(true);
  });

  test('takes another level and `log.headers` over, children included', () => {
    const { lines, logger, adjust } = record();
    const child = logger.child({ connection: 'c1' });
    child.debug({}, 'a');
    adjust({ level: 'debug', showSecrets: true });
    child.debug({ cookie: 'x' }, 'b');
    expect([logger.debugEnabled, child.debugEnabled]).toEqual([true, true]);
    adjust({ level: 'error', showSecrets: false });
    logger.warn({}, 'c');
    child.error({ cookie: 'x' }, 'd');
    expect(lines.map(({ msg, cookie }) => [msg, cookie])).toEqual([
      ['b', 'x'],
      ['d', '[hidden]'],
    ]);
    expect([logger.debugEnabled, child.debugEnabled]).toEqual([false, false]);
  });

  test('a child adds its fields, scrubbed like all others', () => {
    const { lines, logger } = record();
    logger.child({ connection: 'c1', token: 'secret' }).child({ more: 1 }).warn({ cookie: 'x' }, 'hi');
    expect(lines[0]).toMatchObject({ connection: 'c1', token: '[hidden]', more: 1, cookie: '[hidden]' });
  });

  test('a process that floods its log and flushes loses no line and tears none', async () => {
    const file = new URL('./logger.ts', import.meta.url).href;
    const script = `
      const { createLogger } = await import(${JSON.stringify(file)});
      const { logger, flush } = createLogger({ level: 'info', base: {}, showSecrets: false });
      for (let index = 0; index < 2000; index++) logger.info({ index }, 'x'.repeat(100));
      flush();
      process.exit(0);`;
    const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let text = '';
    child.stderr.on('data', (chunk) => {
      text += chunk;
    });
    await once(child, 'close');
    const indexes = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).index as number);
    expect(indexes.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 2_000 }, (_, index) => index));
  });
});
