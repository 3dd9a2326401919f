/**
 * Keys about backends: lists of URLs, how their health is checked, and when one of them rests.
 *
 * Whoever has several backends uses these, so that their keys are called and bounded alike
 * everywhere. What the values do is a rule of `relay/` (`backends.ts`).
 */
import { z } from 'zod';
import { DEFAULTS, failed, LIMITS, ok } from '../../base/index.ts';
import type { BackendHealthConfig, BreakerConfig, StatusRange } from '../config.ts';
import { Scalar } from '../text/scalar.ts';
import {
  durationField,
  type FieldCard,
  type FieldSpec,
  integerField,
  type Notes,
  readField,
  textField,
} from './field.ts';

const VISIBLE_ASCII = /^[\x21-\x7e]+$/;
const TEXT_LENGTH_MAX = 4_096;
const STATUS = /^([1-5])(\d\d|xx)$/i;
const NONE = 'none';
const NOTHING = new Scalar('', { plain: true });

/** One URL or a list of them; null when the key is left out or empty. A list has no empty entries. */
export function backendUrlsField(notes: Notes & { readonly example: string }) {
  const kind = urlSpec(notes.example);
  const card: FieldCard = {
    description: notes.description,
    'x-type': 'URL, or list of URLs',
    'x-default': NONE,
    'x-reason': notes.reason ?? '',
    'x-example': notes.example,
    'x-reload': notes.reload ?? 'restart',
  };
  return z
    .unknown()
    .optional()
    .transform((input, context): readonly string[] | null => {
      const urls = Array.isArray(input) ? readList(kind, input, context) : readOne(kind, input, context);
      return urls.length === 0 ? null : urls;
    })
    .meta({ ...card, type: ['string', 'array'], items: { type: 'string' } });
}

function urlSpec(example: string): FieldSpec<string> {
  return {
    type: 'URL',
    description: '',
    json: {},
    fallback: '',
    defaultText: NONE,
    // A URL may hold a password.
    mask: (text) => text.replace(/\/\/.*@/, '//***@'),
    read: ({ text }) => (isHttpUrl(text) ? ok(text) : failed(`an absolute URL such as ${example}`)),
  };
}

function isHttpUrl(text: string): boolean {
  // The parser would silently drop spaces and accept "http:host", which Go's refuses.
  if (!VISIBLE_ASCII.test(text) || text.length > TEXT_LENGTH_MAX) return false;
  return /^https?:\/\/[^/?#]/i.test(text) && URL.canParse(text);
}

interface Issues {
  addIssue(issue: { code: 'custom'; message: string; path: PropertyKey[] }): void;
}

function readOne(kind: FieldSpec<string>, input: unknown, issues: Issues): string[] {
  const url = readField(kind, input);
  if (url.ok) return url.value === '' ? [] : [url.value];
  issues.addIssue({ code: 'custom', message: url.error, path: [] });
  return [];
}

function readList(kind: FieldSpec<string>, items: readonly unknown[], issues: Issues): string[] {
  if (items.length === 0 || items.length > LIMITS.backendsMax) {
    const range = `1 to ${LIMITS.backendsMax} URLs`;
    const message = `expected ${range} (leave the key out for none), got ${items.length}`;
    issues.addIssue({ code: 'custom', message, path: [] });
    return [];
  }
  const urls: string[] = [];
  const origins = new Set<string>();
  for (const [index, item] of items.entries()) {
    const url = readField({ ...kind, valueRequired: true }, item ?? NOTHING);
    if (!url.ok) {
      issues.addIssue({ code: 'custom', message: url.error, path: [index] });
      continue;
    }
    // A variable without a value was reported where it stands.
    if (url.value === '') continue;
    const { origin } = new URL(url.value);
    if (origins.has(origin)) {
      const message = `expected each scheme, host and port once, got ${origin} again`;
      issues.addIssue({ code: 'custom', message, path: [index] });
    }
    origins.add(origin);
    urls.push(url.value);
  }
  return urls;
}

/** Refuses lists that name more backends together than one of them may. */
export function checkBackends(lists: readonly (readonly string[] | null)[], issues: Issues): void {
  const origins = new Set(lists.flatMap((urls) => urls ?? []).map((url) => new URL(url).origin));
  if (origins.size <= LIMITS.backendsMax) return;
  const most = LIMITS.backendsMax;
  const message = `expected at most ${most} different backends in all lists, got ${origins.size}`;
  issues.addIssue({ code: 'custom', message, path: [] });
}

/** Which statuses are good: one, or a class of them. */
function statusField(notes: Notes & { readonly fallback: StatusRange; readonly defaultText: string }) {
  return textField<StatusRange>({
    ...notes,
    type: 'status',
    check: (text) => {
      const match = STATUS.exec(text);
      if (match === null) return failed('a status such as 200, or a class of them such as 2xx');
      const [, first, rest = ''] = match;
      if (/^\d/.test(rest)) return ok({ min: Number(text), max: Number(text) });
      return ok({ min: Number(first) * 100, max: Number(first) * 100 + 99 });
    },
  });
}

/** Where a check asks; null: it does not. */
function checkPathField(notes: Notes) {
  return textField<string | null>({
    ...notes,
    type: 'path',
    fallback: null,
    defaultText: NONE,
    check: (text) => {
      const fits = text.startsWith('/') && VISIBLE_ASCII.test(text) && text.length <= TEXT_LENGTH_MAX;
      return fits && !text.includes('#') ? ok(text) : failed('a path that starts with "/", such as /healthz');
    },
  });
}

/** A group `health` beside a list of backends. */
export const healthGroup = {
  description: 'Checks of each backend. Not in kuiperbelt.',
  keys: {
    path: checkPathField({
      description: 'Each backend is asked for this by `GET`, and spared while it does not answer well.',
      reason: 'None: backends are not checked. It may have a query.',
      example: '/healthz',
    }),
    interval: durationField({
      fallbackMs: DEFAULTS.healthIntervalMs,
      minMs: 100,
      maxMs: 3_600_000,
      description: 'Time between two checks of a backend, for each worker.',
      reason: 'A fifth of it is left to chance, so that workers do not check in step.',
    }),
    timeout: durationField({
      fallbackMs: DEFAULTS.healthTimeoutMs,
      minMs: 1,
      maxMs: 60_000,
      description: 'Bound of one check, from dialling to the last byte.',
    }),
    healthy_after: integerField({
      fallback: DEFAULTS.healthyAfter,
      min: 1,
      max: 100,
      description: 'Good checks in a row that bring a backend back.',
    }),
    unhealthy_after: integerField({
      fallback: DEFAULTS.unhealthyAfter,
      min: 1,
      max: 100,
      description: 'Bad checks in a row that take a backend out.',
      reason: 'When all backends are out, the checks are not believed, and all are asked.',
    }),
    status: statusField({
      fallback: { min: 200, max: 299 },
      defaultText: '2xx',
      description: 'The status of a good check: one, or a class of them.',
      reason: 'Redirects are not followed.',
    }),
  },
} as const;

/** A group `breaker` beside a list of backends. */
export const breakerGroup = {
  description: 'When a backend that fails is spared for a while. Not in kuiperbelt.',
  keys: {
    failures: integerField({
      fallback: DEFAULTS.breakerFailures,
      min: 0,
      max: 1_000,
      description: 'Failures in a row after which a backend rests; `0`: none do.',
      reason: 'No answer, or a status of 500 or more. A list of one backend never rests.',
    }),
    failure_percent: integerField({
      fallback: DEFAULTS.breakerFailurePercent,
      min: 0,
      max: 100,
      description: 'The share of failed calls within the window after which it rests; `0`: none.',
      reason: 'Catches a backend that fails now and then.',
    }),
    window: durationField({
      fallbackMs: DEFAULTS.breakerWindowMs,
      minMs: 100,
      maxMs: 3_600_000,
      description: 'Over how long the share is taken.',
    }),
    calls_min: integerField({
      fallback: DEFAULTS.breakerCallsMin,
      min: 1,
      max: 100_000,
      description: 'Calls within the window that it takes to speak of a share.',
    }),
    rest: durationField({
      fallbackMs: DEFAULTS.breakerRestMs,
      minMs: 10,
      maxMs: 3_600_000,
      description: 'The first rest; then one call tries the backend, and if it fails the rest doubles.',
      reason: 'Up to half of a rest is left to chance.',
    }),
    rest_max: durationField({
      fallbackMs: DEFAULTS.breakerRestMaxMs,
      minMs: 10,
      maxMs: 3_600_000,
      description: 'The longest rest.',
      reason: 'At least `rest`.',
    }),
  },
} as const;

/** The values of a `health` group under the names of the program. */
export function toBackendHealth(values: {
  readonly path: string | null;
  readonly interval: number;
  readonly timeout: number;
  readonly healthy_after: number;
  readonly unhealthy_after: number;
  readonly status: StatusRange;
}): BackendHealthConfig {
  return {
    path: values.path,
    intervalMs: values.interval,
    timeoutMs: values.timeout,
    healthyAfter: values.healthy_after,
    unhealthyAfter: values.unhealthy_after,
    status: values.status,
  };
}

/** The values of a `breaker` group under the names of the program. */
export function toBreaker(values: {
  readonly failures: number;
  readonly failure_percent: number;
  readonly window: number;
  readonly calls_min: number;
  readonly rest: number;
  readonly rest_max: number;
}): BreakerConfig {
  return {
    failuresInRow: values.failures,
    failureRate: values.failure_percent / 100,
    windowMs: values.window,
    windowCallsMin: values.calls_min,
    openMs: values.rest,
    openMaxMs: values.rest_max,
  };
}

/** Refuses a `breaker` group whose bounds contradict each other. */
export function checkBreaker(
  values: { readonly rest: number; readonly rest_max: number },
  issues: Issues,
): void {
  if (values.rest <= values.rest_max) return;
  const message = 'expected at most rest_max; lower this one or raise that one';
  issues.addIssue({ code: 'custom', message, path: ['rest'] });
}
