/**
 * The whole configuration file as one zod schema: kuiperbelt's keys, ours, and what joins them.
 *
 * It takes the tree that `config-tree.ts` reads and gives checked values under the file's names;
 * `to-config.ts` turns those into `Config`. The reference page and the JSON Schema for editors are
 * made from the same objects.
 */
import { z } from 'zod';
import { DEFAULTS, LIMITS } from '../base/index.ts';
import type { TcpAddress } from './config.ts';
import { formatDuration } from './fields/duration.ts';
import { booleanField, choiceField, durationField, integerField } from './fields/field.ts';
import { originPolicyField } from './fields/origin-policy-field.ts';
import { formatTcpAddress, isLoopback } from './fields/tcp-address.ts';
import {
  endpointField,
  filePathField,
  headerNameField,
  headerRulesField,
  hostField,
  portField,
} from './fields/text-fields.ts';
import { trustedProxiesField } from './fields/trusted-proxies-field.ts';
import { callbackKeys, checkCallbackBackends } from './keys/callback-keys.ts';
import { checkCluster, checkClusterName, clusterKeys } from './keys/cluster-keys.ts';
import { compressionKeys } from './keys/compression-keys.ts';
import { group } from './keys/group.ts';
import { idempotencyKeys, limitKeys, pingKeys, slowClientKeys } from './keys/limit-keys.ts';
import { apiKeys, appKeys, drainKeys, logKeys, nodeKeys, pathKeys } from './keys/node-keys.ts';
import { checkOverload, overloadKeys } from './keys/overload-keys.ts';
import { tlsKeys } from './keys/tls-keys.ts';
import { checkTls } from './keys/tls-rules.ts';
import { checkUpstream, checkUpstreamTogether, upstreamKeys } from './keys/upstream-keys.ts';

/** Shorter silences happen to healthy workers. */
const HANG_TIMEOUT_MIN_MS = 2_000;

/** The keys that stand at the top level, most of them kuiperbelt's. */
export const topKeys = {
  host: hostField({
    description: 'Address of the public listener.',
    reason: "Absent, as in kuiperbelt's files: all interfaces, with a warning while the calls stand open.",
    example: '127.0.0.1',
  }),
  port: portField({
    fallback: DEFAULTS.port,
    description: 'Port of the public listener; `0` takes any free one.',
  }),
  sock: filePathField({
    description: 'Path of a unix socket that takes the place of `host` and `port`.',
    reason: 'At most 107 bytes, which is what Linux takes.',
    defaultText: 'none',
    socket: true,
    example: '""',
  }),
  endpoint: endpointField({
    description: 'What `X-Kuiperbelt-Endpoint` tells the application: where `/send` of this node is.',
    reason: 'Sent as it stands.',
    example: '127.0.0.1:9181',
    reload: 'live',
  }),
  session_header: headerNameField({
    fallback: DEFAULTS.sessionHeader,
    description: 'Header that carries session keys.',
    reason: 'Any case is understood.',
    reload: 'live',
  }),
  channel_header: headerNameField({
    fallback: DEFAULTS.channelHeader,
    description: 'Header that carries channel names. Not in kuiperbelt.',
    reason: 'Differs from `session_header`.',
    reload: 'live',
  }),
  strict_broadcast: booleanField({
    fallback: false,
    description: 'Refuses a `/send` or `/close` as a whole when it names an unknown session.',
    reload: 'live',
  }),
  proxy_set_header: headerRulesField({
    description: 'Headers that connect, establish and close callbacks carry; an empty value removes one.',
    reason: '`Host`, `Content-Length`, `Transfer-Encoding` and `Trailer` cannot be changed.',
    example: '{ X-Forwarded-By: arrokoth }',
    reload: 'live',
  }),
  send_timeout: durationField({
    fallbackMs: 0,
    description: 'How long `/send` and `/close` wait for other workers.',
    reason: '`0s` means the built-in bound.',
    reload: 'live',
  }),
  send_queue_size: integerField({
    fallback: 0,
    min: 0,
    max: 1_000_000,
    description: 'Messages that may wait for one client; `0` leaves it to `slow_client`.',
    reason: 'The smaller of the two bounds counts.',
    reload: 'live',
  }),
  origin_policy: originPolicyField({
    description: "Which browsers' pages may connect.",
    reason: 'A list of origins, such as `[https://chat.example]`, is not in kuiperbelt.',
    reload: 'live',
  }),
  trusted_proxies: trustedProxiesField({
    description:
      'Proxies whose `X-Forwarded-*` are believed; those of others are replaced. Not in kuiperbelt.',
    reason:
      "Addresses, ranges, or `unix` for peers of a unix socket. Left out, clients' `X-Forwarded-*` pass as " +
      'they are; `[]` trusts nobody. With `tls`, leaving it out means `[]`.',
    example: '[127.0.0.1, "2001:db8::/32"]',
    reload: 'live',
  }),
  proxy_protocol: choiceField({
    choices: ['off', 'required'],
    fallback: 'off',
    description:
      'Whether connections to the public listener begin with a PROXY protocol header, version 1 or 2. ' +
      'Not in kuiperbelt.',
    reason: '`required` needs `trusted_proxies`, and cuts whoever is not in it.',
  }),
  idle_timeout: durationField({
    fallbackMs: 0,
    description: 'Ends a connection on which nothing was said for this long; `0s`: never.',
    reason: "The node's own pings do not count as something said.",
    reload: 'live',
  }),
  suppress_access_log: booleanField({
    fallback: false,
    description: 'Leaves out the log line for each call of the application.',
    reload: 'live',
  }),
  compat: choiceField({
    choices: ['released', 'documented'],
    fallback: 'released',
    description: "Which of kuiperbelt's two answers an unknown session gets: the program's or its manual's.",
    reload: 'live',
  }),
  workers: integerField({
    fallback: 1,
    min: 1,
    max: 64,
    description: 'Gateway processes of this node.',
    reason: 'One for each core that is to serve clients.',
  }),
  isolation_timeout: durationField({
    fallbackMs: DEFAULTS.isolationTimeoutMs,
    minMs: 2 * LIMITS.grantPeriodMs,
    maxMs: 60_000,
    description: 'A worker that has not heard from its supervisor for this long admits nobody.',
    reason: 'At least two heartbeats, or one late heartbeat would stop a healthy node.',
    reload: 'live',
  }),
  worker_hang_timeout: durationField({
    reload: 'live',
    fallbackMs: DEFAULTS.workerHangTimeoutMs,
    maxMs: 3_600_000,
    description:
      'A worker that gives no sign of life for this long is killed and replaced; `0s`: never. ' +
      'Not in kuiperbelt.',
    reason: `\`0s\`, or at least ${formatDuration(HANG_TIMEOUT_MIN_MS)}: collecting garbage is no hang.`,
  }),
} as const;

/** The groups in the order in which the reference shows them. */
export const GROUPS = {
  callback: { description: 'Calls to the application.', keys: callbackKeys },
  upstream: {
    description: 'Who serves all other paths of the public listener. Not in kuiperbelt.',
    keys: upstreamKeys,
  },
  path: { description: 'Paths of our own endpoints.', keys: pathKeys },
  node: { description: 'Who this node is.', keys: nodeKeys },
  app: { description: 'Calls of the application. Not in kuiperbelt.', keys: appKeys },
  api: { description: 'The operator. Not in kuiperbelt.', keys: apiKeys },
  cluster: { description: 'The cluster that this node is for. Not in kuiperbelt.', keys: clusterKeys },
  tls: { description: 'TLS at the listeners. Not in kuiperbelt.', keys: tlsKeys },
  slow_client: {
    description: 'Clients that read more slowly than messages come. Not in kuiperbelt.',
    keys: slowClientKeys,
  },
  ping: { description: 'Pings to clients. Not in kuiperbelt.', keys: pingKeys },
  limits: { description: 'Bounds that protect the node. Not in kuiperbelt.', keys: limitKeys },
  compression: {
    description: 'Compressed messages (permessage-deflate). Not in kuiperbelt.',
    keys: compressionKeys,
  },
  idempotency: {
    description: 'Requests with an `Idempotency-Key`. Not in kuiperbelt.',
    keys: idempotencyKeys,
  },
  overload: { description: 'When a worker has too much to do. Not in kuiperbelt.', keys: overloadKeys },
  drain: { description: 'How the node stops. Not in kuiperbelt.', keys: drainKeys },
  log: { description: 'Log lines, on standard error. Not in kuiperbelt.', keys: logKeys },
} as const;

/** All that stands at the top level, groups included. */
export const fileKeys = {
  ...topKeys,
  callback: group(GROUPS.callback).superRefine(checkBackoff).superRefine(checkCallbackBackends),
  upstream: group(GROUPS.upstream).superRefine(checkUpstream),
  path: group(GROUPS.path).superRefine(checkPaths),
  node: group(GROUPS.node),
  app: group(GROUPS.app).superRefine(checkExposure),
  api: group(GROUPS.api).superRefine(checkExposure),
  cluster: group(GROUPS.cluster).superRefine(checkCluster),
  tls: group(GROUPS.tls),
  slow_client: group(GROUPS.slow_client),
  ping: group(GROUPS.ping),
  limits: group(GROUPS.limits),
  compression: group(GROUPS.compression),
  idempotency: group(GROUPS.idempotency),
  overload: group(GROUPS.overload).superRefine(checkOverload),
  drain: group(GROUPS.drain),
  log: group(GROUPS.log),
} as const;

/** The file: unknown keys are refused, absent ones take their default. */
export const fileSchema = z
  .strictObject(fileKeys)
  .superRefine(checkTogether)
  .superRefine(checkClusterName)
  .superRefine(checkTls)
  .superRefine(checkUpstreamTogether);

/** Checked values under the names of the file. */
export type FileValues = z.output<typeof fileSchema>;

/** The schema of the file for editors that complete and check YAML. */
export function configJsonSchema(): Record<string, unknown> {
  return z.toJSONSchema(fileSchema, {
    io: 'input',
    target: 'draft-7',
    unrepresentable: 'any',
    // Every key may be left out and has its default; zod cannot see either through our readers.
    override: ({ zodSchema, jsonSchema }) => {
      delete jsonSchema.required;
      const fallback = z.globalRegistry.get(zodSchema)?.default;
      if (fallback !== undefined) Object.assign(jsonSchema, { default: fallback });
    },
  });
}

type Issues = { addIssue(issue: { code: 'custom'; message: string; path?: PropertyKey[] }): void };

function checkBackoff(callback: { close_backoff: number; close_backoff_max: number }, issues: Issues): void {
  if (callback.close_backoff <= callback.close_backoff_max) return;
  const message = 'expected at most callback.close_backoff_max; lower this one or raise that one';
  issues.addIssue({ code: 'custom', message, path: ['close_backoff'] });
}

function checkPaths(paths: Readonly<Record<string, string>>, issues: Issues): void {
  const owners = new Map<string, string>();
  for (const [name, path] of Object.entries(paths)) {
    const owner = owners.get(path);
    if (owner !== undefined) {
      const message = `expected a path of its own, got ${path}, which is path.${owner} too`;
      issues.addIssue({ code: 'custom', message, path: [name] });
    }
    owners.set(path, owner ?? name);
    if (path === '/' && (name === 'connect' || name === 'stats')) {
      issues.addIssue({
        code: 'custom',
        message: `expected a path below "/", such as /${name}`,
        path: [name],
      });
    }
  }
}

function checkExposure(
  listener: { listen: TcpAddress | null; token: readonly string[] },
  issues: Issues,
): void {
  const { listen, token } = listener;
  if (listen === null || token.length > 0 || isLoopback(listen.host)) return;
  const address = formatTcpAddress(listen);
  const message =
    `expected a token beside it, because ${address} can be reached from other hosts; ` +
    'set token, or listen on 127.0.0.1';
  issues.addIssue({ code: 'custom', message, path: ['listen'] });
}

function checkTogether(
  file: {
    session_header: string;
    channel_header: string;
    proxy_protocol: 'off' | 'required';
    trusted_proxies: readonly string[] | null;
    worker_hang_timeout: number;
    app: { listen: TcpAddress | null };
    api: { listen: TcpAddress | null };
  },
  issues: Issues,
): void {
  if (file.session_header.toLowerCase() === file.channel_header.toLowerCase()) {
    const message = 'expected a header other than session_header';
    issues.addIssue({ code: 'custom', message, path: ['channel_header'] });
  }
  if (file.proxy_protocol === 'required' && (file.trusted_proxies ?? []).length === 0) {
    const message = 'expected trusted_proxies beside it: nobody else may connect then';
    issues.addIssue({ code: 'custom', message, path: ['proxy_protocol'] });
  }
  if (file.worker_hang_timeout > 0 && file.worker_hang_timeout < HANG_TIMEOUT_MIN_MS) {
    const message = `expected 0s, which is never, or at least ${formatDuration(HANG_TIMEOUT_MIN_MS)}`;
    issues.addIssue({ code: 'custom', message, path: ['worker_hang_timeout'] });
  }
  const { app, api } = file;
  if (app.listen === null || api.listen === null || app.listen.port === 0) return;
  if (formatTcpAddress(app.listen) === formatTcpAddress(api.listen)) {
    const message = 'expected an address other than that of app.listen';
    issues.addIssue({ code: 'custom', message, path: ['api', 'listen'] });
  }
}
