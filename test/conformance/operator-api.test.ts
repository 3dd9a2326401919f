/**
 * The examples that clients of WebRTC SFU Sora know, with the program that they are printed for: same
 * commands, same addresses, same answers but for `server`, dates and lengths.
 */
import { expect, test } from 'vitest';
import { NetworkRoom, type RunningNode, requireProgram, startNode } from '../support/index.ts';

const ORIGIN = 'http://127.0.0.1:5000';
const CORS = {
  'access-control-allow-headers': 'Origin, X-Requested-With, Content-Type, Accept, x-sora-target',
  'access-control-allow-methods': 'POST, OPTIONS',
  'access-control-allow-origin': ORIGIN,
  'access-control-max-age': '1000',
};
const SOME = expect.stringMatching(/./);
const HEADERS = {
  ...CORS,
  'content-length': SOME,
  'content-type': 'application/json',
  date: SOME,
  server: SOME,
};

/** A node of a cluster whose members speak at port 7400; `api`: where operators reach it. */
function start(room: NetworkRoom, name: string, api: string | null): Promise<RunningNode> {
  const host = name.split('@')[1] as string;
  const config = {
    node: { name },
    cluster: {
      ...{ id: 'main', listen: `${host}:7400`, secret: ['a-secret-of-sixteen-characters-or-more'] },
      external_api_url: `http://${host}:3000/`,
      external_signaling_url: `wss://${name.split('@')[0]}.example.com/signaling`,
      max_nodes: 10,
    },
    ...(api === null ? {} : { api: { listen: api, cors_origin: ORIGIN } }),
  };
  return startNode({ config, inside: (command) => room.inside(command) });
}

/** What httpie prints of the answer when it is asked for everything (`-vvv`). */
function answerTo(room: NetworkRoom, command: string) {
  const { stdout, stderr } = room.run(command.replace(/^http /, 'http --ignore-stdin '));
  const text = stdout.slice(stdout.lastIndexOf('HTTP/1.1 ')).replaceAll('\r\n', '\n');
  const [head = '', ...rest] = text.split('\n\n');
  const [status = '', ...lines] = head.split('\n');
  expect(lines.length, `${command}\n${stdout}${stderr}`).toBeGreaterThan(0);
  const headers = lines.map((line) => line.split(/: (.*)/s).slice(0, 2) as [string, string]);
  const body = rest
    .join('\n\n')
    .replace(/\n\nElapsed time: .*$/s, '')
    .trim();
  return { status, names: headers.map(([name]) => name), headers: Object.fromEntries(headers), body };
}

/** Runs a printed command and compares all but `server`, the date and the length. */
function expectAnswer(room: NetworkRoom, command: string, body: unknown, status = '200 OK'): void {
  const answer = answerTo(room, command);
  expect(answer.status, answer.body).toBe(`HTTP/1.1 ${status}`);
  expect(answer.headers).toEqual(HEADERS);
  expect(answer.names).toEqual(Object.keys(HEADERS));
  expect(JSON.parse(answer.body)).toEqual(body);
}

/** Founding takes its time on a busy host; what is asked is asked until it is so. */
async function until(room: NetworkRoom, command: string, isSo: (body: string) => boolean): Promise<void> {
  await expect.poll(() => isSo(answerTo(room, command).body), { timeout: 60_000, interval: 500 }).toBe(true);
}

const LIST = 'http POST 127.0.0.1:3000/ x-sora-target:Sora_20211215.ListClusterNodes -vvv';

test('founding, modes and lists, as printed', { timeout: 240_000 }, async () => {
  expect(['http', 'ip', 'nsenter'].map(requireProgram)).not.toContain(null);
  const names = ['node-02@192.0.2.7', 'node-03@10.99.0.8', 'node-01@192.0.2.5'] as const;
  const room = await NetworkRoom.open(names.map((name) => name.split('@')[1] as string));
  await start(room, names[2], '127.0.0.1:3000');
  await Promise.all([start(room, names[0], null), start(room, names[1], null)]);
  const mode = 'http POST 127.0.0.1:3000 x-sora-target:Sora_20211215.GetMode -vvv';
  expectAnswer(room, mode, { mode: 'initial' });
  expectAnswer(room, LIST, []);
  const list = `["node-02@192.0.2.7", "node-03@10.99.0.8", "node-01@192.0.2.5"]`;
  const init = `http POST 127.0.0.1:3000/ x-sora-target:Sora_20221221.InitCluster \\
    node_name_list:='${list}' \\
    -vvv`;
  expectAnswer(room, init, { node_name_list: JSON.parse(list) });
  await until(room, mode, (body) => body.includes('normal'));
  expectAnswer(room, mode, { mode: 'normal' });
  expect(JSON.parse(answerTo(room, init).body)).toMatchObject({ error_type: 'ALREADY-INITIALIZED' });
  const block = (wanted: string) =>
    `http POST 127.0.0.1:3000 x-sora-target:Sora_20211215.ChangeMode mode=${wanted} -vvv`;
  for (const wanted of ['block_new_session', 'block_new_connection', 'normal']) {
    expectAnswer(room, block(wanted), { mode: wanted });
    expectAnswer(room, mode, { mode: wanted });
  }
  expect(answerTo(room, block('initial'))).toMatchObject({
    status: 'HTTP/1.1 400 Bad Request',
    body: expect.stringContaining('InvalidJSON'),
  });
  await until(room, LIST, (body) => body.split('"mode":"normal"').length === 4);
  expectAnswer(
    room,
    LIST,
    [...names].sort().map((name) =>
      expect.objectContaining({
        external_api_url: `http://${name.split('@')[1]}:3000/`,
        epoch: 1,
        license_max_connections: expect.any(Number),
        license_serial_code: SOME,
        license_type: SOME,
        node_name: name,
        mode: 'normal',
        connected: true,
        external_signaling_url: `wss://${name.split('@')[0]}.example.com/signaling`,
        version: SOME,
      }),
    ),
  );
  expectAnswer(room, LIST.replace('ListClusterNodes', 'ListClusterChannels'), []);
});

test('joining and purging, as printed', { timeout: 240_000 }, async () => {
  expect(['http', 'ip', 'nsenter'].map(requireProgram)).not.toContain(null);
  const [contact, doomed, joiner] = ['node-03@192.0.2.8', 'node-03@192.0.2.5', 'node-04@192.0.2.9'] as const;
  const room = await NetworkRoom.open(['192.0.2.8', '192.0.2.5', '192.0.2.9']);
  await start(room, contact, '127.0.0.1:3001');
  const [leaving] = await Promise.all([start(room, doomed, null), start(room, joiner, '127.0.0.1:3000')]);
  expectAnswer(
    room,
    `http POST 127.0.0.1:3001/ x-sora-target:Sora_20221221.InitCluster \\
      node_name_list:='["${contact}", "${doomed}"]' -vvv`,
    { node_name_list: [contact, doomed] },
  );
  const join = `http POST 127.0.0.1:3000/ x-sora-target:Sora_20211215.JoinCluster \\
    contact_node_name=node-03@192.0.2.8 \\
    -vvv`;
  const members = { node_name_list: [doomed, contact, joiner].sort() };
  expectAnswer(room, join, members);
  expectAnswer(room, join.replace('JoinCluster', 'RegisterClusterNode'), members);
  const purge = (
    port: number,
  ) => `http POST 127.0.0.1:${port}/ x-sora-target:Sora_20220629.PurgeClusterNode \\
    target_node_name=node-03@192.0.2.5 \\
    -vvv`;
  const alive = { error_reason: { target_node: doomed }, error_type: 'NODE-IS-ALIVE' };
  expectAnswer(room, purge(3001), alive, '400 Bad Request');
  // A majority has to be left without the one that stops.
  const voters = (body: string) => body.split('"voter":true').length === 4;
  await until(room, LIST, voters);
  await leaving.stop();
  const all = LIST.replace(' -vvv', ' include_all_known_nodes:=true -vvv');
  await until(room, all, (body) => {
    const rows = JSON.parse(body) as { node_name: string; connected: boolean }[];
    return rows.some((row) => row.node_name === doomed && !row.connected);
  });
  const known = JSON.parse(answerTo(room, all).body) as { node_name: string }[];
  expect(known.find(({ node_name }) => node_name === doomed)).toEqual({
    node_name: doomed,
    connected: false,
  });
  expectAnswer(room, purge(3000), { target_node_name: doomed });
  await until(room, all, (body) => !body.includes(doomed));
});
