/**
 * Keys whose value is text with a form: addresses, URLs, paths, header names, tokens.
 *
 * Everything here ends up in a request line, a header or a file name later, so that whatever could
 * break out of one (line ends, spaces, control characters) is refused here, once.
 */
import { z } from 'zod';
import { failed, ok, type Result } from '../../base/index.ts';
import { readOrigin } from '../../relay/index.ts';
import type { HeaderRule, TcpAddress } from '../config.ts';
import { quoteShort } from '../text/problem.ts';
import { Scalar } from '../text/scalar.ts';
import { describeShape, type FieldSpec, field, type Notes, textField } from './field.ts';
import { isHost, parseTcpAddress } from './tcp-address.ts';

const VISIBLE_ASCII = /^[\x21-\x7e]+$/;
const HEADER_NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,256}$/;
const HEADER_VALUE = /^[\t\x20-\x7e]{0,8192}$/;
const NODE_NAME = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}@(.+)$/;

/** Headers that frame an HTTP message or carry our own words; a key or channel cannot travel in them. */
const TAKEN_HEADERS =
  /^(host|connection|upgrade|transfer-encoding|(content|x-arrokoth)-.*|x-kuiperbelt-(endpoint|protocols?))$/;
/** Headers that Go's client writes by itself, whatever it is told; kuiperbelt cannot change them either. */
const FIXED_HEADERS = new Set(['host', 'content-length', 'transfer-encoding', 'trailer']);

/** Longest path of a unix socket that Linux takes. */
const SOCKET_PATH_BYTES_MAX = 107;
const TEXT_LENGTH_MAX = 4_096;

const NONE = 'none';

/** The path of one of our own endpoints. */
export function pathField(notes: Notes & { readonly fallback: string }) {
  return textField<string>({
    ...notes,
    type: 'path',
    defaultText: notes.fallback,
    check: (text) => {
      if (!VISIBLE_ASCII.test(text) || !text.startsWith('/') || text.length > TEXT_LENGTH_MAX) {
        return failed(`a path that starts with "/", such as ${notes.fallback}`);
      }
      if (/[?#]/.test(text)) return failed('a path without "?" and "#"');
      const dots = text.split('/').some((segment) => segment === '.' || segment === '..');
      // Requests for such paths are redirected to their clean form, so they would never match.
      return dots || text.includes('//') ? failed('a path without "//", "." and ".."') : ok(text);
    },
  });
}

/** The name of a header that carries session keys or channels. */
export function headerNameField(notes: Notes & { readonly fallback: string }) {
  return textField<string>({
    ...notes,
    type: 'header name',
    defaultText: notes.fallback,
    check: (text) => {
      if (!HEADER_NAME.test(text)) return failed(`a header name such as ${notes.fallback}`);
      return TAKEN_HEADERS.test(text.toLowerCase())
        ? failed('a header name that is not in use already')
        : ok(text);
    },
  });
}

/** A TCP address to listen on; null when the key is left out. */
export function listenField(notes: Notes) {
  return textField<TcpAddress | null>({
    ...notes,
    type: 'address',
    fallback: null,
    defaultText: NONE,
    check: (text) => {
      const address = parseTcpAddress(text);
      return address.ok ? address : failed(`an address such as ${notes.example} (${address.error})`);
    },
  });
}

/** The host part of the public listener; null means all interfaces. */
export function hostField(notes: Notes) {
  return textField<string | null>({
    ...notes,
    type: 'host',
    fallback: null,
    defaultText: 'all interfaces',
    check: (text) => {
      const host = text.replace(/^\[(.*)\]$/, '$1');
      return isHost(host) ? ok(host) : failed('an IP address or host name; the port stands in `port`');
    },
  });
}

/** A port; YAML integers and texts alike, as in kuiperbelt. */
export function portField(notes: Notes & { readonly fallback: number }) {
  return field<number>({
    ...notes,
    type: 'port',
    json: { type: ['integer', 'string'], minimum: 0, maximum: 65_535, default: notes.fallback },
    defaultText: String(notes.fallback),
    read: ({ text }) => {
      const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
      return port <= 65_535 ? ok(port) : failed('a port from 0 to 65535');
    },
  });
}

/** The origin of pages, in the one form in which browsers say it; null when the key is left out. */
export function corsOriginField(notes: Notes) {
  return textField<string | null>({
    ...notes,
    type: 'origin',
    fallback: null,
    defaultText: NONE,
    check: (text) => {
      const origin = readOrigin(text);
      return origin === null ? failed('an origin such as http://127.0.0.1:5000') : ok(origin);
    },
  });
}

/** The name of this node, `name@host`; null when the key is left out. */
export function nodeNameField(notes: Notes) {
  return textField<string | null>({
    ...notes,
    type: 'name@host',
    fallback: null,
    defaultText: 'derived from the host',
    check: (text) => {
      const host = NODE_NAME.exec(text)?.[1]?.replace(/^\[(.*)\]$/, '$1');
      return host !== undefined && isHost(host) ? ok(text) : failed(`a name such as ${notes.example}`);
    },
  });
}

type PathNotes = Notes & { readonly defaultText: string; readonly socket?: boolean };

/** The path of a file, folder or socket on this host; null when the key is left out. */
export function filePathField(notes: PathNotes) {
  return field(filePathSpec(notes));
}

/** How such a path is read, for entries of lists too. */
export function filePathSpec(notes: PathNotes): FieldSpec<string | null> {
  const bytesMax = notes.socket === true ? SOCKET_PATH_BYTES_MAX : TEXT_LENGTH_MAX;
  return {
    ...notes,
    type: 'file path',
    json: { type: ['string', 'integer'] },
    fallback: null,
    read: ({ text }) => {
      if (hasControlCharacter(text)) return failed('a path without control characters');
      return Buffer.byteLength(text) <= bytesMax ? ok(text) : failed(`a path of at most ${bytesMax} bytes`);
    },
  };
}

/** What a header of our own says, word for word; null when the key is left out. */
export function endpointField(notes: Notes) {
  return textField<string | null>({
    ...notes,
    type: 'text',
    fallback: null,
    defaultText: 'derived from the listener',
    check: (text) => {
      const fits = VISIBLE_ASCII.test(text) && text.length <= TEXT_LENGTH_MAX;
      return fits ? ok(text) : failed('visible ASCII characters without spaces, such as host:9180');
    },
  });
}

function hasControlCharacter(text: string): boolean {
  return [...text].some((character) => character < ' ' || character === '\x7f');
}

/** `proxy_set_header`: a mapping of header names to values. */
export function headerRulesField(notes: Notes) {
  return z
    .unknown()
    .optional()
    .transform((input, context): readonly HeaderRule[] => {
      if (input === undefined || (input instanceof Scalar && (input.empty || input.broken))) return [];
      if (input instanceof Scalar || Array.isArray(input)) {
        const message = `expected a mapping such as { X-Name: value }, got ${describeShape(input)}`;
        context.addIssue({ code: 'custom', message });
        return z.NEVER;
      }
      const rules: HeaderRule[] = [];
      const seen = new Set<string>();
      for (const [name, value] of Object.entries(input as Record<string, unknown>)) {
        const rule = seen.has(name.toLowerCase())
          ? failed(`the header ${quoteShort(name)} is given twice; header names do not know case`)
          : readHeaderRule(name, value);
        seen.add(name.toLowerCase());
        if (!rule.ok) context.addIssue({ code: 'custom', message: rule.error, path: [name] });
        else if (rule.value !== null) rules.push(rule.value);
      }
      return rules;
    })
    .meta({
      description: notes.description,
      type: 'object',
      additionalProperties: { type: ['string', 'number', 'boolean', 'null'] },
      'x-type': 'mapping',
      'x-default': NONE,
      'x-reason': notes.reason ?? '',
      'x-example': notes.example ?? '{}',
      'x-reload': notes.reload ?? 'restart',
    });
}

/** Null for a header that cannot be changed: kuiperbelt's files may name one, without effect. */
function readHeaderRule(name: string, value: unknown): Result<HeaderRule | null, string> {
  if (!HEADER_NAME.test(name)) return failed('expected a header name of letters, digits and -');
  if (!(value instanceof Scalar)) return failed(`expected a text, got ${describeShape(value)}`);
  if (FIXED_HEADERS.has(name.toLowerCase())) {
    value.remarks.push('this header cannot be set or removed; the rule has no effect');
    return ok(null);
  }
  if (value.empty || value.broken) return ok({ name, value: '' });
  if (!HEADER_VALUE.test(value.text)) {
    return failed('expected a header value: ASCII without line ends or control characters');
  }
  return ok({ name, value: value.text });
}
