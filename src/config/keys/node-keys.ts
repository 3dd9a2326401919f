/**
 * The keys of the node itself: its name, its listeners and their paths, its end, its log.
 *
 * One entry a key: how it is read, what it means, and why its bounds are what they are.
 */
import { DEFAULTS } from '../../base/index.ts';
import { booleanField, choiceField, durationField } from '../fields/field.ts';
import {
  corsOriginField,
  filePathField,
  listenField,
  nodeNameField,
  pathField,
} from '../fields/text-fields.ts';
import { tokensField } from '../fields/tokens-field.ts';

const TOKEN_REASON = 'At least 16 characters are advised; empty is refused. At most 16 tokens.';
const PATH_REASON = 'Starts with `/`; all paths differ.';

/** The keys under `path:`. */
export const pathKeys = {
  connect: pathField({
    fallback: '/connect',
    description: 'Where clients connect.',
    reason: `${PATH_REASON} Not \`/\`.`,
    reload: 'live',
  }),
  send: pathField({
    fallback: '/send',
    description: 'Sends a message.',
    reason: PATH_REASON,
    reload: 'live',
  }),
  close: pathField({
    fallback: '/close',
    description: 'Ends connections.',
    reason: PATH_REASON,
    reload: 'live',
  }),
  subscribe: pathField({
    fallback: '/subscribe',
    description: 'Joins sessions to channels. Not in kuiperbelt.',
    reason: PATH_REASON,
    reload: 'live',
  }),
  unsubscribe: pathField({
    fallback: '/unsubscribe',
    description: 'Takes sessions out of channels. Not in kuiperbelt.',
    reason: PATH_REASON,
    reload: 'live',
  }),
  stats: pathField({
    fallback: '/stats',
    description: 'Counters of the node.',
    reason: `${PATH_REASON} Not \`/\`.`,
    reload: 'live',
  }),
  ping: pathField({
    fallback: '/ping',
    description: 'Says that the node lives.',
    reason: PATH_REASON,
    reload: 'live',
  }),
} as const;

/** The keys under `node:`. */
export const nodeKeys = {
  name: nodeNameField({
    description: 'Name of this node; its host part is also the host of the default `endpoint`.',
    reason: '`name@host`: letters, digits, `_`, `.`, `-`, then a host.',
    example: 'node-01@127.0.0.1',
  }),
  data_dir: filePathField({
    description: 'Folder of the session journals, from which owed close callbacks are sent after a crash.',
    reason: 'One node a folder.',
    defaultText: 'chosen by the start',
    example: './data',
  }),
} as const;

/** The keys under `app:`. */
export const appKeys = {
  listen: listenField({
    description:
      'A listener for the application: send, close, subscribe, unsubscribe and stats are here only.',
    reason: '`host:port`; beyond loopback a token is required.',
    example: '127.0.0.1:9181',
  }),
  token: tokensField({
    description:
      'Bearer token that the calls of the application must carry, wherever they are served; ' +
      'or a list of tokens, any of which will do.',
    reason: TOKEN_REASON,
    example: `"\${APP_TOKEN:-a-token-of-your-own}"`,
    reload: 'live',
  }),
  tls: booleanField({
    fallback: false,
    description: 'Whether this listener speaks TLS, with the certificates and `min_version` of `tls`.',
    reason: 'Needs `tls.certificates`. Client certificates are not asked for here.',
  }),
} as const;

/** The keys under `api:`. */
export const apiKeys = {
  listen: listenField({
    description: "The operator's listener: `POST /`, `/healthz`, `/readyz`, `/metrics`.",
    reason: '`host:port`; beyond loopback a token is required.',
    example: '127.0.0.1:3000',
  }),
  token: tokensField({
    description: "Bearer token of the operator's listener, or a list of tokens, any of which will do.",
    reason: TOKEN_REASON,
    example: `"\${API_TOKEN:-another-token-of-yours}"`,
    reload: 'live',
  }),
  cors_origin: corsOriginField({
    description: "The origin whose pages may read the answers of the operator's API, `POST /`.",
    reason:
      'An origin such as `http://127.0.0.1:5000`, as browsers say it. A token cannot be shown by pages.',
    example: 'http://127.0.0.1:5000',
    reload: 'live',
  }),
  tls: booleanField({
    fallback: false,
    description: 'Whether this listener speaks TLS, with the certificates and `min_version` of `tls`.',
    reason: 'Needs `tls.certificates`. Client certificates are not asked for here.',
  }),
} as const;

/** The keys under `drain:`. */
export const drainKeys = {
  timeout: durationField({
    fallbackMs: DEFAULTS.drainTimeoutMs,
    description:
      'How long a stop waits for close callbacks; what is still owed then is sent at the next start.',
    reason: 'Shorter than the patience of most process managers.',
    reload: 'live',
  }),
} as const;

/** The keys under `log:`. */
export const logKeys = {
  level: choiceField({
    choices: ['debug', 'info', 'warn', 'error'],
    fallback: 'info',
    description: 'The least severe lines that are written.',
    reload: 'live',
  }),
  headers: booleanField({
    fallback: false,
    description: 'Writes the headers of callbacks at level `debug`.',
    reason: 'They hold cookies and tokens.',
    reload: 'live',
  }),
  bodies: booleanField({
    fallback: false,
    description: 'Writes message bodies at level `debug`.',
    reason: 'They hold what users say.',
    reload: 'live',
  }),
} as const;
