/** `origin_policy`: kuiperbelt's words, or a list of origins in the one form that browsers use. */
import { expect, it } from 'vitest';
import { parseConfig } from '../load.ts';

function load(text: string) {
  const outcome = parseConfig({ text, path: 'config.yml', env: { PAGE: 'https://chat.example' } });
  return outcome.ok ? outcome.value.config.originPolicy : outcome.error.map(({ message }) => message);
}

it.each([
  ['port: 0', 'none'],
  ['origin_policy:', 'none'],
  ['origin_policy: none', 'none'],
  ['origin_policy: "same_origin"', 'same_origin'],
  ['origin_policy: same_hostname', 'same_hostname'],
  [
    'origin_policy: [https://Chat.Example:443, http://localhost:8080]',
    ['https://chat.example', 'http://localhost:8080'],
  ],
  [`origin_policy: ["\${PAGE}", "capacitor://localhost"]`, ['https://chat.example', 'capacitor://localhost']],
  ['origin_policy: ["http://[::1]:80/"]', ['http://[::1]']],
])('takes %s', (text, policy) => {
  expect(load(text)).toEqual(policy);
});

const ORIGIN = 'expected an origin such as https://chat.example, without a path and without wildcards';
const POLICY = 'expected a list such as [https://chat.example] or one of none, same_origin, same_hostname';

it.each([
  ['all', `${POLICY}, got "all"`],
  ['"same-origin"', `${POLICY} (did you mean same_origin?), got the text "same-origin"`],
  ['https://chat.example', `${POLICY}, got "https://chat.example"`],
  ['{ a: b }', 'expected a single value, got a mapping'],
  ['[]', 'expected 1 to 100 origins, got 0'],
  [`[${'a://b, '.repeat(101)}]`, 'expected 1 to 100 origins, got 101'],
  ['["https://*.chat.example"]', `${ORIGIN}, got "https://*.chat.example"`],
  ['["*"]', `${ORIGIN}, got "*"`],
  ['[chat.example]', `${ORIGIN}, got "chat.example"`],
  ['[https://chat.example/room]', `${ORIGIN}, got "https://chat.example/room"`],
  ['["https://me@chat.example"]', `${ORIGIN}, got "https://me@chat.example"`],
  ['["null"]', `${ORIGIN}, got "null"`],
  ['[""]', `${ORIGIN}, got nothing`],
])('refuses %s', (text, problem) => {
  expect(load(`origin_policy: ${text}`)).toEqual([problem]);
});
