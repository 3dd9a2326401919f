/**
 * Which door a request knocks at (kuiperbelt 4).
 *
 * A listener passes only the paths that it serves: with `app.listen` set, the public listener has
 * no `/send`. Methods are not looked at; each door has its own answer to a wrong one.
 */
import { type OutgoingAnswer, statusAnswer } from './outgoing-answer.ts';

/** The doors of the gateway. */
export type RouteName = 'connect' | 'stats' | 'send' | 'close' | 'subscribe' | 'unsubscribe' | 'ping';

/** Configured paths of the doors that a listener serves. */
export type RoutePaths = { readonly [Name in RouteName]?: string };

/** Where a path leads. */
export type PathVerdict =
  | { readonly type: RouteName }
  | { readonly type: 'redirect'; readonly location: string }
  | { readonly type: 'not_found' };

/** The order decides between equal paths: kuiperbelt lets `connect` and `stats` hide the others. */
const ROUTES: readonly RouteName[] = [
  'connect',
  'stats',
  'send',
  'close',
  'subscribe',
  'unsubscribe',
  'ping',
];
const NOT_FOUND: PathVerdict = { type: 'not_found' };

/**
 * Finds the door for `path` (as sent, without its query). An exact match wins; else the longest
 * configured path that ends in `/` and starts the path; else nothing. A path that is not in its
 * shortest form is redirected to that.
 */
export function routePath(paths: RoutePaths, path: string): PathVerdict {
  // `OPTIONS *` names no path, and a configured path without a leading slash never matches.
  if (!path.startsWith('/')) return NOT_FOUND;
  for (const type of ROUTES) {
    if (paths[type] === path) return { type };
  }
  const decoded = decodePath(path);
  if (decoded === undefined) return NOT_FOUND;
  const clean = cleanPath(decoded);
  if (clean !== decoded) return { type: 'redirect', location: encodePath(clean) };
  return matchTree(paths, decoded);
}

/** The answer to `not_found`. */
export function notFoundAnswer(): OutgoingAnswer {
  return statusAnswer(404);
}

/** The answer to `redirect`; the query goes along. */
export function redirectAnswer(location: string, query: string): OutgoingAnswer {
  return statusAnswer(301, ['Location', query === '' ? location : `${location}?${query}`]);
}

function matchTree(paths: RoutePaths, path: string): PathVerdict {
  let best: RouteName | undefined;
  let bestLength = 0;
  let root: RouteName | undefined;
  for (const type of ROUTES) {
    const configured = paths[type];
    if (configured === undefined) continue;
    if (configured === path) return { type };
    if (configured === `${path}/`) root ??= type;
    if (configured.endsWith('/') && path.startsWith(configured) && configured.length > bestLength) {
      best = type;
      bestLength = configured.length;
    }
  }
  // A subtree that is asked for without its last slash is meant nevertheless.
  if (root !== undefined) return { type: 'redirect', location: encodePath(`${path}/`) };
  return best === undefined ? NOT_FOUND : { type: best };
}

/** Without empty, `.` and `..` segments; a slash at the end stays. */
function cleanPath(path: string): string {
  const segments: string[] = [];
  for (const segment of path.split('/')) {
    if (segment === '..') segments.pop();
    else if (segment !== '' && segment !== '.') segments.push(segment);
  }
  const clean = `/${segments.join('/')}`;
  return path.endsWith('/') && clean !== '/' ? `${clean}/` : clean;
}

function decodePath(path: string): string | undefined {
  if (!path.includes('%')) return path;
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}

function encodePath(path: string): string {
  return encodeURI(path).replaceAll('?', '%3F').replaceAll('#', '%23');
}
