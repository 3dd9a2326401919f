/**
 * What callbacks tell the application about where this node is reached (`X-Kuiperbelt-Endpoint`).
 *
 * Pure. Only the default is made here; a configured endpoint is passed on as it is.
 */
import type { TcpAddress } from '../config/index.ts';

/** What is known about the listener that serves `/send`. */
export interface EndpointFacts {
  /** As configured: `host` null means all interfaces. Null for a unix socket. */
  readonly listen: TcpAddress | null;
  /** The port that was got; null for a unix socket. */
  readonly port: number | null;
  /** The port that stands in the configuration, for a node on a unix socket behind a proxy. */
  readonly configuredPort: number;
  /** `name@host`, when the operator named the node. */
  readonly nodeName: string | null;
  readonly hostname: string;
}

/** Ports up to this one are left out, as kuiperbelt does. */
const PRIVILEGED_PORT_MAX = 1_023;

/** `host` or `host:port` of the listener that serves `/send`. */
export function defaultEndpoint(facts: EndpointFacts): string {
  const named = facts.nodeName?.split('@')[1];
  const host = named || facts.listen?.host || facts.hostname;
  const shown = host.includes(':') ? `[${host}]` : host;
  const port = facts.port ?? facts.configuredPort;
  return port <= PRIVILEGED_PORT_MAX ? shown : `${shown}:${port}`;
}
