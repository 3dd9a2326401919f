/**
 * Configuration files: kuiperbelt's as they are, and wrong ones that stop the start.
 *
 * What each key does is shown by the tests of its section; here is how files are read.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openWebSocket, startApplication, startNode, temporaryFolder } from '../support/index.ts';
import { ALL_WELL, ApplicationCalls, TEXT_TYPE } from './application-calls.ts';
import { runProgram } from './run-program.ts';

/** Every key of kuiperbelt behind the variables of its container image. */
const ENVIRONMENT_FILE = `
---
port: {{ env "EKBO_PORT" "9180" }}
path:
  connect: {{ env "EKBO_CONNECT_PATH" "/connect" }}
  close: {{ env "EKBO_CLOSE_PATH" "/close" }}
  stats: {{ env "EKBO_STATS_PATH" "/stats" }}
  send: {{ env "EKBO_SEND_PATH" "/send" }}
  ping: {{ env "EKBO_PING_PATH" "/ping" }}
callback:
  connect: {{ must_env "EKBO_CONNECT_CALLBACK_URL" }}
  establish: {{ env "EKBO_ESTABLISH_CALLBACK_URL" "" }}
  close: {{ env "EKBO_CLOSE_CALLBACK_URL" "" }}
  receive: {{ env "EKBO_RECEIVE_CALLBACK_URL" "" }}
  timeout: {{ env "EKBO_CALLBACK_TIMEOUT" "10s" }}
# Even here: {{ env "EKBO_PORT" "no port" }}
suppress_access_log: {{ env "EKBO_SUPPRESS_ACCESS_LOG" "false" }}
session_header: {{ env "EKBO_SESSION_HEADER_NAME" "X-Kuiperbelt-Session" }}
sock: {{ env "EKBO_UNIX_DOMAIN_SOCKET_FILENAME" "" }}
endpoint: {{ env "EKBO_SELF_ENDPOINT_URL" "" }}
strict_broadcast: {{ env "EKBO_STRICT_BROADCAST_MODE_SWITCH" "false" }}
proxy_set_header: {{ env "EKBO_PROXY_SET_HEADER" "{}" }}
send_timeout: {{ env "EKBO_SEND_TIMEOUT" "0s" }}
send_queue_size: {{ env "EKBO_SEND_QUEUE_SIZE" "0" }}
origin_policy: {{ env "EKBO_ORIGIN_POLICY" "none" }}
idle_timeout: {{ env "EKBO_IDLE_TIMEOUT" "0s" }}
`;

describe("kuiperbelt's files", () => {
  it('work as they are, with everything taken from the environment', async () => {
    const application = await startApplication({
      connect: () => ({ headers: ['X-Room-Key', 'k1'], body: 'hello' }),
    });
    const node = await startNode({
      config: ENVIRONMENT_FILE,
      env: {
        EKBO_PORT: '0',
        EKBO_CONNECT_PATH: '/ws',
        EKBO_SEND_PATH: '/api/send',
        EKBO_STATS_PATH: '/api/stats',
        EKBO_CONNECT_CALLBACK_URL: `${application.url}/connect`,
        EKBO_CLOSE_CALLBACK_URL: `${application.url}/close`,
        EKBO_SESSION_HEADER_NAME: 'X-Room-Key',
        EKBO_SELF_ENDPOINT_URL: 'push.example:9180',
        EKBO_STRICT_BROADCAST_MODE_SWITCH: 'true',
        EKBO_PROXY_SET_HEADER: '{ X-Zone: north, Cookie: "" }',
        EKBO_SEND_QUEUE_SIZE: '16',
      },
    });
    const client = await openWebSocket({
      port: node.addresses.public.port,
      path: '/ws',
      headers: ['Cookie', 'a=b'],
    });
    expect(await client.nextText()).toBe('hello');
    const [connect] = await application.waitFor('connect', 1);
    expect(connect?.header('X-Kuiperbelt-Endpoint')).toBe('push.example:9180');
    expect([connect?.header('X-Zone'), connect?.header('Cookie')]).toEqual(['north', undefined]);
    const calls = new ApplicationCalls(node.addresses.public);
    const sent = await calls.told('/api/send', { headers: ['X-Room-Key', 'k1'], body: 'one' });
    expect(sent).toEqual(ALL_WELL);
    expect(await client.nextText()).toBe('one');
    const refused = await calls.told('/api/send', { headers: ['X-Room-Key', 'k2'], body: 'two' });
    expect([refused.status, refused.type]).toEqual([400, TEXT_TYPE]);
    client.sendClose(1000);
    const [close] = await application.waitFor('close', 1);
    expect(close?.header('X-Room-Key')).toBe('k1');
    expect((await calls.told('/send')).status).toBe(404);
  });

  it('may speak the YAML of their time: yes, on, and durations as nanoseconds', async () => {
    const application = await startApplication();
    const node = await startNode({
      config: [
        'port: "0"',
        'endpoint: here',
        'strict_broadcast: yes',
        'suppress_access_log: On',
        'send_timeout: 1000000000',
        'idle_timeout: 3600000000000.9',
        `callback: { connect: "${application.url}/connect", timeout: 1m30s }`,
      ].join('\n'),
    });
    const calls = new ApplicationCalls(node.addresses.public);
    expect((await calls.send({ sessions: ['nope'] })).status).toBe(400);
    expect(node.log.items.some((line) => line.msg === 'access')).toBe(false);
  });

  it(`fill in \${VAR} too`, async () => {
    const application = await startApplication();
    const node = await startNode({
      config: [`port: \${PORT_OF_TEST:-0}`, `callback: { connect: "\${APP_OF_TEST}/connect" }`].join('\n'),
      env: { APP_OF_TEST: application.url },
    });
    await openWebSocket({ port: node.addresses.public.port, path: '/connect?key=k' });
    expect(application.calls('connect')).toHaveLength(1);
  });
});

/** Starts from a file with these lines and returns what the failed start said. */
async function refusal(lines: readonly string[], env: Record<string, string> = {}): Promise<string[]> {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'config.yml'), lines.join('\n'));
  const run = await runProgram('arrokoth', ['start', '--config', 'config.yml'], { cwd: folder, env });
  expect([run.code, run.stdout]).toEqual([1, '']);
  return run.stderr.trimEnd().split('\n');
}

/** Each wrong line, and what has to be said about it: the place of the value, the key, what was expected. */
const MISTAKES: [line: string, said: RegExp][] = [
  ['strict_broadcast: "true"', /^config\.yml:1:\d+ strict_broadcast: expected true or false.*"true"/],
  ['send_timeout: "10"', /^config\.yml:2:\d+ send_timeout: expected a duration such as .*"10"/],
  ['idle_timeout: soon', /^config\.yml:3:\d+ idle_timeout: expected a duration.*"soon"/],
  ['send_queue_size: -1', /^config\.yml:4:\d+ send_queue_size: expected .*0.*-1/],
  ['origin_policy: some', /^config\.yml:5:\d+ origin_policy: expected .*none.*same_origin.*"some"/],
  ['port: web', /^config\.yml:6:\d+ port: expected .*"web"/],
  ['session_header: "X Y"', /^config\.yml:7:\d+ session_header: expected .*"X Y"/],
  ['compat: old', /^config\.yml:8:\d+ compat: expected .*released.*documented.*"old"/],
  [
    'callback: { receive: "ftp://x", conect: "http://x" }',
    /^config\.yml:9:\d+ callback\.receive: expected .*http/,
  ],
  ['path: { stats: "stats" }', /^config\.yml:10:\d+ path\.stats: expected a path that starts with .*"stats"/],
  ['proxy_set_header: [1]', /^config\.yml:11:\d+ proxy_set_header: expected /],
  ['workers: 0', /^config\.yml:12:\d+ workers: expected .*1.*0/],
  ['limits: { message: 5 parsecs }', /^config\.yml:13:\d+ limits\.message: expected a size/],
  ['app: { listen: "0.0.0.0:9181" }', /^config\.yml:14:\d+ app\.listen: expected a token/],
  [
    'strict_brodcast: true',
    /^config\.yml:15:1 strict_brodcast: unknown key, did you mean strict_broadcast\?/,
  ],
];

describe('a wrong file', () => {
  it('stops the start; all mistakes are told by file, line, key and what was expected', async () => {
    const said = await refusal(MISTAKES.map(([line]) => line));
    for (const [line, pattern] of MISTAKES) {
      expect(
        said.filter((words) => pattern.test(words)),
        `${line}\n${said.join('\n')}`,
      ).toHaveLength(1);
    }
    expect(
      said.filter((words) => /^config\.yml:9:\d+ callback\.conect: .*callback\.connect\?/.test(words)),
    ).toHaveLength(1);
    expect(said).toHaveLength(MISTAKES.length + 1);
  });

  it('names keys that do not go together', async () => {
    const said = await refusal([
      'path: { send: "/x", ping: "/x" }',
      'workers: 1',
      'callback: { close_backoff: 2m }',
    ]);
    expect(said.sort()).toEqual([
      expect.stringMatching(/^config\.yml:1:\d+ path\.ping: expected a path of its own.*\/x.*path\.send/),
      expect.stringMatching(
        /^config\.yml:3:\d+ callback\.close_backoff: expected at most callback\.close_backoff_max/,
      ),
    ]);
    const headers = await refusal(['channel_header: x-kuiperbelt-SESSION']);
    expect(headers).toEqual([
      expect.stringMatching(/^config\.yml:1:\d+ channel_header: expected .*session_header/),
    ]);
  });

  it('names the variable that must be set', async () => {
    const said = await refusal(['port: 0', 'endpoint: {{ must_env "NOT_SET_IN_TESTS" }}']);
    expect(said).toHaveLength(1);
    expect(said[0]).toMatch(/^config\.yml:2:\d+: .*NOT_SET_IN_TESTS/);
  });

  it('names what is no YAML', async () => {
    const said = await refusal(['port: 0', 'path: { send: "/x"', 'workers: 1']);
    expect(said[0]).toMatch(/^config\.yml:[23]:\d+/);
  });

  it('names template actions that are not supported', async () => {
    const said = await refusal(['port: {{ if true }}1{{ end }}']);
    expect(said[0]).toMatch(/^config\.yml:1:\d+: .*"if" is not supported/);
  });
});
