/**
 * Changes the configuration of a running node, as an operator does: the file, then a word to the node.
 *
 * The word goes over the control socket, because its answer says when the change is in force. That
 * the command line and the signal do the same has tests of its own.
 */
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { configText, type NodeOptions, type RunningNode } from './start-node.ts';

/** What the node says about a reload. */
export interface ReloadAnswer {
  readonly result: string;
  readonly applied: readonly string[];
  readonly restart: readonly string[];
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
  readonly late: readonly string[];
}

/** Writes another file, which the node has not read yet. */
export function configure(node: RunningNode, config: NodeOptions['config']): void {
  writeFileSync(node.configFile, configText(config, node.folder));
}

/** Sends one line to the control socket of the node; its answer, as text. */
export function tellNode(node: RunningNode, line: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(join(node.folder, 'data/control.sock'));
    let text = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(text));
    socket.write(line);
  });
}

/** Has the node read its file again; resolves when it has said what came of it. */
export async function reloadNode(node: RunningNode): Promise<ReloadAnswer> {
  const { answer } = JSON.parse(await tellNode(node, '{"command":"reload"}\n')) as { answer: ReloadAnswer };
  return answer;
}
