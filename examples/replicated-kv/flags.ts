/**
 * The flags of the example: those of the program that the protocol comes from, and a few more.
 *
 * Written as Go programs take them: `-x v`, `-x=v`, `--x v`; a switch takes a value only after `=`.
 */
import { parseArgs } from 'node:util';

/** What the flags say. */
export interface KvFlags {
  readonly initMaster: boolean;
  readonly participants: readonly string[];
  readonly host: string;
  readonly port: number;
  readonly cluster: string;
  readonly intervalSeconds: number;
  readonly dataDir: string;
  readonly mode: 'strict' | 'interop';
  readonly secretFile: string | null;
  readonly heartbeatMs: number | null;
  readonly electionMs: number | null;
}

/** The flags, one line each. */
export const USAGE = `Usage: npm run example:kv -- FLAGS
  -initMaster          found the cluster; ignored once -data holds a log
  -participants a,b    host:port of those who are to join it; ignored likewise
  -listen host:port    where this node is reached (default :9000, which is 127.0.0.1:9000)
  -cluster name        (default cluster1)
  -interval seconds    submits a random change this often; 86400 is silence (default 2)
  -data dir            where the log lies (default data/replicated-kv-PORT)
  -mode strict|interop interop feeds members that speak the original protocol only (default strict)
  -secret file         its lines are the secrets of the cluster, the first one signs
  -heartbeat ms, -election ms
                       how often a master is heard of, and after which silence it is replaced
`;

const SWITCHES = ['initMaster'];
const OPTIONS = {
  initMaster: { type: 'string', default: 'false' },
  participants: { type: 'string', default: '' },
  listen: { type: 'string', default: ':9000' },
  cluster: { type: 'string', default: 'cluster1' },
  interval: { type: 'string', default: '2' },
  data: { type: 'string' },
  mode: { type: 'string', default: 'strict' },
  secret: { type: 'string' },
  heartbeat: { type: 'string' },
  election: { type: 'string' },
} as const;

/** Reads the words behind the program's name; throws a sentence for people. */
export function parseFlags(words: readonly string[]): KvFlags {
  const { values } = parseArgs({ args: words.map(asLongOption), options: OPTIONS });
  const { host, port } = parseListen(values.listen);
  const { mode } = values;
  if (mode !== 'strict' && mode !== 'interop') throw new Error(`-mode is strict or interop, not ${mode}`);
  return {
    initMaster: ['true', '1', 't', 'T', 'TRUE', 'True'].includes(values.initMaster),
    participants: values.participants
      .split(',')
      .map((each) => each.trim())
      .filter((each) => each !== '')
      .map((each) => addressOf(parseListen(each))),
    host,
    port,
    cluster: values.cluster,
    intervalSeconds: number('interval', values.interval),
    dataDir: values.data ?? `data/replicated-kv-${port}`,
    mode,
    secretFile: values.secret ?? null,
    heartbeatMs: values.heartbeat === undefined ? null : number('heartbeat', values.heartbeat),
    electionMs: values.election === undefined ? null : number('election', values.election),
  };
}

/** How others reach what listens there. */
export function addressOf({ host, port }: { readonly host: string; readonly port: number }): string {
  return `http://${host}:${port}`;
}

/** `-x` is `--x`; a bare switch is `--x=true`. */
function asLongOption(word: string): string {
  const named = /^--?([a-zA-Z][^=]*)$/.exec(word)?.[1];
  if (named !== undefined && SWITCHES.includes(named)) return `--${named}=true`;
  return word.replace(/^-(?=[a-zA-Z])/, '--');
}

/** Without a host, this host alone. */
function parseListen(text: string): { host: string; port: number } {
  const [, host = '', port = ''] = /^(?:https?:\/\/)?([^/]*):(\d{1,5})$/.exec(text) ?? [];
  if (port === '') throw new Error(`${text} is not host:port`);
  return { host: host === '' ? '127.0.0.1' : host, port: Number(port) };
}

function number(name: string, text: string): number {
  const value = Number(text);
  if (text === '' || !Number.isFinite(value) || value <= 0) throw new Error(`-${name} is a number above 0`);
  return value;
}
