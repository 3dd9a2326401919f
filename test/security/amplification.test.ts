/**
 * What hostile input costs: for each form of attack the node's processor time, memory and words for
 * a byte of the attacker, against ordinary traffic of the same kind in the same run.
 *
 * A witness of the same worker goes on receiving in order during each of them. What the multiples
 * mean is in `judgement.ts`; the canary beside this file shows that they can be exceeded.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { TestAuthority } from '../support/index.ts';
import type { Attack, Target } from './attack.ts';
import { ATTACKS_BY_FRAMES } from './attacks-by-frames.ts';
import { ATTACKS_BY_HTTP } from './attacks-by-http.ts';
import { ATTACKS_BY_LAYERS } from './attacks-by-layers.ts';
import { amplificationOf, faultsOf, median } from './judgement.ts';
import { type Cost, MeasuredNode } from './measured-node.ts';
import { ORDINARY, type TrafficKind } from './ordinary-traffic.ts';

const YARDSTICK_RUNS = 3;
const GREETING = 'PROXY TCP4 192.0.2.1 192.0.2.2 1024 80\r\n';
const CONFIG = {
  origin_policy: 'same_origin',
  limits: { handshake_timeout: '1s' },
};

const nodes = new Map<Target, MeasuredNode>();
const yardsticks = new Map<string, Cost>();
const table: string[] = [];

beforeAll(async () => {
  nodes.set('plain', await MeasuredNode.start(CONFIG));
  const behindProxy = { ...CONFIG, trusted_proxies: ['127.0.0.1'], proxy_protocol: 'required' };
  nodes.set('proxied', await MeasuredNode.start(behindProxy, ['close'], { greeting: GREETING }));
  const authority = new TestAuthority();
  const { cert, key } = authority.issue({ name: 'chat', names: ['DNS:chat.example'] });
  const secure = { ...CONFIG, tls: { certificates: [{ cert, key }] } };
  const tls = { ca: authority.root.certPem, servername: 'chat.example' };
  nodes.set('secure', await MeasuredNode.start(secure, ['close'], { tls }));
  nodes.set('inflating', await MeasuredNode.start({ ...CONFIG, compression: { enabled: true } }));
  nodes.set('receiving', await MeasuredNode.start(CONFIG, ['receive', 'close']));
});

afterAll(() => {
  console.info(`multiples of ordinary traffic: cpu, memory, outgoing, log\n${table.join('\n')}`);
});

/** Ordinary traffic costs what it costs on a warm node, so the first run does not count. */
async function yardstick(target: Target, kind: TrafficKind): Promise<Cost> {
  const known = yardsticks.get(`${target} ${kind}`);
  if (known !== undefined) return known;
  const node = nodes.get(target) as MeasuredNode;
  const greeting = target === 'proxied' ? GREETING : '';
  const costs: Cost[] = [];
  for (let run = 0; run <= YARDSTICK_RUNS; run++)
    costs.push(await node.measure((arena) => ORDINARY[kind](arena, greeting)));
  const measured = median(costs.slice(1));
  yardsticks.set(`${target} ${kind}`, measured);
  return measured;
}

test.each([...ATTACKS_BY_HTTP, ...ATTACKS_BY_FRAMES, ...ATTACKS_BY_LAYERS])(
  '$name',
  async (attack: Attack) => {
    const { target = 'plain', like, name } = attack;
    // Against plain traffic, which costs less than that of TLS.
    const ordinary = await yardstick(target === 'secure' ? 'plain' : target, like);
    const cost = await (nodes.get(target) as MeasuredNode).measure((arena) => attack.run(arena, 1));
    const { cpu, memory, outgoing, log } = amplificationOf(cost, ordinary);
    const multiples = [cpu, memory, outgoing, log]
      .map((multiple) => multiple.toFixed(2).padStart(7))
      .join(' ');
    const mib = Math.round(cost.peakBytes / 2 ** 20);
    table.push(
      `${multiples}  ${name} (${cost.payloadBytes} bytes, ${Math.round(cost.cpuNs / 1e6)} ms, ${mib} MiB)`,
    );
    expect(faultsOf(cost, ordinary)).toEqual([]);
  },
);
