/** Go's template subset: values, texts, trim markers, comments, and what is refused. */
import { describe, expect, it } from 'vitest';
import type { Environment } from './environment.ts';
import { renderTemplate } from './template.ts';

function render(source: string, environment: Environment = {}): string {
  const outcome = renderTemplate(source, environment);
  if (!outcome.ok) throw new Error(outcome.error.map((problem) => problem.message).join('\n'));
  return outcome.value.text;
}

function problems(source: string, environment: Environment = {}) {
  const outcome = renderTemplate(source, environment);
  return outcome.ok ? [] : outcome.error;
}

describe('env', () => {
  it('takes the first variable that is not empty', () => {
    expect(render('{{ env "A" "B" "C" }}', { A: '', B: 'b', C: 'c' })).toBe('b');
  });

  it('gives the last argument as it stands when no variable is set', () => {
    expect(render('{{ env "A" "B" "default" }}')).toBe('default');
    expect(render('{{ env "HOST" }}')).toBe('HOST');
    expect(render('[{{ env "A" "" }}]')).toBe('[]');
    expect(render('[{{ env }}]')).toBe('[]');
  });

  it('expands a default that happens to name a variable', () => {
    expect(render('{{ env "A" "PATH" }}', { PATH: '/bin' })).toBe('/bin');
  });

  it('does not take inherited members of the environment for variables', () => {
    expect(render('{{ env "constructor" "toString" }}')).toBe('toString');
  });
});

describe('must_env', () => {
  it('takes a variable that is set, empty or not', () => {
    expect(render('[{{ must_env "A" }}{{must_env "B"}}]', { A: 'a', B: '' })).toBe('[a]');
  });

  it('refuses a variable that is not set, and other numbers of arguments', () => {
    expect(problems('{{ must_env "A" }}')[0]?.message).toContain('"A" is not set');
    expect(problems('{{ must_env "A" }}', { A: undefined })).toHaveLength(1);
    expect(problems('{{ must_env }}{{ must_env "A" "B" }}', { A: '1', B: '2' })).toHaveLength(2);
  });
});

describe('texts', () => {
  it('reads raw strings and strings with escapes', () => {
    expect(render('{{ `a\\n"` }}')).toBe('a\\n"');
    expect(render(String.raw`{{ "a\t\"\\\x41\101\u00e9\U0001F600}}" }}`)).toBe('a\t"\\AA\u00e9\u{1f600}}}');
    expect(render(String.raw`{{ "\xc3\xa9" }}`)).toBe('\u00e9');
  });

  it.each([
    [String.raw`{{ "\q" }}`, 'not an escape'],
    [String.raw`{{ "\ud800" }}`, 'not a character'],
    ['{{ "a\n" }}', 'not closed by "'],
    ['{{ "a', 'not closed by "'],
    ['{{ `a', 'not closed by `'],
    ['{{ "a" "b" }}', 'takes no arguments'],
  ])('refuses %j', (source, message) => {
    expect(problems(source)[0]?.message).toContain(message);
  });
});

describe('delimiters', () => {
  it('trims white space on the side of a minus', () => {
    expect(render('a \n{{- "x" -}}\t\n b')).toBe('axb');
    expect(render('a {{- "x" }} b')).toBe('ax b');
    expect(render('a {{ "x" -}} b')).toBe('a xb');
  });

  it('drops comments, over several lines too', () => {
    expect(render('a{{/* one\n{{ two }} */}}b {{- /* x */ -}} c')).toBe('abc');
  });

  it('runs inside the comments of YAML', () => {
    expect(problems('# {{ must_env "A" }}')).toHaveLength(1);
  });

  it.each([
    ['{{', 'not closed by }}'],
    ['{{ env "A"', 'not closed by }}'],
    ['{{/* a', 'not closed by */'],
    ['{{/* a */ b }}', 'must end with */}}'],
    ['{{ }}', 'is empty'],
    ['{{ .Values }}', '".Values" is not supported'],
    ['{{ if true }}x{{ end }}', '"if" is not supported'],
    ['{{ printf "%s" "x" }}', '"printf" is not supported'],
    ['{{ "x" | env }}', 'takes no arguments'],
    ['{{ env (env "A") }}', 'takes quoted names'],
    ['{{ env A }}', 'got "A"'],
  ])('refuses %j by name', (source, message) => {
    const [problem] = problems(source);
    expect(problem?.message).toContain(message);
    expect(problem?.offset).toBe(0);
  });

  it('reports every wrong action', () => {
    expect(problems('a\n{{ one }}\n{{ env "A" }}\n{{ two }}').map(({ offset }) => offset)).toEqual([2, 26]);
  });
});

describe('sourceOffset', () => {
  it('traces copied text to itself and pasted text to its action', () => {
    const source = 'a: {{ env "LONG" }} # {{- "" }}\nb';
    const outcome = renderTemplate(source, { LONG: 'x'.repeat(50) });
    if (!outcome.ok) throw new Error('expected text');
    const { text } = outcome.value;
    expect(outcome.value.sourceOffset(text.indexOf('x'))).toBe(3);
    expect(outcome.value.sourceOffset(text.lastIndexOf('x'))).toBe(3);
    expect(outcome.value.sourceOffset(text.indexOf('#'))).toBe(source.indexOf('#'));
    expect(outcome.value.sourceOffset(text.indexOf('b'))).toBe(source.indexOf('\nb') + 1);
    expect(outcome.value.sourceOffset(text.length)).toBe(source.length);
  });
});

it('bounds what the environment can make of a file', () => {
  const outcome = problems('{{ env "A" }}'.repeat(20), { A: 'x'.repeat(100_000) });
  expect(outcome[0]?.message).toContain('longer than');
});
