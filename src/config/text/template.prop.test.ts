/** Whatever a file holds, the template gives text or problems that point into the file. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { renderTemplate } from './template.ts';

const fragment = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom(
    '{{',
    '}}',
    '{{-',
    '-}}',
    ' ',
    '\n',
    '"',
    '`',
    '\\',
    'env',
    'must_env',
    '"A"',
    '/*',
    '*/',
    '{',
  ),
);
const source = fc.array(fragment, { maxLength: 40 }).map((parts) => parts.join(''));

it('never throws, and every offset lies in the file', () => {
  fc.assert(
    fc.property(source, fc.string(), (text, value) => {
      const outcome = renderTemplate(text, { A: value });
      const offsets = outcome.ok
        ? Array.from({ length: outcome.value.text.length }, (_, at) => outcome.value.sourceOffset(at))
        : outcome.error.map((problem) => problem.offset);
      for (const offset of offsets) expect(offset >= 0 && offset <= text.length).toBe(true);
    }),
  );
});

it('leaves a file without actions as it is', () => {
  fc.assert(
    fc.property(
      source.filter((text) => !text.includes('{{')),
      (text) => {
        const outcome = renderTemplate(text, {});
        expect(outcome.ok && outcome.value.text).toBe(text);
      },
    ),
  );
});

it('pastes any value of a variable as it is', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1, unit: 'binary' }), (value) => {
      const outcome = renderTemplate('<{{ env "A" "B" }}>', { A: value });
      expect(outcome.ok && outcome.value.text).toBe(`<${value}>`);
    }),
  );
});

it('reads back any text that is quoted as Go quotes it', () => {
  fc.assert(
    fc.property(fc.string(), (value) => {
      const quoted = JSON.stringify(value).replaceAll('\u007f', '\\u007f');
      const outcome = renderTemplate(`{{ ${quoted} }}`, {});
      expect(outcome.ok && outcome.value.text).toBe(value);
    }),
  );
});
