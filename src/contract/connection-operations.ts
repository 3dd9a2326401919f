/**
 * The operations about connections and channels: who is there, goodbye, and a word to them.
 *
 * The names and shapes are Sora's. A connection of the gateway has no Sora client behind it, so this
 * file says what Sora's words mean for it: `connection_id` is the connection, `client_id` its session
 * key, `channel_id` one of its channels or null.
 */
import type { DomainError, Operation } from './operation.ts';
import {
  ANY_OBJECT,
  BOOLEAN,
  choice,
  list,
  needed,
  nullable,
  object,
  optional,
  type Property,
  type Schema,
  text,
} from './schema.ts';

/** As long as names of channels, session keys and connections may be configured to be. */
const NAME = text(65_536);

const channel = needed(NAME, 'The channel.');
const channelOrNone = needed(
  nullable(NAME),
  'A channel that it is in; null: whatever it is in, nothing included. Not in Sora.',
);
const client = needed(NAME, 'The session key of the connections.');
const connection = needed(NAME, 'The connection.');
const reason = optional(
  ANY_OBJECT,
  'Taken for the sake of callers that send it; the close callback says `operator` and no more.',
);
const redirect = optional(
  BOOLEAN,
  'False: carried out on the node that is asked, whoever owns the channel. Else 307 may lead to its owner.',
);
const data = needed(ANY_OBJECT, 'What the connections receive as `data`, at most 64 levels deep.');

const row = object({
  channel_id: needed(nullable(NAME), 'The channel; null: the connection is in none.'),
  client_id: needed(NAME, 'The session key.'),
  session_id: needed(nullable(NAME), 'Null: connections of the gateway have no Sora session.'),
  connection_id: needed(NAME, 'The connection.'),
  role: needed(choice('sendrecv'), 'What a connection of the gateway may do.'),
  kind: needed(choice('gateway'), 'Where the connection came in. Not in Sora.'),
  node_name: needed(NAME, 'The node that holds it. Not in Sora.'),
  created_timestamp: needed(text(32), 'When it was admitted, in RFC 3339.'),
});

const NO_CHANNEL: DomainError = {
  type: 'CHANNEL-NOT-FOUND',
  when: 'nobody in that channel could be reached',
};
const NO_CLIENT: DomainError = {
  type: 'CLIENT-NOT-FOUND',
  when: 'no connection with that session key is in that channel on this node',
};
const NO_CONNECTION: DomainError = {
  type: 'CONNECTION-NOT-FOUND',
  when: 'this node holds no such connection in that channel',
};
const SILENT: DomainError = {
  type: 'WORKER-UNAVAILABLE',
  when: 'a gateway worker did not answer in time, and what became of its part is not known',
};

const ONCE = { service: 'Sora', bodyOptional: false } as const;
const DISCONNECTS = { ...ONCE, versions: ['20151104'], runsOn: 'owner' } as const;
const PUSHES = { ...ONCE, versions: ['20160711'], runsOn: 'owner' } as const;
const LISTS = { ...ONCE, versions: ['20201013'], runsOn: 'self' } as const;

/** The request's own names again. */
function echo(properties: Readonly<Record<string, Property>>): Schema {
  return object(properties);
}

const PUSHED = object({
  type: needed(choice('push'), 'Always the same.'),
  data: needed(ANY_OBJECT, 'As given.'),
});

/** Their operations, in the order of the reference. */
export const connectionOperations: readonly Operation[] = [
  {
    ...LISTS,
    name: 'ListConnections',
    summary:
      'All connections that the gateway of this node holds, an entry for each channel that one is in ' +
      'and a single one for a connection in none.',
    request: null,
    response: list(row),
    errors: [],
  },
  {
    ...LISTS,
    name: 'ListChannelConnections',
    summary: 'The connections of one channel that this node holds.',
    request: object({ channel_id: channel }),
    response: list(row),
    errors: [],
  },
  {
    ...LISTS,
    name: 'ListChannels',
    summary: 'The channels with connections whose messages this node puts in order.',
    request: object({ local: optional(choice(true), 'True, which is the default: those of this node.') }),
    bodyOptional: true,
    response: list(
      object({
        channel_id: needed(NAME, 'The channel.'),
        spotlight: needed(BOOLEAN, 'Always false: there is no media.'),
      }),
    ),
    errors: [],
  },
  {
    ...DISCONNECTS,
    name: 'DisconnectChannel',
    summary:
      'Closes all connections of a channel with 1000 and the reason `DISCONNECTED-API`. Close callbacks ' +
      'follow, with the reason `operator`.',
    request: object({ channel_id: channel, reason, redirect }),
    response: echo({ channel_id: channel }),
    errors: [NO_CHANNEL, SILENT],
  },
  {
    ...DISCONNECTS,
    name: 'DisconnectClient',
    summary: 'The same for the connections of one session key.',
    request: object({ channel_id: channelOrNone, client_id: client, reason, redirect }),
    response: echo({ channel_id: channelOrNone, client_id: client }),
    errors: [NO_CLIENT, SILENT],
  },
  {
    ...DISCONNECTS,
    name: 'DisconnectConnection',
    summary: 'The same for one connection.',
    request: object({ channel_id: channelOrNone, connection_id: connection, reason, redirect }),
    response: echo({ channel_id: channelOrNone, connection_id: connection }),
    errors: [NO_CONNECTION, SILENT],
  },
  {
    ...PUSHES,
    name: 'PushChannel',
    summary:
      'Sends the text message `{"type":"push","data":…}` to all connections of a channel, in the order of ' +
      'its messages.',
    request: object({ channel_id: channel, data, redirect }),
    response: PUSHED,
    errors: [NO_CHANNEL, SILENT],
  },
  {
    ...PUSHES,
    name: 'PushClient',
    summary: 'The same to the connections of one session key.',
    request: object({ channel_id: channelOrNone, client_id: client, data, redirect }),
    response: PUSHED,
    errors: [NO_CLIENT, SILENT],
  },
  {
    ...PUSHES,
    name: 'PushConnection',
    summary: 'The same to one connection.',
    request: object({ channel_id: channelOrNone, connection_id: connection, data, redirect }),
    response: PUSHED,
    errors: [NO_CONNECTION, SILENT],
  },
];
