/** The calls of the guide about operating nodes, as they are printed but for the port. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { openWebSocket, ROOT, requireProgram, startApplication, startNode } from '../support/index.ts';

const GUIDE = readFileSync(join(ROOT, 'docs/guides/operating-nodes.md'), 'utf8');
const PRINTED = '127.0.0.1:3000';
/** Runs beside the application, which is in this process and has callbacks to answer. */
const run = promisify(execFile);
/** Each command with the answer below it. */
const EXAMPLES = [...GUIDE.matchAll(/```sh\n([^`]*)```\s+(?:[^`]*\s)?```json\n([^`]*)```/g)].map((match) => ({
  command: match[1] as string,
  answer: JSON.parse(match[2] as string) as unknown,
}));

/** `…` stands for what differs from run to run. */
function expected(printed: unknown): unknown {
  if (printed === '…') return expect.anything();
  if (Array.isArray(printed)) return printed.map(expected);
  if (typeof printed !== 'object' || printed === null) return printed;
  return Object.fromEntries(Object.entries(printed).map(([key, value]) => [key, expected(value)]));
}

it('does what the guide about operating nodes says', async () => {
  expect([requireProgram('curl'), requireProgram('http')]).not.toContain(null);
  expect(EXAMPLES.length).toBeGreaterThan(8);
  const application = await startApplication({
    connect: () => ({
      headers: ['X-Kuiperbelt-Session', 'alice', 'X-Kuiperbelt-Channel', 'lobby'],
      body: 'hello',
    }),
  });
  const node = await startNode({
    config: { workers: 2, api: { listen: '127.0.0.1:0' }, callback: application.callback },
  });
  const target = { port: node.addresses.public.port, path: '/connect?key=alice&channel=lobby' };
  const alice = await openWebSocket(target);
  expect(await alice.nextText()).toBe('hello');
  const place = `127.0.0.1:${node.addresses.api?.port}`;
  for (const { command, answer } of EXAMPLES) {
    const { stdout, stderr } = await run('sh', ['-ec', command.replaceAll(PRINTED, place)]);
    expect(stderr, command).toBe('');
    expect(JSON.parse(stdout), command).toEqual(expected(answer));
  }
  expect(await alice.closed).toMatchObject({ code: 1000 });
  expect(alice.frames.items.map(({ payload }) => payload.toString())).toContain(
    '{"type":"push","data":{"notice":"back in five minutes"}}',
  );
  const [told] = await application.waitFor('close', 1);
  expect(told?.header('X-Arrokoth-Reason')).toBe('operator');
});
