/** A member that speaks the original's protocol beside three of ours, on real sockets. */
import { afterEach, describe, expect, it } from 'vitest';
import { KeyValues as OriginalValues } from '../legacy/key-values.ts';
import { LegacyServer } from '../legacy/legacy-server.ts';
import { type OurNode, startOurs, until } from '../legacy/our-nodes.ts';

const ours: OurNode[] = [];
const originals: LegacyServer[] = [];
afterEach(async () => {
  for (const node of ours.splice(0)) await node.end();
  for (const server of originals.splice(0)) await server.close();
});

async function startOriginal(port = 0): Promise<{ server: LegacyServer; values: OriginalValues }> {
  const values = new OriginalValues();
  const server = new LegacyServer({ cluster: 'cluster1', host: '127.0.0.1', port, application: values });
  originals.push(server);
  await server.listen();
  return { server, values };
}

function master(): OurNode | undefined {
  return ours.find((node) => node.log.status().isMaster);
}

function statuses(): unknown {
  return { ours: ours.map((node) => [node.log.status(), node.kv]), lines: ours[0]?.logger.lines.slice(-8) };
}

async function put(key: string, value: string): Promise<void> {
  await until(() => master() !== undefined, statuses);
  await (master() as OurNode).log.submit([{ type: 'add', key, value }]);
}

describe('an original member, in interop', () => {
  it('follows through entries, fail-overs and its own restarts, and may submit', async () => {
    const first = await startOriginal();
    ours.push(...(await startOurs(3, 'interop', [first.server.address])));
    await put('a', '1');
    await until(() => first.values.toObject().a === '1');
    // It is fed, and counted nowhere; the others come to vote.
    const rolesOf = (role: string): string[] => {
      const members = master()?.log.status().members ?? [];
      return members.filter((member) => member.role === role).map((member) => member.name);
    };
    await until(() => rolesOf('voter').length === 3, statuses);
    expect(rolesOf('foreign')).toEqual([first.server.address]);

    await first.server.submit(OriginalValues.add('b', '2'));
    await until(() => first.values.toObject().b === '2' && ours.every((node) => node.kv.b === '2'));

    for (let number = 0; number < 3; number++) {
      await (master() as OurNode).restart();
      await put('c', String(number));
      await put(`d${number}`, 'x');
      await until(() => JSON.stringify(sorted(first.values)) === JSON.stringify(master()?.kv), statuses);
    }

    const port = Number(new URL(first.server.address).port);
    await first.server.close();
    await put('e', '1');
    const second = await startOriginal(port);
    await put('f', '1');
    await until(() => JSON.stringify(sorted(second.values)) === JSON.stringify(master()?.kv), statuses);
    expect(second.values.toObject()).toMatchObject({ a: '1', b: '2', c: '2', e: '1', f: '1' });
  });

  it('wins no election, although it is told every member', async () => {
    const { server, values } = await startOriginal();
    ours.push(...(await startOurs(3, 'interop', [server.address])));
    await put('a', '1');
    await until(() => values.toObject().a === '1');
    const failure = await new Promise((done) => server.participant.startElection(done));
    expect(failure).toMatchObject({ code: 'ERR_MAJORITY' });
    await put('b', '1');
    await until(() => values.toObject().b === '1');
  });
});

describe('an original member, in strict', () => {
  it('is told nothing', async () => {
    const { server } = await startOriginal();
    ours.push(...(await startOurs(3, 'strict', [server.address])));
    await put('a', '1');
    await put('b', '1');
    // Whether it speaks the safe protocol has to be asked, in calls that hold nothing.
    const told = server.calls.filter((call) => call.method !== 'accept' || call.changes.length > 0);
    expect(told).toEqual([]);
    expect(server.participant.instance).toBe(0n);
  });
});

function sorted(values: OriginalValues): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values.toObject()).sort(([left], [right]) => (left < right ? -1 : 1)),
  );
}
