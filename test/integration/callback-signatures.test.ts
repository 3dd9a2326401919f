/**
 * Signed callbacks of a real node, verified by the very snippets that the guide prints.
 *
 * Each snippet is cut out of docs/guides/callbacks.md and run by its own interpreter behind a
 * driver of a few lines, which feeds it requests as they arrived, and requests that were tampered with.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  type Application,
  type Callback,
  openWebSocket,
  ROOT,
  requireProgram,
  startApplication,
  startNode,
  temporaryFolder,
} from '../support/index.ts';

const OLD = 'the-old-signing-key-0123456789abcdef';
const NEW = 'the-new-signing-key-0123456789abcdef';
const ALIEN = 'somebody-elses-key-0123456789abcdef0';
const GUIDE = readFileSync(join(ROOT, 'docs/guides/callbacks.md'), 'utf8');

/** A request at an application, and what its verifier is told besides. Bytes are base64. */
interface Case {
  readonly method: string;
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly keys: readonly string[];
  readonly now: number;
}

interface Language {
  readonly heading: string;
  readonly program: string;
  readonly snippet: string;
  readonly driver: string;
  /** Reads cases from standard input, prints a list of verdicts; nonces are remembered in between. */
  readonly code: string;
}

const LANGUAGES: readonly Language[] = [
  {
    heading: 'Node.js',
    program: 'node',
    snippet: 'verify.mjs',
    driver: 'driver.mjs',
    code: `
import { readFileSync } from 'node:fs';
import { verify } from './verify.mjs';
const seen = new Set();
const isFirstUse = (nonce, seconds) => seconds === 600 && !seen.has(nonce) && Boolean(seen.add(nonce));
const verdicts = JSON.parse(readFileSync(0, 'utf8')).map(({ method, target, headers, body, keys, now }) => {
  const entries = Object.entries(headers).map(([k, v]) => [k, Buffer.from(v, 'base64').toString('latin1')]);
  const request = { method, url: target, headers: Object.fromEntries(entries) };
  return verify(request, Buffer.from(body, 'base64'), keys, isFirstUse, now);
});
console.log(JSON.stringify(verdicts));`,
  },
  {
    heading: 'Python',
    program: 'python3',
    snippet: 'verify.py',
    driver: 'driver.py',
    code: `
import base64, json, sys
from verify import verify
seen = set()
def is_first_use(nonce, seconds):
    first = seconds == 600 and nonce not in seen
    seen.add(nonce)
    return first
verdicts = []
for case in json.load(sys.stdin):
    headers = {k: base64.b64decode(v).decode("latin-1") for k, v in case["headers"].items()}
    body = base64.b64decode(case["body"])
    request = (case["method"], case["target"], headers, body)
    verdicts.append(verify(*request, case["keys"], is_first_use, case["now"]))
print(json.dumps(verdicts))`,
  },
  {
    heading: 'PHP',
    program: 'php',
    snippet: 'verify.php',
    driver: 'driver.php',
    code: `<?php
require __DIR__ . '/verify.php';
$seen = [];
$isFirstUse = function ($nonce, $seconds) use (&$seen) {
    $first = $seconds === 600 && !isset($seen[$nonce]);
    $seen[$nonce] = true;
    return $first;
};
$verdicts = [];
foreach (json_decode(file_get_contents('php://stdin'), true) as $case) {
    $server = ['REQUEST_METHOD' => $case['method'], 'REQUEST_URI' => $case['target']];
    foreach ($case['headers'] as $name => $value) {
        $variable = strtoupper(strtr($name, '-', '_'));
        $server[$name === 'content-type' ? $variable : "HTTP_$variable"] = base64_decode($value);
    }
    $body = base64_decode($case['body']);
    $verdicts[] = arrokoth_verify($server, $body, $case['keys'], $isFirstUse, $case['now']);
}
echo json_encode($verdicts);`,
  },
  {
    heading: 'Ruby',
    program: 'ruby',
    snippet: 'verify.rb',
    driver: 'driver.rb',
    code: `
require "json"
require_relative "verify"
seen = {}
first_use = lambda do |nonce, seconds|
  first = seconds == 600 && !seen.key?(nonce)
  seen[nonce] = true
  first
end
verdicts = JSON.parse($stdin.read).map do |one|
  env = { "REQUEST_METHOD" => one["method"] }
  one["headers"].each do |name, value|
    variable = name.upcase.tr("-", "_")
    env[name == "content-type" ? variable : "HTTP_#{variable}"] = value.unpack1("m")
  end
  arrokoth_verify(env, one["target"], one["body"].unpack1("m"), one["keys"], first_use, one["now"])
end
puts JSON.generate(verdicts)`,
  },
];

/** The first code block below a heading. */
function snippetUnder(heading: string): string {
  const section = GUIDE.slice(GUIDE.indexOf(`\n### ${heading}\n`));
  const match = /\n```\w+\n([\s\S]*?)\n```\n/.exec(section);
  if (match === null) throw new Error(`the guide has no code under ${heading}`);
  return match[1] as string;
}

function verdictsOf(language: Language, program: string, cases: readonly Case[]): boolean[] {
  const folder = temporaryFolder();
  writeFileSync(join(folder, language.snippet), `${snippetUnder(language.heading)}\n`);
  writeFileSync(join(folder, language.driver), language.code);
  const run = spawnSync(program, [join(folder, language.driver)], {
    cwd: folder,
    input: JSON.stringify(cases),
    encoding: 'utf8',
    env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1' },
  });
  if (run.status !== 0) throw new Error(`${program} ended with ${run.status}: ${run.stderr}`);
  return JSON.parse(run.stdout) as boolean[];
}

const timestampOf = (callback: Callback): number => Number(callback.header('X-Arrokoth-Timestamp'));
const base64 = (text: string): string => Buffer.from(text, 'latin1').toString('base64');

function caseOf(callback: Callback): Case {
  const headers: Record<string, string> = {};
  for (let index = 0; index + 1 < callback.rawHeaders.length; index += 2) {
    const name = (callback.rawHeaders[index] as string).toLowerCase();
    headers[name] ??= base64(callback.rawHeaders[index + 1] as string);
  }
  return {
    method: callback.method,
    target: callback.url,
    headers,
    body: callback.body.toString('base64'),
    keys: [NEW, OLD],
    now: timestampOf(callback),
  };
}

/** Everything that must be refused although most of it is genuine. */
function forgeriesOf(genuine: Case): Case[] {
  const withHeader = (name: string, value: string): Case => ({
    ...genuine,
    headers: { ...genuine.headers, [name]: base64(value) },
  });
  const without = (name: string): Case => {
    const { [name]: _gone, ...headers } = genuine.headers;
    return { ...genuine, headers };
  };
  const signed = ['timestamp', 'nonce', 'signature'].map((name) => `x-arrokoth-${name}`);
  return [
    { ...genuine, body: base64(`${Buffer.from(genuine.body, 'base64').toString('latin1')}!`) },
    { ...genuine, method: 'PUT' },
    { ...genuine, target: '/other' },
    { ...genuine, keys: [ALIEN] },
    { ...genuine, keys: [] },
    { ...genuine, now: genuine.now + 301 },
    { ...genuine, now: genuine.now - 301 },
    withHeader('x-arrokoth-timestamp', String(genuine.now + 1)),
    withHeader('x-arrokoth-timestamp', ` ${genuine.now}\n`),
    withHeader('x-arrokoth-timestamp', 'yesterday'),
    withHeader('x-arrokoth-nonce', 'another'),
    withHeader('x-arrokoth-connection', 'another'),
    withHeader('x-arrokoth-event-id', 'another.closed'),
    withHeader('x-arrokoth-reason', 'another'),
    withHeader('x-arrokoth-close-code', '4999'),
    withHeader('x-kuiperbelt-session', 'mallory'),
    withHeader('x-kuiperbelt-endpoint', 'mallory.example:80'),
    withHeader('content-type', 'application/x-forged'),
    withHeader('x-arrokoth-signature', ''),
    withHeader('x-arrokoth-signature', 'v1=, v1, \u00e9\u00ff, v2=00'),
    withHeader('x-arrokoth-signature', `v1=${'0'.repeat(64)}`),
    ...signed.map(without),
  ];
}

describe('signed callbacks', () => {
  let callbacks: Callback[] = [];
  let closes: Callback[] = [];
  let log = '';

  beforeAll(async () => {
    const application: Application = await startApplication();
    const { callback } = application;
    const node = await startNode({
      config: { callback: { ...callback, signing_keys: [`\${SIGNING_KEY}`, OLD], close_backoff: '1ms' } },
      env: { SIGNING_KEY: NEW },
    });
    application.handlers.close = () => ({ status: application.calls('close').length === 1 ? 500 : 200 });
    const client = await openWebSocket({
      port: node.addresses.public.port,
      path: '/connect?key=sch%C3%B6n&x=%2F%20y;z',
      headers: ['X-Arrokoth-Signature', 'v1=forged', 'X-Arrokoth-Nonce', 'forged', 'Content-Type', 'a/b'],
    });
    await application.waitFor('establish', 1);
    client.sendText('gr\u00fc\u00dfe');
    client.sendBinary(Uint8Array.of(0, 10, 13, 255));
    client.sendText('');
    await application.waitFor('receive', 3);
    client.sendClose(4001, 'enough');
    closes = await application.waitFor('close', 2);
    callbacks = (['connect', 'establish', 'receive'] as const).flatMap((kind) => application.calls(kind));
    callbacks.push(...closes);
    await node.stop();
    log = JSON.stringify(node.log.items);
  });

  it('carry one signature each, a nonce of their own, and the time', () => {
    expect(callbacks.map(({ kind }) => kind).join()).toBe(
      'connect,establish,receive,receive,receive,close,close',
    );
    expect(callbacks[1]?.session).toBe('sch\u00f6n');
    for (const callback of callbacks) {
      expect(callback.headerLines('X-Arrokoth-Signature')).toEqual([
        expect.stringMatching(/^v1=[0-9a-f]{64}$/),
      ]);
      expect(callback.headerLines('X-Arrokoth-Timestamp')).toEqual([expect.stringMatching(/^\d{10}$/)]);
    }
    expect(new Set(callbacks.map((callback) => callback.header('X-Arrokoth-Nonce'))).size).toBe(
      callbacks.length,
    );
  });

  it('repeat a close event under a new nonce and signature', () => {
    const [first, second] = closes as [Callback, Callback];
    expect(second.header('X-Arrokoth-Event-Id')).toBe(first.header('X-Arrokoth-Event-Id'));
    expect(second.header('X-Arrokoth-Nonce')).not.toBe(first.header('X-Arrokoth-Nonce'));
    expect(second.header('X-Arrokoth-Signature')).not.toBe(first.header('X-Arrokoth-Signature'));
  });

  it('leave no key in the log', () => {
    for (const key of [OLD, NEW]) expect(log).not.toContain(key);
  });

  describe.each(LANGUAGES)('are verified by the guide in $heading', (language) => {
    const program = language.program === 'node' ? process.execPath : requireProgram(language.program);

    it.skipIf(program === null)('when genuine, once; when tampered with, never', () => {
      for (const callback of callbacks) {
        const genuine = caseOf(callback);
        const forgeries = forgeriesOf(genuine);
        // A second signature before the genuine one, and both ends of the time that is allowed.
        const signature = `v1=${'0'.repeat(64)}, ${callback.header('X-Arrokoth-Signature')}`;
        const headers = { ...genuine.headers, 'x-arrokoth-signature': base64(signature) };
        const late = { ...genuine, headers, now: genuine.now + 300 };
        const verdicts = verdictsOf(language, program as string, [...forgeries, late, genuine, ...forgeries]);
        const refused = forgeries.map(() => false);
        expect(verdicts, callback.kind).toEqual([...refused, true, false, ...refused]);
      }
    });

    it.skipIf(program === null)('with the old key as long as it is accepted', () => {
      const cases = callbacks.map((callback) => ({ ...caseOf(callback), keys: [ALIEN, NEW] }));
      expect(verdictsOf(language, program as string, cases)).toEqual(callbacks.map(() => true));
    });
  });
});
