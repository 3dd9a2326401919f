/**
 * The configuration as the rest of the house sees it: complete, checked, in plain values.
 *
 * Every duration is in milliseconds and every size in bytes, whatever the file said. The object
 * survives JSON, because the supervisor hands it to its workers. `schema.ts` describes the file,
 * `load.ts` turns one into the other.
 */

/** What becomes of a message to a client whose queue is full. */
export type SlowClientPolicy = 'close' | 'drop_oldest' | 'drop_newest';
/** Which browsers' pages may connect: kuiperbelt's three policies, or a list of origins. */
export type OriginPolicy = 'none' | 'same_origin' | 'same_hostname' | readonly string[];
/** Which of kuiperbelt's two answers an unknown sole session gets: the program's or the README's. */
export type Compat = 'released' | 'documented';
/** The lowest severity that is logged. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** Which trace the callbacks of a connection belong to. */
export type TraceMode = 'off' | 'continue' | 'restart';

/** The PEM files of one certificate; `passphrase` null: its key needs none. */
export interface CertificateFiles {
  readonly cert: string;
  readonly key: string;
  readonly passphrase: string | null;
}

/** What listeners speak TLS with. At least one certificate; the first is for names that none has. */
export interface TlsConfig {
  readonly certificates: readonly CertificateFiles[];
  readonly minVersion: '1.2' | '1.3';
  readonly unknownName: 'default' | 'refuse';
  /** Of the public listener only. */
  readonly clientCertificates: 'off' | 'optional' | 'required';
  /** A PEM file; null when clients are not asked. */
  readonly clientCa: string | null;
}

/** The texts of the PEM files of one configuration. Survives JSON. Secret. */
export interface TlsMaterial {
  readonly certificates: readonly {
    readonly cert: string;
    readonly key: string;
    readonly passphrase: string | null;
  }[];
  readonly clientCa: string | null;
}

/** A TCP address; `host` null means all interfaces, `port` 0 means any free one. */
export interface TcpAddress {
  readonly host: string | null;
  readonly port: number;
}

/** A header that callbacks carry; an empty value means that the header is removed. */
export interface HeaderRule {
  readonly name: string;
  readonly value: string;
}

/** Statuses of answers, from `min` to `max`. */
export interface StatusRange {
  readonly min: number;
  readonly max: number;
}

/** How the health of backends is checked; `path` null: it is not. */
export interface BackendHealthConfig {
  readonly path: string | null;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  /** Checks in a row that change the word about a backend. */
  readonly healthyAfter: number;
  readonly unhealthyAfter: number;
  /** What a good answer has. */
  readonly status: StatusRange;
}

/** When a backend rests; `relay/` has the rule. Failures in a row or a rate of 0: none count. */
export interface BreakerConfig {
  readonly failuresInRow: number;
  /** From 0 to 1. */
  readonly failureRate: number;
  readonly windowMs: number;
  readonly windowCallsMin: number;
  readonly openMs: number;
  readonly openMaxMs: number;
}

/** What the application is asked and told, and how patiently. */
export interface CallbackConfig {
  /** URLs, at least one; null: the callback is not made. `connect` null: every connect answers 500. */
  readonly connect: readonly string[] | null;
  readonly establish: readonly string[] | null;
  readonly receive: readonly string[] | null;
  readonly close: readonly string[] | null;
  /** Of several backends: bound of dialling one before the next is tried. */
  readonly dialTimeoutMs: number;
  readonly health: BackendHealthConfig;
  readonly breaker: BreakerConfig;
  /** Dialling to the last byte of the body, for connect, establish and receive; 0: the host's bound only. */
  readonly timeoutMs: number;
  readonly closeTimeoutMs: number;
  readonly closeAttemptsMax: number;
  readonly closeBackoffMs: number;
  readonly closeBackoffMaxMs: number;
  /** Callbacks in flight at once, a worker; and how many more may wait. */
  readonly maxInFlight: number;
  readonly maxQueued: number;
  /** Whether a redirect may lead to a private or loopback address of another host. */
  readonly allowPrivateRedirects: boolean;
  /** Secrets shared with the application; the first one signs. None: callbacks are not signed. */
  readonly signingKeys: readonly string[];
  /** Traces: none; the client's, else one of our own; always one of our own. */
  readonly trace: TraceMode;
  /** Whether traces of our own are to be recorded. */
  readonly traceSampled: boolean;
}

/** Who serves what is not the gateway's. Numbers of connections and requests are those of a worker. */
export interface UpstreamConfig {
  /** Origins, at least one; null: nobody, and such requests are answered 404. */
  readonly backends: readonly string[] | null;
  readonly host: 'client' | 'backend';
  readonly callbackPaths: 'refuse' | 'allow';
  readonly connectTimeoutMs: number;
  readonly responseTimeoutMs: number;
  readonly idleTimeoutMs: number;
  readonly maxInFlight: number;
  readonly bodyBytesMax: number;
  /** To each backend. */
  readonly idleSocketsMax: number;
  readonly idleSocketMs: number;
  /** 0: none are passed through. */
  readonly tunnelsMax: number;
  /** 0: never. */
  readonly tunnelIdleTimeoutMs: number;
  readonly health: BackendHealthConfig;
  readonly breaker: BreakerConfig;
}

/** Paths of the requests that a node answers. */
export interface PathConfig {
  readonly connect: string;
  readonly send: string;
  readonly close: string;
  readonly subscribe: string;
  readonly unsubscribe: string;
  readonly stats: string;
  readonly ping: string;
}

/** Bounds that an operator may want to move; `base/limits.ts` has the defaults and their reasons. */
export interface LimitConfig {
  readonly messageBytesMax: number;
  readonly bodyBytesMax: number;
  readonly headerBytesMax: number;
  /** Of the whole node; a worker admits its share. */
  readonly connectionsMax: number;
  readonly handshakeTimeoutMs: number;
  readonly channelsPerConnectionMax: number;
  readonly channelNameBytesMax: number;
  readonly sessionKeyBytesMax: number;
  readonly targetsMax: number;
  readonly receiveQueueMessagesMax: number;
  /** Attempts to connect a second, of one address and worker, and how many at once; rate 0: any. */
  readonly connectsPerAddress: number;
  readonly connectsPerAddressBurst: number;
  /** Of one address and worker; 0: any. */
  readonly connectionsPerAddressMax: number;
  /** Messages a second of one client, and how many at once; rate 0: any. */
  readonly messagesPerConnection: number;
  readonly messagesPerConnectionBurst: number;
}

/** Answers that a worker keeps for repeated requests; `windowMs` 0: none, and keys are ignored. */
export interface IdempotencyConfig {
  readonly windowMs: number;
  readonly keysMax: number;
  readonly bytesMax: number;
}

/** From where on a worker admits nobody, and from where on it sheds connections; 0: never. */
export interface OverloadConfig {
  readonly lagMs: number;
  readonly lagShedMs: number;
  /** Of the heap limit. */
  readonly heapPercent: number;
  readonly heapShedPercent: number;
  /** Of the descriptors that are not kept in reserve. */
  readonly descriptorsPercent: number;
}

/** A listener beside the public one. */
export interface ListenerConfig {
  readonly listen: TcpAddress | null;
  readonly tokens: readonly string[];
  /** Whether it speaks TLS, with the certificates of the public one. */
  readonly tls: boolean;
}

/** The operator's listener. */
export interface ApiConfig extends ListenerConfig {
  /** The origin whose pages may read the answers of `POST /`; null: none. */
  readonly corsOrigin: string | null;
}

/** permessage-deflate; with `enabled` false the rest means nothing. */
export interface CompressionConfig {
  readonly enabled: boolean;
  readonly level: number;
  readonly thresholdBytes: number;
  readonly windowBits: number;
  readonly memoryLevel: number;
  /** Compressed within one turn of a worker; what goes beyond goes out as it is. */
  readonly turnBytesMax: number;
  /** The compressed form of a client's message. */
  readonly wireBytesMax: number;
}

/** A cluster. Its isolation timeout is that of the node, and its capacity the limit of connections. */
export interface ClusterConfig {
  readonly id: string;
  readonly listen: TcpAddress;
  /** The first one signs, all are believed. */
  readonly secrets: readonly string[];
  /** Names of nodes. */
  readonly contacts: readonly string[];
  /** Empty: none. */
  readonly externalSignalingUrl: string;
  readonly externalApiUrl: string;
  readonly maxNodes: number;
  readonly heartbeatMs: number;
  readonly electionMinMs: number;
  readonly electionMaxMs: number;
  readonly nodeDownAfterMs: number;
}

/** Everything that can be configured. */
export interface Config {
  /** Null: all interfaces. */
  readonly host: string | null;
  readonly port: number;
  /** Path of a unix socket that takes the place of host and port. */
  readonly sock: string | null;
  /** Null: the public listener speaks plain HTTP, and so do the others. */
  readonly tls: TlsConfig | null;
  /** What `X-Kuiperbelt-Endpoint` says; null: derived from the listener that serves `/send`. */
  readonly endpoint: string | null;
  readonly sessionHeader: string;
  readonly channelHeader: string;
  readonly strictBroadcast: boolean;
  readonly proxySetHeader: readonly HeaderRule[];
  /** How long `/send` and `/close` wait for other workers; 0 means the built-in bound. */
  readonly sendTimeoutMs: number;
  readonly originPolicy: OriginPolicy;
  /** Addresses, ranges, `unix`. Null: the key is absent, and clients' `X-Forwarded-*` pass as they are. */
  readonly trustedProxies: readonly string[] | null;
  /** `required`: connections to the public listener begin with a header of the PROXY protocol. */
  readonly proxyProtocol: 'off' | 'required';
  /** 0: off. */
  readonly idleTimeoutMs: number;
  readonly suppressAccessLog: boolean;
  readonly compat: Compat;
  readonly callback: CallbackConfig;
  readonly upstream: UpstreamConfig;
  readonly path: PathConfig;
  readonly node: { readonly name: string | null; readonly dataDir: string | null };
  /** Null: the node is by itself. */
  readonly cluster: ClusterConfig | null;
  readonly workers: number;
  /** The application's calls. `listen` null: the public listener serves them. No tokens: none is needed. */
  readonly app: ListenerConfig;
  /** The operator's listener; `listen` null: there is none. */
  readonly api: ApiConfig;
  /** The bounds of a connection's queue; kuiperbelt's `send_queue_size` is in `queueMessagesMax`. */
  readonly slowClient: {
    readonly policy: SlowClientPolicy;
    readonly queueBytesMax: number;
    readonly queueMessagesMax: number;
  };
  /** Server pings; `intervalMs` 0: none. */
  readonly ping: { readonly intervalMs: number; readonly timeoutMs: number };
  readonly limits: LimitConfig;
  readonly idempotency: IdempotencyConfig;
  readonly overload: OverloadConfig;
  readonly compression: CompressionConfig;
  readonly drain: { readonly timeoutMs: number };
  readonly log: { readonly level: LogLevel; readonly headers: boolean; readonly bodies: boolean };
  readonly isolationTimeoutMs: number;
  /** A worker that says nothing for this long is killed and replaced; 0: never. */
  readonly workerHangTimeoutMs: number;
}
