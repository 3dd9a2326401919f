/**
 * From the names of the file to the names of the program.
 *
 * Hardly more than renaming: every value was read and checked by `schema.ts`. What an operator
 * should know about a valid file, because it is open or useless as it stands, is said by `adviseOn`.
 */

import type { Config } from './config.ts';
import { toBackendHealth, toBreaker } from './fields/backends-fields.ts';
import { toCluster } from './keys/cluster-keys.ts';
import { toUpstream } from './keys/upstream-keys.ts';
import type { FileValues } from './schema.ts';

/** The configuration that `file` describes. */
export function toConfig(file: FileValues): Config {
  return {
    host: file.host,
    port: file.port,
    sock: file.sock,
    tls: toTls(file.tls),
    endpoint: file.endpoint,
    sessionHeader: file.session_header,
    channelHeader: file.channel_header,
    strictBroadcast: file.strict_broadcast,
    proxySetHeader: file.proxy_set_header,
    sendTimeoutMs: file.send_timeout,
    originPolicy: file.origin_policy,
    // Whoever ends TLS meets clients themselves, and a client's own word on `https` is worth nothing.
    trustedProxies: file.trusted_proxies ?? (file.tls.certificates.length > 0 ? [] : null),
    proxyProtocol: file.proxy_protocol,
    idleTimeoutMs: file.idle_timeout,
    suppressAccessLog: file.suppress_access_log,
    compat: file.compat,
    callback: toCallback(file.callback),
    upstream: toUpstream(file.upstream),
    path: file.path,
    node: { name: file.node.name, dataDir: file.node.data_dir },
    cluster: toCluster(file.cluster),
    workers: file.workers,
    app: { listen: file.app.listen, tokens: file.app.token, tls: file.app.tls },
    api: {
      listen: file.api.listen,
      tokens: file.api.token,
      tls: file.api.tls,
      corsOrigin: file.api.cors_origin,
    },
    slowClient: toSlowClient(file),
    ping: { intervalMs: file.ping.interval, timeoutMs: file.ping.timeout },
    limits: toLimits(file),
    idempotency: {
      windowMs: file.idempotency.window,
      keysMax: file.idempotency.keys,
      bytesMax: file.idempotency.bytes,
    },
    overload: {
      lagMs: file.overload.lag,
      lagShedMs: file.overload.lag_shed,
      heapPercent: file.overload.heap,
      heapShedPercent: file.overload.heap_shed,
      descriptorsPercent: file.overload.descriptors,
    },
    compression: toCompression(file.compression),
    drain: { timeoutMs: file.drain.timeout },
    log: file.log,
    isolationTimeoutMs:
      file.cluster.listen === null ? file.isolation_timeout : file.cluster.isolation_timeout,
    workerHangTimeoutMs: file.worker_hang_timeout,
  };
}

/** kuiperbelt's `send_queue_size`, where it is set, bounds a queue besides the bounds of our own. */
function toSlowClient({ slow_client: own, send_queue_size: messages }: FileValues): Config['slowClient'] {
  return {
    policy: own.policy,
    queueBytesMax: own.queue_bytes,
    queueMessagesMax: messages > 0 ? Math.min(messages, own.queue_messages) : own.queue_messages,
  };
}

function toTls(tls: FileValues['tls']): Config['tls'] {
  if (tls.certificates.length === 0) return null;
  return {
    certificates: tls.certificates,
    minVersion: tls.min_version,
    unknownName: tls.unknown_name,
    clientCertificates: tls.client_certificates,
    clientCa: tls.client_ca,
  };
}

function toCallback(callback: FileValues['callback']): Config['callback'] {
  return {
    connect: callback.connect,
    establish: callback.establish,
    receive: callback.receive,
    close: callback.close,
    dialTimeoutMs: callback.dial_timeout,
    health: toBackendHealth(callback.health),
    breaker: toBreaker(callback.breaker),
    timeoutMs: callback.timeout,
    closeTimeoutMs: callback.close_timeout,
    closeAttemptsMax: callback.close_attempts,
    closeBackoffMs: callback.close_backoff,
    closeBackoffMaxMs: callback.close_backoff_max,
    maxInFlight: callback.max_in_flight,
    maxQueued: callback.max_queued,
    allowPrivateRedirects: callback.allow_private_redirects,
    signingKeys: callback.signing_keys,
    trace: callback.trace,
    traceSampled: callback.trace_sampled,
  };
}

function toCompression(compression: FileValues['compression']): Config['compression'] {
  return {
    enabled: compression.enabled,
    level: compression.level,
    thresholdBytes: compression.threshold,
    windowBits: compression.window_bits,
    memoryLevel: compression.memory_level,
    turnBytesMax: compression.turn,
    wireBytesMax: compression.client_message,
  };
}

function toLimits({ limits, cluster }: FileValues): Config['limits'] {
  const connectionsMax = Math.min(
    limits.connections,
    cluster.listen === null ? limits.connections : cluster.max_connections,
  );
  return {
    messageBytesMax: limits.message,
    bodyBytesMax: limits.body,
    headerBytesMax: limits.header,
    connectionsMax,
    handshakeTimeoutMs: limits.handshake_timeout,
    channelsPerConnectionMax: limits.channels_per_connection,
    channelNameBytesMax: limits.channel_name,
    sessionKeyBytesMax: limits.session_key,
    targetsMax: limits.targets,
    receiveQueueMessagesMax: limits.receive_queue,
    connectsPerAddress: limits.connects_per_address,
    connectsPerAddressBurst: limits.connects_per_address_burst,
    connectionsPerAddressMax: limits.connections_per_address,
    messagesPerConnection: limits.messages_per_connection,
    messagesPerConnectionBurst: limits.messages_per_connection_burst,
  };
}

/** Warnings that a start should log for `config`; none of them stops it. */
export function adviseOn(config: Config): string[] {
  const advice: string[] = [];
  const open = config.host === null && config.sock === null;
  if (open && config.app.listen === null && config.app.tokens.length === 0) {
    advice.push(
      'host is not set, so anybody who reaches this host can send to clients and close their connections: ' +
        'set host: 127.0.0.1, or app.listen, or app.token',
    );
  }
  if (config.callback.connect === null) {
    advice.push('callback.connect is not set, so every connect is answered 500');
  }
  const { upstream, callback } = config;
  if (upstream.backends !== null && upstream.callbackPaths === 'allow' && callback.signingKeys.length === 0) {
    advice.push(
      'upstream.callback_paths lets clients reach the callbacks, and nothing is signed, so anybody can ' +
        'forge them: set callback.signing_keys and check the signatures, or refuse the paths',
    );
  }
  return advice;
}
