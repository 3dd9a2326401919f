import { describe, expect, test } from 'vitest';
import { ArrokothError, ERRORS, type ErrorKind } from './errors.ts';

const table: [code: string, kind: ErrorKind][] = Object.entries(ERRORS);

function renderPage(): string {
  const rows = table.map(([code, kind]) => {
    const { httpStatus = '', closeCode = '', retryable, meaning, action } = kind;
    const again = retryable ? 'yes' : 'no';
    return `| \`${code}\` | ${httpStatus} | ${closeCode} | ${again} | ${meaning} | ${action} |\n`;
  });
  return `# Errors

<!-- Made from src/base/errors.ts; \`npx vitest run src/base/errors -u\` writes it anew. -->

Every failure that an operator, an application or a client can meet. The code stands in log lines and
in what a program says when it gives up; the HTTP status is that of the answer, the close code that of
the WebSocket. *Again* says whether the same attempt can succeed later without a change.

| Code | HTTP | Close | Again | What happened | What to do |
| --- | --- | --- | --- | --- | --- |
${rows.join('')}`;
}

describe('the table of errors', () => {
  test('is what docs/reference/errors.md says, and nothing else', async () => {
    await expect(renderPage()).toMatchFileSnapshot('../../docs/reference/errors.md');
  });

  test('speaks in whole sentences that a table can hold', () => {
    for (const [code, { meaning, action }] of table) {
      expect(code).toMatch(/^[A-Z][A-Z0-9_]+$/);
      for (const sentence of [meaning, action]) expect(sentence).toMatch(/^[^|\n]+\.$/);
    }
  });

  test('uses statuses and close codes that exist', () => {
    for (const [, { httpStatus, closeCode }] of table) {
      if (httpStatus !== undefined)
        expect(httpStatus).toSatisfy((status: number) => status >= 400 && status < 600);
      if (closeCode === undefined) continue;
      // RFC 6455 7.4: codes that a server may send.
      expect([1001, 1002, 1003, 1007, 1008, 1009, 1011, 1012, 1013]).toSatisfy(
        (codes: number[]) => codes.includes(closeCode) || (closeCode >= 4000 && closeCode < 5000),
      );
    }
  });
});

test('an error says what happened, the particulars, and what to do', () => {
  const cause = new Error('inner');
  const error = new ArrokothError('LISTEN_FAILED', 'It was 127.0.0.1:80.', { cause });
  expect(error.message).toBe(
    `${ERRORS.LISTEN_FAILED.meaning} It was 127.0.0.1:80. ${ERRORS.LISTEN_FAILED.action}`,
  );
  expect(error).toMatchObject({ code: 'LISTEN_FAILED', cause });
});
