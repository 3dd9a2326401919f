/**
 * Builds the parts of a gateway worker and ties them together.
 *
 * The only place that knows which part needs which; it decides nothing. Parts that look at each
 * other are tied after both exist.
 */
import { type ConnectionId, closedEventId, IdSource } from '../base/index.ts';
import type { LiveConfig } from '../config/index.ts';
import { BearerTokens } from '../net/index.ts';
import {
  type CallbackRequest,
  Completeness,
  closeCallback,
  ForwardedRule,
  receiveCallback,
} from '../relay/index.ts';
import { AddressGate, type AddressGateDoors } from './admission/address-gate.ts';
import { Admission } from './admission/admission.ts';
import { ApplicationApi } from './calls/application-api.ts';
import { IdempotentCalls } from './calls/idempotent-calls.ts';
import { ConnectionWatch } from './connection-watch.ts';
import type { GatewayDoors } from './doors.ts';
import { GatewayStats } from './gateway-stats.ts';
import { HttpFront } from './http-front.ts';
import { LoggedCallbacks } from './logged-callbacks.ts';
import { ModeGate } from './mode-gate.ts';
import { ClusterDirectory } from './node/cluster-directory.ts';
import { KeyDelivery, type LocalPerform } from './node/key-delivery.ts';
import type { KeyDirectory } from './node/key-directory.ts';
import { NodeChannels } from './node/node-channels.ts';
import { NodeDirectory } from './node/node-directory.ts';
import { NodeStats } from './node/node-stats.ts';
import { serveOperators } from './operator/serve-operators.ts';
import { OverloadGuard, type OverloadGuardDoors } from './overload-guard.ts';
import { type CloseCallbackDoors, CloseCallbacks, type CloseEvent } from './sessions/close-callbacks.ts';
import type { ClientMessage } from './sessions/inbox.ts';
import { KeyWatches } from './sessions/key-watches.ts';
import { MessageThrottle, type MessageThrottleDoors } from './sessions/message-throttle.ts';
import { type ReceiveCallbackDoors, ReceiveCallbacks } from './sessions/receive-callbacks.ts';
import type { Session } from './sessions/session.ts';
import { SessionActions } from './sessions/session-actions.ts';
import { Sessions } from './sessions/sessions.ts';
import { Tracing } from './sessions/tracing.ts';
import { Upstream } from './upstream/upstream.ts';

/** What the parts need from the gateway that owns them. */
export interface GatewayDecisions {
  /** Why nobody is admitted any more, or null. */
  readonly stopping: () => string | null;
  /** A connection of this worker lost its key to a newer one. */
  readonly replaced: (connection: ConnectionId) => void;
}

/** The parts that the gateway itself talks to. */
export interface GatewayParts {
  readonly modes: ModeGate;
  readonly sessions: Sessions;
  readonly watches: KeyWatches;
  readonly stats: GatewayStats;
  readonly nodeStats: NodeStats;
  readonly completeness: Completeness;
  readonly directory: KeyDirectory;
  /** The same, where the node can be one of several. */
  readonly clusterDirectory: ClusterDirectory | null;
  readonly channels: NodeChannels;
  readonly closeCallbacks: CloseCallbacks;
  readonly receiveCallbacks: ReceiveCallbacks;
  readonly admission: Admission;
  readonly idempotent: IdempotentCalls;
  readonly upstream: Upstream | null;
  readonly front: HttpFront;
  readonly overload: OverloadGuard;
}

/** Builds everything that one gateway worker consists of, servers excepted. */
export function buildParts(given: GatewayDoors, decisions: GatewayDecisions): GatewayParts {
  const doors = { ...given, httpClient: new LoggedCallbacks(given) };
  const { init, live, clock, bus } = doors;
  const { workers } = init;
  const ids = new IdSource(doors);
  const tracing = new Tracing(doors);
  const stats = new GatewayStats(doors.meter);
  const sessions = new Sessions();
  const completeness = new Completeness();
  if (workers === 1) completeness.sisters([]);
  const nodeStats = new NodeStats({ bus, own: () => stats.counters() });
  const homes = { ...doors, workers, completeness, onReplaced: decisions.replaced };
  const clusterDirectory = doors.clustered ? new ClusterDirectory(homes) : null;
  const directory =
    clusterDirectory ?? new NodeDirectory({ ...homes, registered: () => sessions.registered() });
  const modes = new ModeGate(doors);
  const actions = new SessionActions({ live, modes, stats, sessions, channels: () => channels });
  const channels: NodeChannels = new NodeChannels({
    bus,
    clock,
    timers: doors.timers,
    workers,
    completeness,
    mayOrder: () => modes.mayOrder(),
    deliver: (members, message) => actions.deliverToMembers(members, message),
  });
  const watches = new KeyWatches({ ...doors, tracing, sessions });
  const callbacks = callbacksOf({ ...doors, watches, tracing }, ids);
  const { closeCallbacks, receiveCallbacks } = callbacks;
  const observed = { stats, tracing, watches, watch: new ConnectionWatch({ ...doors, tracing }) };
  sessions.connect({ ...doors, ...observed, ...callbacks, directory, channels });
  stats.watchEvents(() => closeCallbacks.pending);
  const shared = { ...doors, ...observed, modes, sessions, directory, channels, receiveCallbacks };
  const entry = { forwarded: new ForwardedRule(live.current.trustedProxies), ids };
  const bounds = boundsOf(shared);
  const admission = new Admission({ ...shared, ...entry, ...bounds, ...decisions });
  const perform: LocalPerform = (target, action, bytes, done) => actions.perform(target, action, bytes, done);
  const keys = new KeyDelivery({ bus, clock, directory, perform });
  const idempotent = new IdempotentCalls({ ...doors, workers });
  const api = new ApplicationApi({ live, keys, channels, idempotent });
  const tokens = new BearerTokens(live.current.app.tokens);
  live.onChange(({ app, trustedProxies }) => {
    tokens.replace(app.tokens);
    entry.forwarded.replace(trustedProxies);
  });
  serveOperators({ ...shared, actions, nodeStats });
  const upstream = Upstream.of({ ...shared, upstream: doors.upstream ?? null });
  const front = new HttpFront({ ...shared, ...entry, upstream, tokens, admission, api, nodeStats });
  return {
    modes,
    sessions,
    watches,
    stats,
    nodeStats,
    completeness,
    directory,
    clusterDirectory,
    channels,
    closeCallbacks,
    receiveCallbacks,
    admission,
    idempotent,
    upstream,
    front,
    overload: bounds.overload,
  };
}

/** What keeps clients within bounds. */
function boundsOf(shared: AddressGateDoors & MessageThrottleDoors & OverloadGuardDoors) {
  return {
    addresses: new AddressGate(shared),
    throttle: new MessageThrottle(shared),
    overload: new OverloadGuard(shared),
  };
}

/** What tells the application of messages and ends. */
function callbacksOf(doors: Omit<CloseCallbackDoors & ReceiveCallbackDoors, 'request'>, ids: IdSource) {
  const requests = requestsWith({ ...doors, ids });
  return {
    closeCallbacks: new CloseCallbacks({ ...doors, request: requests.close }),
    receiveCallbacks: new ReceiveCallbacks({ ...doors, request: requests.receive }),
  };
}

/** What close and receive callbacks look like, each attempt under ids of its own. */
function requestsWith(parts: { live: LiveConfig; ids: IdSource; tracing: Tracing }) {
  const { live, ids, tracing } = parts;
  return {
    close: ({ connection, key, reason, code, trace = null }: CloseEvent): CallbackRequest | null => {
      const request = closeCallback(live.current, {
        connectionId: connection,
        eventId: closedEventId(connection),
        requestId: ids.next(),
        key,
        reason,
        closeCode: code,
      });
      return request === null ? null : tracing.carry(request, { id: connection, trace });
    },
    receive: (session: Session, message: ClientMessage): CallbackRequest | null => {
      const { id, key } = session;
      const request = receiveCallback(live.current, {
        connectionId: id,
        key,
        requestId: ids.next(),
        payload: message.payload,
        binary: message.binary,
      });
      return request === null ? null : tracing.carry(request, session);
    },
  };
}
