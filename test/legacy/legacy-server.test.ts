/** The model on its port: the original's statuses, bodies and numbers, byte for byte. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KeyValues } from './key-values.ts';
import { LegacyServer } from './legacy-server.ts';

const values = new KeyValues();
const server = new LegacyServer({ cluster: 'c', host: '127.0.0.1', port: 0, application: values });
const YES = '{"Accepted":true,"Err":{"Code":"","Err":""}}';

beforeAll(() => server.listen());
afterAll(() => server.close());

async function post(method: string, body: string): Promise<string> {
  const response = await fetch(`${server.address}/_clusterc/c/${method}`, { method: 'POST', body });
  return `${response.status} ${await response.text()}`;
}

describe('an original on a port', () => {
  it('answers success in 44 bytes, and refusals with status 200', async () => {
    expect(Buffer.byteLength(YES)).toBe(44);
    expect(await post('prepare', '{"Instance":1}')).toBe(
      '200 {"Accepted":0,"Err":{"Code":"ERR_STATE",' +
        '"Err":"ERR_STATE: Prepare() called on unjoined or removed participant"}}',
    );
    const start = '{"Instance":18446744073709551614,"Sequence":1,"Cluster":"c","Self":{"Addr":"s"}}';
    expect(await post('start', start)).toBe(`200 ${YES}`);
    expect(await post('yprepare', '{"instance":18446744073709551615}')).toBe(
      '200 {"Accepted":18446744073709551615,"Err":{"Code":"","Err":""}}',
    );
    expect(await post('addmember', '{"Instance":18446744073709551614,"Sequence":1,"Mem":{"Addr":"<"}}')).toBe(
      `200 ${YES}`,
    );
  });

  it('reads integers as Go does, and nothing else for them', async () => {
    for (const number of ['2.0', '2e0', '"2"', '-1', '18446744073709551616']) {
      expect(await post('prepare', `{"Instance":${number}}`)).toMatch(/^500 \{"Code":"ERR_ENCODING"/);
    }
    expect(await post('prepare', '{"Instance":null}')).toContain('"Accepted":18446744073709551614');
    expect(await post('prepare', 'null')).toContain('"Accepted":18446744073709551614');
  });

  it('has a status for what is no call', async () => {
    expect(await post('accept', '')).toBe('500 {"Code":"ERR_IO","Err":"ERR_IO: Couldn\'t read request"}');
    expect(await post('nothing', '{}')).toBe('400 ');
    const unknown = await fetch(`${server.address}/_clusterc/other/prepare`, { method: 'POST', body: '{}' });
    expect([unknown.status, await unknown.text()]).toEqual([404, '404 page not found\n']);
  });

  it('founds a cluster, and takes another one in', async () => {
    const states = [new KeyValues(), new KeyValues()];
    const servers = states.map(
      (application) => new LegacyServer({ cluster: 'two', host: '127.0.0.1', port: 0, application }),
    );
    for (const each of servers) await each.listen();
    const [first, second] = servers as [LegacyServer, LegacyServer];
    try {
      first.participant.initMaster(first.address);
      const failure = await new Promise((done) => first.participant.addParticipant(second.address, done));
      expect(failure).toBeNull();
      await second.submit(KeyValues.add('x', '1'));
      await first.submit(KeyValues.add('y', '2'));
      // Of two members none has to answer, so what the second holds by now is anybody's guess.
      expect(states[0]?.toObject()).toEqual({ x: '1', y: '2' });
    } finally {
      for (const each of servers) await each.close();
    }
  });
});
