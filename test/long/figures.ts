/**
 * A node's figures, read through its doors: `/metrics` by worker, `/stats` of the whole.
 */
import { type RunningNode, request } from '../support/index.ts';

/** The samples of one metric without further labels, by worker (`gateway/0`). */
export async function figuresByWorker(node: RunningNode, metric: string): Promise<Map<string, number>> {
  const page = await request({ url: `${node.addresses.api?.url}/metrics` });
  const figures = new Map<string, number>();
  const sample = new RegExp(`^${metric}\\{worker="([^"]+)"\\} (\\S+)$`, 'gm');
  for (const [, worker, value] of page.text.matchAll(sample)) figures.set(worker as string, Number(value));
  if (figures.size === 0) throw new Error(`${metric} is not in ${page.text.slice(0, 200)}`);
  return figures;
}

/** What `/stats` says. */
export type NodeFigures = Readonly<
  Record<
    | 'connections'
    | 'total_connections'
    | 'total_messages'
    | 'connect_errors'
    | 'message_errors'
    | 'closing_connections',
    number
  >
>;

/** Asks for `/stats` over a connection of its own, so that any worker may answer. */
export async function nodeFigures(node: RunningNode): Promise<NodeFigures> {
  const listener = node.addresses.app ?? node.addresses.public;
  const answer = await request({ url: `${listener.url}/stats` });
  return answer.json() as NodeFigures;
}
