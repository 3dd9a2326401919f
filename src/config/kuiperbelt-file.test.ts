/** A file as kuiperbelt's users have it: every key from the environment, works as it is. */
import { describe, expect, it } from 'vitest';
import { parseConfig } from './load.ts';
import type { Environment } from './text/environment.ts';

const FILE = `# All settings come from the environment; {{ env "EKBO_NOTE" "none" }}
port: {{ env "EKBO_PORT" "9180" }}
sock: {{ env "EKBO_UNIX_DOMAIN_SOCKET_FILENAME" "" }}
endpoint: {{ env "EKBO_SELF_ENDPOINT_URL" "" }}
session_header: {{ env "EKBO_SESSION_HEADER_NAME" "X-Kuiperbelt-Session" }}
strict_broadcast: {{ env "EKBO_STRICT_BROADCAST_MODE_SWITCH" "false" }}
suppress_access_log: {{ env "EKBO_SUPPRESS_ACCESS_LOG" "false" }}
proxy_set_header: {{ env "EKBO_PROXY_SET_HEADER" "{}" }}
send_timeout: {{ env "EKBO_SEND_TIMEOUT" "0" }}
send_queue_size: {{ env "EKBO_SEND_QUEUE_SIZE" "0" }}
origin_policy: {{ env "EKBO_ORIGIN_POLICY" "none" }}
idle_timeout: {{ env "EKBO_IDLE_TIMEOUT" "0" }}
path:
  connect: {{ env "EKBO_CONNECT_PATH" "/connect" }}
  close: {{ env "EKBO_CLOSE_PATH" "/close" }}
  stats: {{ env "EKBO_STATS_PATH" "/stats" }}
  send: {{ env "EKBO_SEND_PATH" "/send" }}
  ping: {{ env "EKBO_PING_PATH" "/ping" }}
callback:
  connect: {{ must_env "EKBO_CONNECT_CALLBACK_URL" }}
  establish: "{{ env "EKBO_ESTABLISH_CALLBACK_URL" "" }}"
  close: {{ env "EKBO_CLOSE_CALLBACK_URL" "" }}
  receive: {{ env "EKBO_RECEIVE_CALLBACK_URL" "" }}
  timeout: {{ env "EKBO_CALLBACK_TIMEOUT" "10s" }}
`;

function load(env: Environment) {
  const outcome = parseConfig({ text: FILE, path: 'config.yml', env });
  if (!outcome.ok) throw new Error(JSON.stringify(outcome.error));
  return outcome.value.config;
}

describe("a container's configuration file", () => {
  it('has the defaults with nothing but the demanded variable', () => {
    const config = load({ EKBO_CONNECT_CALLBACK_URL: '' });
    const empty = parseConfig({ text: 'callback: { timeout: 10s }', path: '', env: {} });
    expect(empty.ok && empty.value.config).toEqual(config);
  });

  it('takes every variable', () => {
    const config = load({
      EKBO_NOTE: 'noted',
      EKBO_PORT: '80',
      EKBO_UNIX_DOMAIN_SOCKET_FILENAME: '/run/ekbo.sock',
      EKBO_SELF_ENDPOINT_URL: 'ekbo.example:80',
      EKBO_SESSION_HEADER_NAME: 'X-Session',
      EKBO_STRICT_BROADCAST_MODE_SWITCH: 'yes',
      EKBO_SUPPRESS_ACCESS_LOG: 'on',
      EKBO_PROXY_SET_HEADER: '{X-Forwarded-For: "", X-App: 3}',
      EKBO_SEND_TIMEOUT: '5s',
      EKBO_SEND_QUEUE_SIZE: '16',
      EKBO_ORIGIN_POLICY: 'same_hostname',
      EKBO_IDLE_TIMEOUT: '90s',
      EKBO_CONNECT_PATH: '/c',
      EKBO_CLOSE_PATH: '/x',
      EKBO_STATS_PATH: '/s',
      EKBO_SEND_PATH: '/m',
      EKBO_PING_PATH: '/p',
      EKBO_CONNECT_CALLBACK_URL: 'http://app/connect',
      EKBO_ESTABLISH_CALLBACK_URL: 'http://app/establish',
      EKBO_CLOSE_CALLBACK_URL: 'https://app/close?a=b',
      EKBO_RECEIVE_CALLBACK_URL: 'http://app:8080/receive',
      EKBO_CALLBACK_TIMEOUT: '1500ms',
    });
    expect(config).toMatchObject({
      port: 80,
      sock: '/run/ekbo.sock',
      endpoint: 'ekbo.example:80',
      sessionHeader: 'X-Session',
      strictBroadcast: true,
      suppressAccessLog: true,
      proxySetHeader: [
        { name: 'X-Forwarded-For', value: '' },
        { name: 'X-App', value: '3' },
      ],
      sendTimeoutMs: 5_000,
      slowClient: { queueMessagesMax: 16 },
      originPolicy: 'same_hostname',
      idleTimeoutMs: 90_000,
      path: { connect: '/c', close: '/x', stats: '/s', send: '/m', ping: '/p' },
      callback: {
        connect: ['http://app/connect'],
        establish: ['http://app/establish'],
        close: ['https://app/close?a=b'],
        receive: ['http://app:8080/receive'],
        timeoutMs: 1_500,
      },
    });
  });

  it('says which line demands a variable', () => {
    const outcome = parseConfig({ text: FILE, path: 'config.yml', env: {} });
    expect(outcome.ok ? [] : outcome.error).toMatchObject([
      { line: 20, column: 12, message: expect.stringContaining('"EKBO_CONNECT_CALLBACK_URL" is not set') },
    ]);
  });
});
