/**
 * Every number that bounds something, with the reason for it.
 *
 * Numbers that an operator may want to change are defaults of configuration keys (`config/`) and
 * stand here too, so that all bounds can be read in one place. What happens at a bound stands next
 * to its use.
 */

const KIB = 1_024;
const MIB = 1_024 * KIB;

/** Defaults of configuration keys. */
export const DEFAULTS = {
  port: 9_180,
  sessionHeader: 'X-Kuiperbelt-Session',
  channelHeader: 'X-Kuiperbelt-Channel',
  /** A message is held in memory once per worker; OWASP suggests 64 KiB for text protocols. */
  messageBytesMax: 1 * MIB,
  /** A `/send` body becomes one message to each target, so it may be as large as a message. */
  bodyBytesMax: 16 * MIB,
  /** kuiperbelt's bound: 10,000 sessions named in one `/send` fit. A sender pays byte for byte. */
  headerBytesMax: 1 * MIB,
  /** What 20,000 descriptors allow beside callbacks and files; `config/` lowers it to the host's. */
  connectionsMax: 20_000,
  /** Long enough for a phone on a bad network, short enough that a slow-loris holds little. */
  handshakeTimeoutMs: 10_000,
  /** A connection in more channels than this is more likely a bug than a wish. */
  channelsPerConnectionMax: 100,
  channelNameBytesMax: 256,
  sessionKeyBytesMax: 1_024,
  /** Headers of one request; larger audiences use a channel. */
  targetsMax: 10_000,
  /** Client messages that wait for the receive callback; then the socket is read no further. */
  receiveQueueMessagesMax: 64,
  /** Off: behind a proxy that is not named, all clients have one address. People come back in bursts. */
  connectsPerAddress: 0,
  connectsPerAddressBurst: 200,
  connectionsPerAddressMax: 0,
  /** Off: what an application asks of its clients is its own affair. */
  messagesPerConnection: 0,
  messagesPerConnectionBurst: 100,
  slowClientQueueBytesMax: 4 * MIB,
  slowClientQueueMessagesMax: 4_096,
  /** Below the 60 s after which most proxies and NATs forget a silent connection. */
  pingIntervalMs: 30_000,
  pingTimeoutMs: 20_000,
  /** zlib's own balance; for messages of a few KiB lower levels are hardly faster. */
  compressionLevel: 6,
  /** Shorter messages fit into one packet either way. */
  compressionThresholdBytes: 512,
  /** With no state between messages these cost 256 KiB for a moment, and nothing per connection. */
  compressionWindowBits: 15,
  compressionMemoryLevel: 8,
  /** 9 ms at the default level, as long as a broadcast to 1,000; what goes beyond goes out as it is. */
  compressionTurnBytesMax: 1 * MIB,
  /** As large as a message may be by itself. */
  compressionWireBytesMax: 1 * MIB,
  drainTimeoutMs: 10_000,
  callbackMaxInFlight: 256,
  callbackMaxQueued: 4_096,
  callbackCloseTimeoutMs: 10_000,
  callbackCloseAttemptsMax: 10,
  callbackCloseBackoffMs: 500,
  callbackCloseBackoffMaxMs: 60_000,
  callbackDialTimeoutMs: 2_000,
  /** Often enough that a dead backend costs few connects, seldom enough to be no load. */
  healthIntervalMs: 5_000,
  healthTimeoutMs: 2_000,
  healthyAfter: 2,
  unhealthyAfter: 3,
  /** Few enough that clients do not pay for a dead backend, more than one mishap. */
  breakerFailures: 5,
  breakerFailurePercent: 50,
  breakerWindowMs: 10_000,
  breakerCallsMin: 20,
  breakerRestMs: 1_000,
  breakerRestMaxMs: 30_000,
  callbackReplyBytesMax: 16 * MIB,
  upstreamConnectTimeoutMs: 5_000,
  upstreamResponseTimeoutMs: 60_000,
  upstreamIdleTimeoutMs: 60_000,
  upstreamMaxInFlight: 1_024,
  /** Larger than nearly all uploads; a bound, because nothing here is without one. */
  upstreamBodyBytesMax: 1_024 * MIB,
  upstreamIdleSocketsMax: 64,
  upstreamIdleSocketMs: 4_000,
  upstreamWebSocketsMax: 1_024,
  upstreamWebSocketIdleTimeoutMs: 600_000,
  isolationTimeoutMs: 3_000,
  /** What most clusters stay below; more is a matter of one key. */
  clusterNodes: 10,
  /** Long enough for a busy host to answer, short enough that a lost master costs a second. */
  clusterHeartbeatMs: 100,
  clusterElectionMinMs: 500,
  clusterElectionMaxMs: 1_000,
  /** A node has stopped by itself after the isolation timeout; two seconds more are for slow hosts. */
  nodeDownAfterMs: 5_000,
  /** Ten times what the longest pause of a healthy worker takes; shorter than clients go on hoping. */
  workerHangTimeoutMs: 30_000,
  /** Longer than applications wait before they try again, and shorter than anybody remembers. */
  idempotencyWindowMs: 60_000,
  idempotencyKeysMax: 100_000,
  idempotencyBytesMax: 64 * MIB,
  /** A busy host delays a turn by tenths of a second; in a second of every turn, clients feel it. */
  overloadLagMs: 1_000,
  overloadShedLagMs: 5_000,
  /** Garbage makes a heap look fuller than it is; beyond this it collects more than it works. */
  overloadHeapPercent: 85,
  overloadShedHeapPercent: 92,
  /** Of what is left beside the reserve, which a node full of clients comes near. */
  overloadDescriptorsPercent: 100,
} as const;

/** Bounds that nobody has to tune. */
export const LIMITS = {
  /**
   * Lines of a head beside those that name targets; a larger one gets 431. Each line costs some
   * hundred bytes of memory, so that a head of a million empty ones would cost its sender nothing.
   */
  headerLinesMax: 1_000,
  /** Bytes of one connection's frames that are joined into one write. */
  writeBatchBytesMax: 64 * KIB,
  /** Inflated within one turn of a worker, a millisecond or two of it; then messages wait for the next. */
  inflateTurnBytesMax: 1 * MIB,
  /** How long a closed connection may take to answer our close frame before the socket is cut. */
  closeHandshakeMs: 5_000,
  /** URLs in a list of backends: each call looks at all, and each has its figures. */
  backendsMax: 16,
  /** Redirects that a connect callback follows, as Go's client does. */
  redirectsMax: 10,
  /**
   * Idle keep-alive connections to one callback host, and how long they are kept. As many as may be
   * in flight: answers come in bursts, and a smaller pool would dial anew for each burst's rest.
   */
  callbackIdleSocketsMax: 256,
  callbackIdleSocketMs: 10_000,
  /** Stands in for `callback.timeout: 0`: an application that never answers must not hold us for ever. */
  callbackTimeoutMaxMs: 300_000,
  /** How long an answer that came after `callback.timeout` is still listened for. */
  lateAnswerMs: 30_000,
  /** Close events in memory; further ones stay in the journal until the next start. */
  closeEventsPendingMax: 200_000,
  /** Close callbacks in flight at once, a worker. */
  closeCallbacksInFlightMax: 64,
  /** How long a connect or publish waits for a sister worker that is being replaced. */
  sisterWaitMs: 5_000,
  /** Lists of operators that a worker hands out at once, and how long it waits to be asked on. */
  operatorListsMax: 16,
  operatorListMs: 30_000,
  /** How long a repeated request waits for the answer to the first before it is told to come later. */
  idempotencyWaitMs: 10_000,
  /** Larger answers are not kept for repetitions; they list hundreds of sessions. */
  idempotencyAnswerBytesMax: 64 * KIB,
  /** Session keys that are watched at once, their length, and for how long: what a person can read. */
  watchedKeysMax: 16,
  watchedKeyCharactersMax: 4_096,
  watchMaxMs: 3_600_000,
  /** Log lines about clients that were refused, a second and worker; the next line counts the rest. */
  refusalLinesPerSecond: 50,
  /** The longest span over which clients that are sent away come back; longer looks like an outage. */
  retryAfterSpreadMaxMs: 30_000,
  /** How long a connect callback takes, as long as nothing was measured. */
  connectCallbackGuessMs: 100,
  /** Addresses whose connects a worker counts: 100 bytes each. The one that was quiet longest gives way. */
  limitedAddressesMax: 100_000,
  /** Bytes that wait on one link between two workers; then requests over it fail at once. */
  linkOutboxBytesMax: 64 * MIB,
  linkFrameBytesMax: 64 * MIB,
  /** Questions without an answer so far, a worker, and those that wait for a link; then `overloaded`. */
  linkAsksPendingMax: 100_000,
  linkAsksWaitingMax: 20_000,
  /** How often overdue questions are looked for: a timer for each would cost more than it tells. */
  linkSweepMs: 25,
  /** A link that broke although its worker lives is dialled again after this, doubled up to the maximum. */
  linkRedialMs: 10,
  linkRedialMaxMs: 1_000,
  /** Whoever connects to a worker's mesh says who it is within this time. */
  linkHelloMs: 5_000,
  /**
   * How long tickets of TLS can be resumed at the most. Whoever steals the keys can read what was said
   * under them in TLS 1.2, so they are not kept longer than a working day.
   */
  ticketKeysMs: 12 * 3_600_000,
  /** How often the files of certificates are looked at, and how long a pair that does not fit may stay so. */
  tlsFilesPeriodMs: 2_000,
  tlsFilesSettleMs: 5_000,
  /** Grants are renewed this often; one older than the isolation timeout admits nobody. */
  grantPeriodMs: 500,
  /** Sockets at a time that are told that there are no descriptors left; further ones are cut. */
  refusedSocketsMax: 64,
  /** How often a worker looks whether it has too much to do. */
  overloadLookMs: 500,
  /** Looks in a row above a mark before it counts, and below it before it does no more. */
  overloadLooksToRise: 3,
  overloadLooksToCalm: 10,
  /** Connections shed at once, looks until the next, and the queue below which nobody is to blame. */
  overloadShedMax: 128,
  overloadShedPauseLooks: 4,
  overloadShedQueueBytesMin: 64 * KIB,
  /** How soon a worker reports a change of its load; listeners are balanced by it. */
  loadReportMs: 25,
  /** How often it reports when only its counts of messages change, which a sum after its death needs. */
  messageReportMs: 250,
  /** A restarted worker waits this long at first, then twice as long each time, to the maximum. */
  workerRestartMs: 10,
  workerRestartMaxMs: 5_000,
  /** A journal is rewritten when it has grown to this and holds mostly closed connections. */
  journalCompactBytes: 16 * MIB,
  journalRecordBytesMax: 1 * MIB,
  /** Records that must not be lost are written again this long after the disk refused them. */
  journalRetryMs: 1_000,
  /** A segment of the log: some seconds of heavy writing, and little to read or to zero at once. */
  logSegmentBytes: 8 * MIB,
  /** What waits for the disk goes out in groups of this size; a larger one gains no throughput. */
  logGroupBytes: 1 * MIB,
  /** A group ends with the batch that fills it, and a batch is bounded by the replica, far below this. */
  logRecordBytesMax: 256 * MIB,
  /** Entries that stay before a snapshot: a follower that was away for a moment needs no snapshot. */
  logEntriesKept: 1_000,
} as const;

/** Bounds of the operator's API (`api/`). */
export const OPERATOR_LIMITS = {
  /** The bound that clients of Sora know. */
  bodyBytesMax: 8_000_000,
  /** How long a body may take; further below the bound at which the connection is cut. */
  bodyWaitMs: 15_000,
  /** Operations under way at once; further ones are answered 503. Each may hold a body. */
  operationsMax: 32,
  /** Lists under way at once, which take as long as their readers do; further ones are answered 503. */
  listsMax: 4,
  /** Lists up to this size are sent in one piece, with their length. */
  listPieceBytesMax: 64 * KIB,
  /** A reader that takes nothing for this long is cut off. */
  listStallMs: 30_000,
  /** How long a gateway worker may take for its part. */
  workerWaitMs: 2_000,
  /** How long the supervisor may take: an election and a commit, with much to spare. */
  supervisorWaitMs: 30_000,
} as const;

/** How members that speak the original's protocol are fed (`store/`). */
export const FOREIGN_LIMITS = {
  /** Committed entries that wait for one member; one further behind gets a snapshot instead. */
  queueEntriesMax: 16_384,
  queueBytesMax: 16 * MIB,
  /** Silence after which a member is asked whether it is still where it was: well within 5 s. */
  probeMs: 1_500,
  /** Rest after the first failure, doubled up to the maximum; then entries still arrive within 5 s. */
  retryMs: 50,
  retryMaxMs: 1_500,
  /** Rest when no instance of this ballot is left: longer than any call is under way. */
  spentRestMs: 10_000,
  /**
   * A snapshot that did not get through is sent again after as long a rest as its bytes may take, up to
   * this: a link that is too slow for it then carries something else half of the time.
   */
  startRestMaxMs: 60_000,
} as const;

/** Bounds of the replicated log that nobody has to tune. */
export const LOG_LIMITS = {
  // Rules (`consensus/`): the same on every node, or replicas would part.
  /**
   * Request ids that the log remembers; beyond, the oldest is forgotten. Ten seconds at three thousand
   * submissions a second, hours at ordinary load, and one or two MiB in a snapshot.
   */
  requestsMax: 32_768,
  /** No log grows to this; arithmetic on its indexes is exact far beyond it. */
  indexMax: 2 ** 48,
  /** Each member is fed by the master, and each entry of members names all. */
  membersMax: 128,
  // Driver and library (`store/`).
  /** Messages of one turn of the event loop; beyond, the oldest is dropped, as networks drop them. */
  inboxMessagesMax: 4_096,
  /** Proposals that are not settled yet; beyond, `busy`. More would wait longer than callers do. */
  proposalsMax: 16_384,
  proposalBytesMax: 64 * MIB,
  /** Reads that are not answered yet; beyond, refused. */
  readsMax: 16_384,
  /** How long one waits for its confirmation, and then for what is confirmed; asked again after it. */
  readWaitMs: 5_000,
  /** Rest before the next attempt at a master, doubled up to the maximum; a new master ends it. */
  submitRetryMs: 25,
  submitRetryMaxMs: 500,
  /** Long enough for a master to be lost and the next one elected; callers may say otherwise. */
  submitTimeoutMs: 15_000,
  readTimeoutMs: 5_000,
  readRetryMs: 50,
  /** A founder with an empty directory listens this long for a cluster that knows it: longer than
   * one without a master takes to ask for votes. */
  foundingPauseMs: 2_500,
  /** One entry is held in memory a few times over, and delays what is behind it. */
  entryBytesMax: 4 * MIB,
  /** Callers that speak the original protocol give up sooner than this. */
  foreignSubmitMs: 10_000,
  /** How soon a discovery about a member is tried again when the log did not take it. */
  discoveryRetryMs: 1_000,
  /** How long a master that stops waits for its successor. */
  transferMs: 2_000,
  /** How soon a disk that was full is tried again. */
  diskRetryMs: 1_000,
  /** A log of this size is read again in well under a second; beyond, a snapshot takes its place. */
  snapshotLogBytes: 16 * MIB,
  /** How soon a snapshot that could not be written is tried again. */
  snapshotRetryMs: 10_000,
} as const;

/** Bounds of the state that the nodes of a cluster agree on: the same on every node, or copies would part. */
export const CLUSTER_LIMITS = {
  /** Nodes that are known, up or down: as many as the log has members. */
  nodesMax: 128,
  /** Purged names whose last epoch is remembered, so that none comes twice; then the oldest is forgotten. */
  purgedNodesMax: 1_024,
  /** Each of 13 full nodes' clients with a channel of its own. Snapshots hold all; see `state.ts`. */
  channelsMax: 262_144,
  /** Four times what `limits.channel_name` is unless an operator raised it. */
  channelNameCharactersMax: 1_024,
  /** All names together: 64 characters each, if there are as many channels as there may be. */
  channelNamesCharactersMax: 16 * MIB,
  /** Names in one change: applied in a millisecond, and a busy node needs few changes a second. */
  channelsPerChangeMax: 1_024,
  nodeNameCharactersMax: 256,
  /** A release, a boot. */
  idCharactersMax: 128,
  urlCharactersMax: 2_048,
  /** More processes than any host has cores for. */
  workersMax: 1_024,
} as const;

/** Bounds of what the nodes of a cluster say to each other. */
export const PEER_LIMITS = {
  /** One call: the largest entry (`LOG_LIMITS.entryBytesMax`) in base64, and what stands around it. */
  bodyBytesMax: 8 * MIB,
  /** Bodies that are being read at once, all callers together; further calls are answered 503. */
  bodiesBytesMax: 128 * MIB,
  /** Answers to what we ask; those of other members are below 1 KiB. */
  answerBytesMax: 64 * KIB,
  /**
   * Values in one call: twice the most changes that it may have. An 8 MiB body of empty lists takes half
   * a second to parse, of so many a tenth of it. Bodies of less than a MiB are not looked at: whatever
   * they hold, they take less than that.
   */
  jsonValuesMax: 131_072,
  jsonFreeBytes: 1 * MIB,
  /** Levels of nested JSON, as many as Go reads. They cost a byte each while they are skipped. */
  jsonDepthMax: 10_000,
  /** A text in JSON: a name, a cluster, an error with those it holds within. */
  jsonTextBytesMax: 64 * KIB,
  /** A member's address, and the name of a cluster. */
  nameCharactersMax: 1_024,
  /** Kinds of changes, their names, storage ids, incarnations, request ids. */
  idCharactersMax: 256,
  kindsMax: 256,
  /** A kind's version; four bytes on disk. */
  versionMax: 2 ** 32 - 1,
  /** Members in one list: what a cluster has, with room for a few that go and come. */
  membersMax: 1_000,
  entriesMax: 65_536,
  /** Changes in one call; a change takes 3 bytes of a body at least. */
  changesMax: 65_536,
  /** Below this all arithmetic on ballots and indexes is exact in a double. */
  ballotMax: 2 ** 48,
  /** Calls that wait for this node's answer, a listener; further ones are answered 503. */
  pendingMax: 4_096,
  /** How long a message may wait for its answer: as long as a slow disk takes. */
  messageTimeoutMs: 5_000,
  /** How long a wish to the master may wait for what becomes of it. */
  wishTimeoutMs: 15_000,
  /** How long a member that speaks the original protocol may take, beside the time for a snapshot's bytes. */
  foreignTimeoutMs: 5_000,
  /** A link that carries a snapshot more slowly is no link between nodes; 4 MBit/s. */
  foreignBytesPerSecondMin: 512 * KIB,
  /** Descriptors that callers do not get: for files, calls to members, and `LIMITS.refusedSocketsMax`. */
  descriptorsReserved: 256,
  /** Connections to one member for messages: as many as are under way at once. */
  connectionsMax: 32,
  /** Messages to one member that wait for a connection; then the oldest is dropped, as networks drop them. */
  waitingMax: 256,
  /** The same for wishes, which wait for a commit each. A member rarely forwards more at once. */
  wishConnectionsMax: 64,
  wishesWaitingMax: 4_096,
  /** Members that connections are kept to; the first of them gives way to one more. */
  clientsMax: 1_000,
  /** An idle connection is given up before the other side's 75 s are over. */
  idleConnectionMs: 30_000,
  dialTimeoutMs: 2_000,
  /** How far the clocks of two nodes may differ, and how long a captured call stays interesting. */
  signatureSkewMs: 30_000,
  /** Callers whose nonces are remembered; one more is refused rather than one forgotten early. */
  nonceRunsMax: 1_024,
  /** How far a call may overtake the next ones of its caller; a bit each. */
  nonceWindow: 4_096,
  /** Log lines about calls that were refused, a second; the next line counts the rest. */
  refusalLinesPerSecond: 5,
} as const;
