/**
 * Which call a path means, as the original's server finds it.
 *
 * A cluster has the folder `/_clusterc/{id}/`, and what a path within ends with is the call. Paths
 * that are not clean are sent elsewhere first; of two clusters that fit, the longer name has it.
 */
import { METHODS, type Method } from './dialects.ts';

/** Below this lie the folders of all clusters. */
export const CLUSTERS_ROOT = '/_clusterc/';

/** Where a request goes. */
export type Route =
  | { readonly type: 'call'; readonly cluster: string; readonly method: Method }
  /** A folder without its slash, or a path with empty or dotted parts: there it should be asked. */
  | { readonly type: 'moved'; readonly location: string }
  | { readonly type: 'unknown_cluster' }
  /** Not a POST, or none of the six calls. */
  | { readonly type: 'bad_request' };

/** Finds the route of a path as sent, with its query or without. */
export function routeOf(
  request: { readonly method: string; readonly path: string; readonly query: string },
  clusters: Iterable<string>,
): Route {
  const path = decodePath(request.path);
  if (path === null) return { type: 'bad_request' };
  const query = request.query === '' ? '' : `?${request.query}`;
  const clean = cleanPath(path);
  if (clean !== path) return { type: 'moved', location: encodeURI(clean) + query };
  let found: string | null = null;
  for (const cluster of clusters) {
    const folder = `${CLUSTERS_ROOT}${cluster}`;
    if (path === folder) return { type: 'moved', location: `${encodeURI(folder)}/${query}` };
    if (!path.startsWith(`${folder}/`)) continue;
    if (found === null || cluster.length > found.length) found = cluster;
  }
  if (found === null) return { type: 'unknown_cluster' };
  const method = METHODS.find((name) => path.endsWith(name));
  if (request.method !== 'POST' || method === undefined) return { type: 'bad_request' };
  return { type: 'call', cluster: found, method };
}

/** Whether a cluster of this name can be addressed: its name goes into paths as it is. */
export function isClusterName(cluster: string): boolean {
  return /^[\x21-\x7e]+$/.test(cluster) && !/[?#%\\"<>^`{|}]/.test(cluster) && isClean(cluster);
}

function isClean(cluster: string): boolean {
  const path = `/${cluster}`;
  return cleanPath(path) === path && !path.endsWith('/');
}

function decodePath(path: string): string | null {
  if (!path.includes('%')) return path;
  try {
    return decodeURIComponent(path);
  } catch {
    return null;
  }
}

/** Without empty parts, `.` and `..`; a slash at the end stays. */
function cleanPath(path: string): string {
  if (!/\/\/|\/\.{1,2}(?:\/|$)/.test(path)) return path;
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  const clean = `/${parts.join('/')}`;
  return path.endsWith('/') && clean !== '/' ? `${clean}/` : clean;
}
