/** Whole files: what they mean, and everything that is wrong with them, at its place. */
import { describe, expect, it } from 'vitest';
import type { Config } from './config.ts';
import { CONFIG_FILE_BYTES_MAX, parseConfig } from './load.ts';
import type { Environment } from './text/environment.ts';
import { formatProblems } from './text/problem.ts';

const open = '$' + '{';

function load(text: string, env: Environment = {}) {
  const outcome = parseConfig({ text, path: 'config.yml', env });
  if (!outcome.ok) throw new Error(formatProblems('config.yml', outcome.error).join('\n'));
  return outcome.value;
}

function config(text: string, env: Environment = {}): Config {
  return load(text, env).config;
}

function complaints(text: string, env: Environment = {}): string[] {
  const outcome = parseConfig({ text, path: 'config.yml', env });
  return outcome.ok ? [] : formatProblems('config.yml', outcome.error);
}

describe('an empty file', () => {
  it.each(['', '\n', '# nothing\n', 'null', '~', '{}', '\ufeff'])('%j has all defaults', (text) => {
    expect(config(text)).toEqual(config('port: 9180'));
  });

  it('has the defaults of kuiperbelt', () => {
    expect(config('')).toMatchObject({
      host: null,
      port: 9_180,
      sock: null,
      endpoint: null,
      sessionHeader: 'X-Kuiperbelt-Session',
      strictBroadcast: false,
      proxySetHeader: [],
      sendTimeoutMs: 0,
      originPolicy: 'none',
      idleTimeoutMs: 0,
      suppressAccessLog: false,
      callback: { connect: null, establish: null, receive: null, close: null, timeoutMs: 0 },
      path: { connect: '/connect', send: '/send', close: '/close', stats: '/stats', ping: '/ping' },
    });
  });

  it('survives JSON, as the workers get it', () => {
    expect(JSON.parse(JSON.stringify(config('')))).toEqual(config(''));
  });

  it('takes keys and groups without a value as absent', () => {
    const text = 'port:\nidle_timeout: ""\ncallback:\n  timeout: ~\npath: ""\nlog: null\nproxy_set_header:\n';
    expect(config(text)).toEqual(config(''));
  });
});

describe('values', () => {
  it('reads kuiperbelt durations, bare nanoseconds included', () => {
    expect(config('send_timeout: 1m30s\nidle_timeout: 2_000_000_000\n')).toMatchObject({
      sendTimeoutMs: 90_000,
      idleTimeoutMs: 2_000,
    });
    expect(config('send_timeout: 1500000.7\nidle_timeout: 10us')).toMatchObject({
      sendTimeoutMs: 2,
      idleTimeoutMs: 1,
    });
  });

  it('reads one token and lists of tokens', () => {
    const tokens = ['0123456789abcdef', 'fedcba9876543210'];
    expect(config(`app: { token: [${tokens}] }\napi: { token: ${tokens[0]} }`)).toMatchObject({
      app: { tokens },
      api: { tokens: tokens.slice(0, 1) },
    });
    const text = `app: { listen: ":9181", token: ["${open}A}", "${open}B}"] }`;
    expect(config(text, { A: tokens[0], B: tokens[1] }).app.tokens).toEqual(tokens);
  });

  it('reads sizes, addresses, headers and choices', () => {
    const text = [
      'limits: { message: 64KiB, body: 1MB, header: 2048 }',
      'app: { listen: "[::1]:9181", token: 0123456789abcdef }',
      'api: { listen: 127.0.0.1:0 }',
      'proxy_set_header: { X-A: 1, X-B: "", X-C: yes, X-D: }',
      'node: { name: node-01@127.0.0.1, data_dir: ./data }',
      'slow_client: { policy: drop_oldest }',
    ].join('\n');
    expect(config(text)).toMatchObject({
      limits: { messageBytesMax: 65_536, bodyBytesMax: 1_000_000, headerBytesMax: 2_048 },
      app: { listen: { host: '::1', port: 9_181 }, tokens: ['0123456789abcdef'] },
      api: { listen: { host: '127.0.0.1', port: 0 }, tokens: [] },
      proxySetHeader: [
        { name: 'X-A', value: '1' },
        { name: 'X-B', value: '' },
        { name: 'X-C', value: 'yes' },
        { name: 'X-D', value: '' },
      ],
      node: { name: 'node-01@127.0.0.1', dataDir: './data' },
      slowClient: { policy: 'drop_oldest' },
    });
  });

  it("lets kuiperbelt's queue size bound a queue besides our own bound", () => {
    const bound = (text: string) => config(text).slowClient.queueMessagesMax;
    expect(bound('send_queue_size: 16')).toBe(16);
    expect(bound('send_queue_size: 0\nslow_client: { queue_messages: 8 }')).toBe(8);
    expect(bound('send_queue_size: 16\nslow_client: { queue_messages: 8 }')).toBe(8);
  });

  it('never takes text for a number of base 60 or a boolean', () => {
    const text = 'endpoint: 10:30\nsession_header: yes\nsock: 017\nhost: on';
    expect(config(text)).toMatchObject({ endpoint: '10:30', sessionHeader: 'yes', sock: '017', host: 'on' });
  });

  it('understands anchors, aliases and merge keys', () => {
    const text =
      'drain: &t { timeout: 3s }\nping:\n  <<: *t\n  interval: 4s\n' +
      'path: { <<: [{ send: /a }, { send: /b, ping: /p }] }';
    expect(config(text)).toMatchObject({
      drain: { timeoutMs: 3_000 },
      ping: { timeoutMs: 3_000, intervalMs: 4_000 },
      path: { send: '/a', ping: '/p' },
    });
  });
});

describe('variables', () => {
  it('fill in typed keys, quoted or not', () => {
    const text =
      `workers: ${open}W}\nstrict_broadcast: "${open}B}"\n` +
      `drain: { timeout: "${open}D:-3s}" }\nport: ${open}P}`;
    expect(config(text, { W: '4', B: 'yes', P: '80' })).toMatchObject({
      workers: 4,
      strictBroadcast: true,
      drain: { timeoutMs: 3_000 },
      port: 80,
    });
  });

  it('cannot add structure, whatever they hold', () => {
    const value = `a\nport: 1\nworkers: 64 # {{ env "X" }} ${open}Y}`;
    const complaint = complaints(`endpoint: ${open}E}\n`, { E: value });
    expect(complaint).toHaveLength(1);
    expect(complaint[0]).toContain('config.yml:1:1 endpoint: expected visible ASCII');
  });

  it('are not looked for in what a template pasted', () => {
    const text = 'proxy_set_header: { X-A: \'{{ env "A" }}\' }';
    const rules = config(text, { A: `p$$${open}B}${open}C}` }).proxySetHeader;
    expect(rules).toEqual([{ name: 'X-A', value: `p$$${open}B}${open}C}` }]);
  });

  it('are named with their line when they are not set', () => {
    expect(complaints(`port: 1\napp:\n  token: ${open}NONE}\nworkers: 0`)).toEqual([
      'config.yml:3:10 app.token: the environment variable NONE is not set; ' +
        `set it, or write ${open}NONE:-default}`,
      'config.yml:4:1 workers: expected a whole number from 1 to 64 (without quotes), got "0"',
    ]);
  });

  it('may not leave a token empty', () => {
    expect(complaints(`app: { token: "${open}T}" }`, { T: '' })[0]).toContain('app.token: expected a token');
    expect(complaints('app: { token: {{ env "T" "" }} }')[0]).toContain('app.token: expected a token');
  });
});

describe('one wrong value', () => {
  it.each([
    ['strict_broadcast: "true"', 'expected true or false (without quotes), got the text "true"'],
    ['strict_broadcast: 1', 'expected true or false (without quotes), got "1"'],
    ['send_timeout: "10"', 'expected a duration such as 10s (the unit is missing), got the text "10"'],
    ['send_timeout: -1s', 'expected a duration that is not negative, got "-1s"'],
    ['send_timeout: -5', 'expected a duration that is not negative, got "-5"'],
    ['idle_timeout: 600h', 'expected a duration that is at most 576h, got "600h"'],
    ['isolation_timeout: 1ms', 'expected a duration that is at least 1s, got "1ms"'],
    ['send_queue_size: -1', 'expected a whole number from 0 to 1000000 (without quotes), got "-1"'],
    ['send_queue_size: 1.5', 'expected a whole number from 0 to 1000000 (without quotes), got "1.5"'],
    ['send_queue_size: "5"', 'expected a whole number from 0 to 1000000 (without quotes), got the text "5"'],
    ['workers: 65', 'expected a whole number from 1 to 64 (without quotes), got "65"'],
    ['port: http', 'expected a port from 0 to 65535, got "http"'],
    ['port: 65536', 'expected a port from 0 to 65535, got "65536"'],
    ['port: [1]', 'expected a single value, got a list'],
    ['port: { a: 1 }', 'expected a single value, got a mapping'],
    ['host: 127.0.0.1:80', 'the port stands in `port`, got "127.0.0.1:80"'],
    ['origin_policy: same-origin', 'same_hostname (did you mean same_origin?), got "same-origin"'],
    ['session_header: X Y', 'expected a header name such as X-Kuiperbelt-Session, got "X Y"'],
    ['session_header: Content-Type', 'expected a header name that is not in use already'],
    ['channel_header: x-kuiperbelt-session', 'expected a header other than session_header'],
    ['endpoint: a b', 'expected visible ASCII'],
    [`sock: ${'s'.repeat(108)}`, 'expected a path of at most 107 bytes'],
    ['sock: "a\\0b"', 'expected a path without control characters'],
    ['callback: http://x', 'expected a mapping of keys, got "http://x"'],
    ['callback: []', 'expected a mapping of keys, got a list'],
    ['proxy_set_header: x', 'expected a mapping such as { X-Name: value }, got "x"'],
  ])('%s', (text, message) => {
    const [complaint, ...others] = complaints(text);
    expect(complaint).toContain(`config.yml:1:1 ${text.slice(0, text.indexOf(':'))}: `);
    expect(complaint).toContain(message);
    expect(others).toEqual([]);
  });

  it.each([
    ['callback: { connect: /connect }', 'callback.connect: expected an absolute URL'],
    ['callback: { close: "ftp://a" }', 'callback.close: expected an absolute URL'],
    ['callback: { close: "http:a" }', 'callback.close: expected an absolute URL'],
    ['callback: { close: "http://u:secret@" }', 'got the text "http://***@"'],
    ['callback: { close_timeout: 0 }', 'expected a duration that is at least 1ms, got "0"'],
    [
      'callback: { close_backoff: 2m }',
      'callback.close_backoff: expected at most callback.close_backoff_max',
    ],
    ['limits: { header: 10 }', 'limits.header: expected a size from 1KiB to 16MiB, got "10"'],
    ['limits: { body: 1XB }', 'limits.body: expected a size such as 64KiB (XB is not one of'],
    ['path: { send: send }', 'path.send: expected a path that starts with "/", such as /send, got "send"'],
    ['path: { send: "/a?b" }', 'path.send: expected a path without "?" and "#"'],
    ['path: { send: /a/../b }', 'path.send: expected a path without "//", "." and ".."'],
    ['path: { connect: / }', 'path.connect: expected a path below "/"'],
    [
      'path: { send: /connect }',
      'path.send: expected a path of its own, got /connect, which is path.connect too',
    ],
    ['app: { listen: ":9181" }', 'app.listen: expected a token beside it, because :9181 can be reached'],
    ['api: { listen: "0.0.0.0:0" }', 'api.listen: expected a token beside it'],
    ['app: { listen: 9181 }', 'app.listen: expected an address such as 127.0.0.1:9181 (it is not host:port)'],
    ['app: { token: "" }', 'app.token: expected a token (leave the key out for none), got nothing'],
    ['app: { token: [] }', 'app.token: expected 1 to 16 tokens (leave the key out for none), got 0'],
    ['api: { token: [right, a secret] }', 'api.token.1: expected a token of 1 to 512 visible ASCII'],
    ['api: { token: [right, ""] }', 'api.token.1: expected a token (leave the key out for none)'],
    ['app: { token: { a: b } }', 'app.token: expected a single value, got a mapping'],
    ['app: { token: a secret }', 'app.token: expected a token of 1 to 512 visible ASCII characters'],
    ['node: { name: node }', 'node.name: expected a name such as node-01@127.0.0.1, got "node"'],
    ['node: { name: "a b@host" }', 'node.name: expected a name'],
    ['proxy_set_header: { X-A: [1] }', 'proxy_set_header.X-A: expected a text, got a list'],
    ['proxy_set_header: { X-A: "a\\r\\nb" }', 'proxy_set_header.X-A: expected a header value'],
    ['proxy_set_header: { "X A": a }', 'proxy_set_header.X A: expected a header name'],
    ['proxy_set_header: { X-A: a, x-a: b }', 'proxy_set_header.x-a: the header "x-a" is given twice'],
    ['{app: {listen: "127.0.0.1:1"}, api: {listen: "127.0.0.1:1"}}', 'api.listen: expected an address other'],
  ])('%s', (text, message) => {
    const [complaint, ...others] = complaints(text);
    expect(complaint).toContain(message);
    expect(others).toEqual([]);
  });

  it('never repeats a token', () => {
    expect(complaints('app: { token: "hunter 2" }').join()).not.toContain('hunter');
    expect(complaints('app: { token: ["hunter 2", hunter3] }').join()).not.toContain('hunter');
  });
});

describe('unknown keys', () => {
  it.each([
    ['prot: 1', 'config.yml:1:1 prot: unknown key, did you mean port?'],
    ['sendTimeout: 1s', 'config.yml:1:1 sendTimeout: unknown key, did you mean send_timeout?'],
    [
      'callback: { conect: x }',
      'config.yml:1:13 callback.conect: unknown key, did you mean callback.connect?',
    ],
    ['max_queued: 1', 'config.yml:1:1 max_queued: unknown key, did you mean callback.max_queued?'],
    ['log: { port: 1 }', 'config.yml:1:8 log.port: unknown key, did you mean port?'],
    ['log: { zzz: 1 }', 'config.yml:1:8 log.zzz: unknown key; known here are level, headers, bodies'],
    [
      '__proto__: 1',
      'config.yml:1:1 __proto__: unknown key; the reference of the configuration file lists all',
    ],
    [
      'log: { constructor: 1 }',
      'config.yml:1:8 log.constructor: unknown key; known here are level, headers, bodies',
    ],
  ])('%s', (text, expected) => {
    expect(complaints(text)).toEqual([expected]);
  });
});

describe('YAML', () => {
  it('reports duplicate keys', () => {
    expect(complaints('port: 1\nlog:\n  level: info\n  level: warn\nport: 2\n')).toEqual([
      'config.yml:4:3 log.level: the key "level" is given twice in one mapping; keep one of the two',
      'config.yml:5:1 port: the key "port" is given twice in one mapping; keep one of the two',
    ]);
  });

  it.each([
    ['port: 1\ncallback: [', 'config.yml:2:12: not valid YAML: '],
    ['port: 1\n\tworkers: 2', 'config.yml:2:1: not valid YAML: '],
    ['port: "1', 'config.yml:1:9: not valid YAML: '],
    [`a: { b: ${open}C} }`, `inside { } and [ ] a ${open}VAR} must stand in quotes`],
    ['- port: 1', 'config.yml:1:1: expected keys and values'],
    ['port', 'config.yml:1:1: expected keys and values'],
    ['port: 1\n---\nport: 2', 'config.yml:2:1: expected one YAML document, got several'],
    ['port: *none', 'config.yml:1:7 port: the alias *none has no anchor before it'],
    ['log: &a { level: *a }', 'config.yml:1:18 log.level: the alias *a has no anchor before it'],
    ['port: !foo 1', 'port: the tag "!foo" is not supported'],
    ['? [a]\n: 1', 'expected a plain key'],
    ['log: { <<: 1 }', 'config.yml:1:12 log: expected << to name a mapping'],
    ['a: &a [1]\nlog: { <<: *a }', 'expected << to name mappings'],
  ])('%j', (text, message) => {
    expect(complaints(text).join('\n')).toContain(message);
  });

  it('takes the explicit tags of YAML 1.1', () => {
    expect(config('port: !!str 80\nworkers: !!int 2')).toMatchObject({ port: 80, workers: 2 });
    expect(complaints('workers: !!str 2')[0]).toContain('got the text "2"');
  });

  it('bounds depth, aliases and size', () => {
    expect(complaints('['.repeat(500_000))).toEqual([
      'config.yml:1:17: the file is nested deeper than 16 levels',
    ]);
    expect(complaints('- '.repeat(100_000))[0]).toContain('nested deeper');
    const bomb = Array.from({ length: 12 }, (_, n) => `a${n + 1}: &a${n + 1} [${`*a${n},`.repeat(10)}]`).join(
      '\n',
    );
    expect(complaints(`a0: &a0 1\n${bomb}`)).toEqual([
      'config.yml:1:1: the file holds more than 5000 values, each alias counted where it is used',
    ]);
    expect(complaints('#'.repeat(CONFIG_FILE_BYTES_MAX))).toEqual([]);
    expect(complaints('#'.repeat(CONFIG_FILE_BYTES_MAX + 1))[0]).toContain('larger than');
  });
});

describe('places', () => {
  it('point into the file as it was written, not as the template left it', () => {
    const text =
      '{{/* three\nlines\n*/ -}}\n\nhost: {{ env "H" }}\n' +
      '# {{ env "X" "a\\n# b" }}\nworkers: {{ env "W" "x" }}\n';
    expect(complaints(text, { H: '127.0.0.1' })).toEqual([
      'config.yml:7:1 workers: expected a whole number from 1 to 64 (without quotes), got "x"',
    ]);
  });

  it('are those of the actions for mistakes in the template', () => {
    expect(complaints('port: 1\nhost: {{ if }}\n  {{ must_env "M" }}')).toEqual([
      expect.stringContaining('config.yml:2:7: the template action "if" is not supported'),
      expect.stringContaining('config.yml:3:3: the environment variable "M" is not set'),
    ]);
  });

  it('come in the order of the file, all at once', () => {
    const text = 'workers: 0\nlog:\n  level: loud\nprot: 1\ncallback:\n  timeout: abc\n  close: x\n';
    expect(complaints(text).map((line) => line.split(': ')[0])).toEqual([
      'config.yml:1:1 workers',
      'config.yml:3:3 log.level',
      'config.yml:4:1 prot',
      'config.yml:6:3 callback.timeout',
      'config.yml:7:3 callback.close',
    ]);
  });

  it('fit on one line each, whatever the file holds', () => {
    const [line, ...others] = complaints(`"a\\nb\\e[2J${'c'.repeat(1_000)}": 1`);
    expect(others).toEqual([]);
    expect(line).toContain('config.yml:1:1 a\ufffdb\ufffd[2Jccc');
    expect(line?.length).toBeLessThan(300);
  });

  it('stop being listed at a bound', () => {
    const text = Array.from({ length: 150 }, (_, n) => `key${n}: 1`).join('\n');
    const lines = complaints(text);
    expect(lines).toHaveLength(101);
    expect(lines.at(-1)).toBe('config.yml: and 50 more');
  });
});

describe('warnings', () => {
  const quiet = 'host: 127.0.0.1\ncallback: { connect: "http://127.0.0.1:1/connect" }\n';

  it('are absent for a sound file', () => {
    expect(load(quiet).warnings).toEqual([]);
  });

  it('tell that the calls stand open, unless something closes them', () => {
    const open = (text: string) =>
      load(text).warnings.some((warning) => warning.startsWith('host is not set'));
    expect(open('')).toBe(true);
    expect(open('app: { listen: 127.0.0.1:9181 }')).toBe(false);
    expect(open('app: { token: 0123456789abcdef }')).toBe(false);
    expect(open('sock: /run/a.sock')).toBe(false);
    expect(open('host: 0.0.0.0')).toBe(false);
  });

  it('tell that nobody can connect', () => {
    expect(load('host: 127.0.0.1').warnings).toEqual([
      'callback.connect is not set, so every connect is answered 500',
    ]);
  });

  it('stand at their line', () => {
    const text = `${quiet}idle_timeout: 10\napp: { token: short }\nproxy_set_header: { Host: a }\n`;
    const loaded = load(text);
    expect(loaded.warnings).toEqual([
      'config.yml:3:1 idle_timeout: 10 without a unit means nanoseconds, as in kuiperbelt; did you mean 10s?',
      'config.yml:4:8 app.token: the token is shorter than 16 characters; choose a longer one',
      'config.yml:5:21 proxy_set_header.Host: this header cannot be set or removed; the rule has no effect',
    ]);
    expect(loaded.config.idleTimeoutMs).toBe(1);
    expect(loaded.config.proxySetHeader).toEqual([]);
  });
});
