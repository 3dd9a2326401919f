/**
 * Changes of the cluster's state as bytes of the log, and back: JSON, looked at before it is believed.
 *
 * A change that is no change is skipped by all nodes alike, so what can be met here is checked here,
 * shape and bounds; whether it still fits the state is decided when it is applied. `encode` checks
 * too, because whoever submits learns nothing of a change that was skipped.
 */
import { CLUSTER_LIMITS, decodeUtf8, encodeUtf8, LOG_LIMITS } from '../base/index.ts';
import { Shape } from './shape.ts';
import type { ClusterChange, NodeFacts } from './types.ts';

/** Names these changes in the log. */
const KIND = 'cluster';
const VERSION = 1;

/** A name that is too long for the state is none too long for a change: the state refuses it by itself. */
const CHANNELS = { countMax: CLUSTER_LIMITS.channelsPerChangeMax, charactersMax: LOG_LIMITS.entryBytesMax };

/** The codec that the replicated log is given. `decode` and `encode` throw on what is no change. */
export const clusterCodec = {
  kind: KIND,
  version: VERSION,

  encode(change: ClusterChange): Uint8Array {
    return encodeUtf8(JSON.stringify(checkedChange(change)));
  },

  decode(bytes: Uint8Array, version: number): ClusterChange {
    if (version > VERSION) throw new Error(`Version ${version} of a change is unknown, ${VERSION} is known.`);
    return checkedChange(JSON.parse(decodeUtf8(bytes)));
  },
} as const;

/** The change that `value` is, without anything that is no part of it; throws when it is none. */
function checkedChange(value: unknown): ClusterChange {
  const fields = new Shape(value, 'a change');
  const type = fields.text('type', CLUSTER_LIMITS.idCharactersMax);
  const node = fields.nodeName('node');
  switch (type) {
    case 'node_up': {
      const boot = fields.id('boot');
      return { type, node, boot, facts: checkedFacts(fields.object('facts')), atMs: fields.whole('atMs') };
    }
    case 'node_down': {
      const reason = fields.oneOf('reason', ['stopped', 'silent']);
      return { type, node, epoch: fields.whole('epoch'), reason, atMs: fields.whole('atMs') };
    }
    case 'node_purged':
      return { type, node, atMs: fields.whole('atMs') };
    case 'channels_claimed':
      return { type, node, epoch: fields.whole('epoch'), channels: fields.texts('channels', CHANNELS) };
    case 'channels_released': {
      const channels = fields.objects('channels', CHANNELS.countMax).map((released) => ({
        name: released.text('name', CHANNELS.charactersMax),
        fencing: released.whole('fencing'),
      }));
      return { type, node, epoch: fields.whole('epoch'), channels };
    }
    default:
      throw new Error(`${JSON.stringify(type)} is no type of a change.`);
  }
}

function checkedFacts(facts: Shape): NodeFacts {
  const { urlCharactersMax, workersMax } = CLUSTER_LIMITS;
  return {
    version: facts.id('version'),
    workers: facts.whole('workers', workersMax),
    meshPorts: facts.wholes('meshPorts', { countMax: workersMax, max: 65_535 }),
    externalSignalingUrl: facts.text('externalSignalingUrl', urlCharactersMax),
    externalApiUrl: facts.text('externalApiUrl', urlCharactersMax),
    maxConnections: facts.whole('maxConnections'),
    maxNodes: facts.whole('maxNodes'),
  };
}
