/**
 * The tutorial of kuiperbelt's manual, typed line by line: `nc` is the application, `wscat` the
 * client, `curl` the sender.
 *
 * The lines are the manual's but for the two port numbers, which may be taken here, and `-N`, which
 * makes today's `nc` hang up. One key is added to the file: `compat: documented`.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { freePort, requireProgram, temporaryFolder } from '../support/index.ts';
import { type Running, Terminal, untilListening } from './terminal.ts';

const absent = ['nc', 'curl', 'script'].filter((program) => requireProgram(program) === null);

const CONFIG = `---
# kuiperbelt listens on port 12345
port: 12345
# connect callbacks go to port 12346 of this host
callback:
  connect: "http://localhost:12346/connect"
`;
const APPLICATION =
  String.raw`( echo "HTTP/1.0 200 Ok\nX-Kuiperbelt-Session: alice"; echo; echo "Hello Kuiperbelt" ) ` +
  '| nc -N -l 12346';
const SERVER = 'ekbo -config=config.yml';
const CLIENT = 'wscat --connect http://localhost:12345/connect';
const SEND = `-d 'How are you doing?' http://localhost:12345/send`;
const TO_ALICE = `curl -XPOST -H'X-Kuiperbelt-Session: alice' ${SEND}`;
const TO_BOB = `curl -XPOST -H'X-Kuiperbelt-Session: bob' ${SEND}`;
const TO_BOTH = `curl -XPOST -H'X-Kuiperbelt-Session: alice' -H'X-Kuiperbelt-Session: bob' ${SEND}`;
const CLOSE = `curl -XPOST -H'X-Kuiperbelt-Session: alice' -d 'Bye' http://localhost:12345/close`;
const STATS = 'curl http://localhost:12345/stats';

const BOB_IS_NOT_THERE = '{"errors":[{"error":"session is not found.","session":"bob"}],';

/** The tutorial's two programs, running, with alice connected. */
interface Stage {
  readonly client: Running;
  readonly server: Running;
  type(line: string): Promise<string>;
}

async function setTheStage(furtherKeys: string): Promise<Stage> {
  const [port, applicationPort] = [await freePort(), await freePort()];
  const here = (text: string) =>
    text.replaceAll('12345', `${port}`).replaceAll('12346', `${applicationPort}`);
  const terminal = new Terminal(temporaryFolder());
  writeFileSync(join(terminal.folder, 'config.yml'), `${here(CONFIG)}compat: documented\n${furtherKeys}`);
  terminal.start(here(APPLICATION));
  await untilListening(applicationPort);
  const server = terminal.start(here(SERVER));
  await server.lines.first((line) => line.includes('node ready'), 30_000);
  const client = terminal.startOnScreen(here(CLIENT));
  await client.lines.first((line) => /^connected \(press CTRL\+C to quit\)$/i.test(line));
  await client.lines.first((line) => line === '< Hello Kuiperbelt');
  return { client, server, type: (line) => terminal.run(here(line)) };
}

describe.skipIf(absent.length > 0)("the manual's tutorial", () => {
  it('works line by line, from the first connection to the last farewell', async () => {
    const { client, server, type } = await setTheStage('');
    expect(await type(TO_ALICE)).toBe('{"result":"OK"}');
    await client.lines.first((line) => line === '< How are you doing?');
    expect(await type(TO_BOB)).toBe(`${BOB_IS_NOT_THERE}"result":"NG"}\n`);
    expect(await type(TO_BOTH)).toBe(`${BOB_IS_NOT_THERE}"result":"OK"}\n`);
    await client.lines.atLeast(2, (line) => line === '< How are you doing?');
    // The hello, two messages to alice; bob's went nowhere.
    expect(await type(STATS)).toBe(
      '{"connections":1,"total_connections":1,"total_messages":3,"connect_errors":0,' +
        '"message_errors":0,"closing_connections":0}\n',
    );
    expect(await type(CLOSE)).toBe('{"result":"OK"}');
    await client.lines.first((line) => line === '< Bye');
    await client.lines.first((line) => line === 'Disconnected (code: 1000, reason: "")');
    expect(await client.ended).toBe(0);
    expect(client.lines.items.filter((line) => line.startsWith('< '))).toEqual([
      '< Hello Kuiperbelt',
      '< How are you doing?',
      '< How are you doing?',
      '< Bye',
    ]);
    server.signal('SIGINT');
    await server.lines.first((line) => line.includes('node stopped'));
  });

  it('sends to nobody under strict_broadcast when somebody is missing', async () => {
    const { client, type } = await setTheStage('strict_broadcast: true\n');
    expect(await type(TO_BOTH)).toBe(`${BOB_IS_NOT_THERE}"result":"NG"}\n`);
    expect(await type(TO_BOB)).toBe(`${BOB_IS_NOT_THERE}"result":"NG"}\n`);
    expect(await type(CLOSE)).toBe('{"result":"OK"}');
    await client.ended;
    expect(client.lines.items.filter((line) => line.startsWith('< '))).toEqual([
      '< Hello Kuiperbelt',
      '< Bye',
    ]);
  });
});
