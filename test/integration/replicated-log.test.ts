/** The library, three and more members in one process, on real disks and sockets. */
import { rmSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { TestAuthority } from '../support/certificates.ts';
import { LogCluster } from '../support/log-cluster.ts';

const codeOf = async (attempt: Promise<unknown>): Promise<string> => {
  return await attempt.then(
    () => 'done',
    (error: { code: string }) => error.code,
  );
};

describe('three members', () => {
  it('apply what any of them submits, in one order, and tell of it', async () => {
    const cluster = await LogCluster.ofVoters(3);
    const words = Array.from({ length: 30 }, (_, index) => `w${index}`);
    await Promise.all(words.map((word, index) => cluster.log((index % 3) + 1).submit([word])));
    await Promise.all([1, 2, 3].map((number) => cluster.log(number).read()));
    expect(cluster.words(1).toSorted()).toEqual(words.toSorted());
    expect([cluster.words(2), cluster.words(3)]).toEqual([cluster.words(1), cluster.words(1)]);
    const told = (number: number): string[] => {
      return cluster.member(number).events.filter((event) => event.startsWith('committed'));
    };
    expect(told(1).length).toBe(30);
    expect([told(2), told(3)]).toEqual([told(1), told(1)]);
  });

  it('apply a submission once, however often it is made, across a change of masters', async () => {
    const cluster = await LogCluster.ofVoters(3);
    const master = await cluster.master();
    const first = await cluster.log(master).submit(['once'], { requestId: 'r' });
    await cluster.stop(master);
    const other = await cluster.master();
    const again = await cluster.log(other).submit(['once'], { requestId: 'r' });
    expect(again.index).toBe(first.index);
    expect(cluster.words(other)).toEqual(['once']);
  });

  it('go on without one of them, which catches up when it comes back', async () => {
    const cluster = await LogCluster.ofVoters(3);
    const gone = await cluster.master();
    await cluster.log(gone).submit(['before']);
    await cluster.stop(gone);
    const left = cluster.numbers;
    await Promise.all(left.map((number) => cluster.log(number).submit([`by ${number}`])));
    const { events } = await cluster.start(gone);
    await cluster.log(gone).read();
    expect(cluster.words(gone)).toEqual(cluster.words(left[0] as number));
    expect(events[0]).toContain('before');
  });

  it('let a submission wait for the next master instead of failing', async () => {
    const cluster = await LogCluster.ofVoters(3);
    const master = await cluster.master();
    const follower = await cluster.follower();
    const words = Array.from({ length: 20 }, (_, index) => `w${index}`);
    const all = words.map((word) => cluster.log(follower).submit([word]));
    await cluster.stop(master);
    await Promise.all(all);
    await cluster.log(follower).read();
    expect(cluster.words(follower).toSorted()).toEqual(words.toSorted());
  });

  it('refuse reads and submissions where there is no majority', async () => {
    const cluster = await LogCluster.ofVoters(3);
    const master = await cluster.master();
    const others = cluster.numbers.filter((number) => number !== master);
    for (const number of others) await cluster.stop(number);
    expect(await codeOf(cluster.log(master).read({ timeoutMs: 300 }))).toBe('LOG_NOT_CONFIRMED');
    expect(await codeOf(cluster.log(master).submit(['w'], { timeoutMs: 300 }))).toBe('LOG_TIMEOUT');
    await cluster.start(others[0] as number);
    expect(await codeOf(cluster.log(master).submit(['w2']))).toBe('done');
  });

  it('skip a change that cannot be decoded, all of them alike', async () => {
    const cluster = await LogCluster.ofVoters(3);
    const { index } = await cluster.log(1).submit(['good', 'undecodable', 'better']);
    await Promise.all([1, 2, 3].map((number) => cluster.log(number).read()));
    for (const number of [1, 2, 3]) {
      expect(cluster.words(number)).toEqual(['good', 'better']);
      expect(cluster.member(number).events).toContain(`undecodable ${index}`);
    }
  });
});

describe('disks', () => {
  it('bring a cluster back that stopped as a whole', async () => {
    const cluster = await LogCluster.ofVoters(3, { snapshotLogBytes: 2_000 });
    for (let round = 0; round < 40; round++) await cluster.log(1).submit([`${round} ${'x'.repeat(100)}`]);
    const before = cluster.words(1).slice();
    await cluster.stopAll();
    for (const number of [1, 2, 3]) await cluster.start(number);
    await Promise.all([1, 2, 3].map((number) => cluster.log(number).read({ timeoutMs: 20_000 })));
    for (const number of [1, 2, 3]) expect(cluster.words(number)).toEqual(before);
  });

  it('that were emptied are filled again, by a snapshot, and their members vote again', async () => {
    const cluster = await LogCluster.ofVoters(3, { snapshotLogBytes: 2_000 });
    const emptied = await cluster.follower();
    for (let round = 0; round < 40; round++)
      await cluster.log(emptied).submit([`${round} ${'x'.repeat(100)}`]);
    await cluster.stop(emptied);
    rmSync(cluster.dataDir(emptied), { recursive: true });
    // With the flags of the first start: an emptied founder must not found a second cluster.
    const { log } = await cluster.start(emptied, { initMaster: true, foundingPauseMs: 5_000 });
    await log.read({ timeoutMs: 20_000 });
    await cluster.until(() => log.status().role === 'voter');
    const master = await cluster.master();
    expect(cluster.words(emptied)).toEqual(cluster.words(master));
  });

  it('belong to one node at a time', async () => {
    const cluster = await LogCluster.ofVoters(1);
    const second = cluster.start(2, { dataDir: cluster.dataDir(1) });
    expect(await codeOf(second)).toBe('DATA_DIR_IN_USE');
  });
});

describe('members', () => {
  it('join and leave while changes are submitted, and who leaves is told', async () => {
    const cluster = await LogCluster.ofVoters(3);
    await cluster.start(4);
    await cluster.start(5);
    await cluster.log(2).addMember(cluster.address(4));
    await cluster.log(3).addMember(cluster.address(5));
    await cluster.until(() => [1, 2, 3, 4, 5].every((number) => cluster.votersOf(number).length === 5));
    await cluster.log(5).submit(['five']);
    await cluster.log(4).read();
    expect(cluster.words(4)).toEqual(['five']);
    const leaving = await cluster.follower();
    await cluster.log(leaving).removeMember(cluster.address(leaving));
    await cluster.until(() => cluster.member(leaving).events.includes('removed'));
    await cluster.until(() => cluster.log(leaving).status().role === 'removed');
    expect(
      await codeOf(cluster.log(leaving).removeMember('http://127.0.0.9:1', { timeoutMs: 300 })),
    ).not.toBe('done');
  });

  it('that never come up do not keep the others from working, and may still come', async () => {
    const cluster = await LogCluster.make();
    const participants = [cluster.address(2), cluster.address(3)];
    await cluster.start(2);
    await cluster.start(1, { initMaster: true, participants });
    await cluster.log(2).submit(['early'], { timeoutMs: 20_000 });
    await cluster.start(3);
    await cluster.until(() => cluster.votersOf(1).length === 3);
    await cluster.log(3).read();
    expect(cluster.words(3)).toEqual(['early']);
  });

  it('hand the mastership over when they are asked to, and when they close', async () => {
    const cluster = await LogCluster.ofVoters(3);
    const first = await cluster.master();
    const second = cluster.numbers.find((number) => number !== first) as number;
    await cluster.log(first).transferMastership(cluster.address(second));
    await cluster.until(() => cluster.log(second).status().isMaster);
    expect(await codeOf(cluster.log(first).transferMastership())).toBe('LOG_NOT_MASTER');
    await cluster.stop(second);
    expect(await codeOf(cluster.log(first).submit(['on'], { timeoutMs: 20_000 }))).toBe('done');
  });
});

describe('peers', () => {
  const bodyOf = (word: string): string =>
    JSON.stringify({ Changes: [Buffer.from(word).toString('base64')] });

  it('with a common secret, old and new ones while it is changed; nobody else submits', async () => {
    const cluster = await LogCluster.make();
    await cluster.found(3, { secrets: ['old'] });
    const rolled = await cluster.follower();
    await cluster.stop(rolled);
    await cluster.start(rolled, { secrets: ['old', 'new'] });
    await cluster.log(rolled).submit(['signed'], { timeoutMs: 20_000 });
    const url = `${cluster.address(await cluster.master())}/_clusterc/words/submit`;
    const answer = await fetch(url, { method: 'POST', body: bodyOf('unsigned') });
    expect(answer.status).toBe(401);
    await cluster.start(4, { secrets: ['guessed'] });
    await cluster.log(rolled).addMember(cluster.address(4));
    await cluster.log(rolled).submit(['after']);
    await cluster.log(rolled).read();
    expect(cluster.words(rolled)).toEqual(['signed', 'after']);
    expect(cluster.log(4).status().role).toBe('unjoined');
  });

  it('with certificates of one authority; a caller without one is not heard', async () => {
    const authority = new TestAuthority();
    const stranger = new TestAuthority(undefined, 'stranger');
    const cluster = await LogCluster.make();
    cluster.scheme = 'https';
    const names = [1, 2, 3].map((number) => `IP:127.0.0.${number}`);
    const { cert, key } = authority.issue({ name: 'member', names });
    await cluster.found(3, { tls: { cert, key, ca: authority.root.cert } });
    await cluster.log(2).submit(['encrypted']);
    await cluster.log(3).read();
    expect(cluster.words(3)).toEqual(['encrypted']);
    const other = stranger.issue({ name: 'other', names });
    await cluster.start(4, { tls: { cert: other.cert, key: other.key, ca: stranger.root.cert } });
    await cluster.log(1).addMember(cluster.address(4));
    await cluster.log(1).submit(['after']);
    expect(cluster.log(4).status().role).toBe('unjoined');
  });

  it('in the original protocol are answered by the master alone, on plain loopback', async () => {
    const cluster = await LogCluster.ofVoters(3);
    const [master, follower] = [await cluster.master(), await cluster.follower()];
    const submit = async (number: number, body: string): Promise<string> => {
      const url = `${cluster.address(number)}/_clusterc/words/submit`;
      return await (await fetch(url, { method: 'POST', body })).text();
    };
    const yes = '{"Accepted":true,"Err":{"Code":"","Err":""}}';
    const nonMaster = "ERR_STATE: Can't request changes to be submitted on non-master";
    const no = `{"Accepted":false,"Err":{"Code":"ERR_STATE","Err":"${nonMaster}"}}`;
    expect(await submit(master, bodyOf('foreign'))).toBe(yes);
    expect(await submit(master, '{"Changes":[]}')).toBe(yes);
    expect(await submit(follower, bodyOf('foreign'))).toBe(no);
    expect(await submit(follower, '{"Changes":[]}')).toBe(no);
    expect(await submit(master, bodyOf('undecodable'))).toContain('ERR_ENCODING');
    expect(await cluster.log(follower).read()).toBeDefined();
    expect(cluster.words(follower)).toEqual(['foreign']);
  });

  it('that read pages get them beside the calls of the log, and a failing one as 500', async () => {
    const cluster = await LogCluster.make();
    const pages = {
      '/words': ({ query }: { query: string }) => ({
        status: 200,
        type: 'text/plain',
        body: `asked ${query}`,
      }),
      '/broken': () => Promise.reject(new Error('broken')),
    };
    const { lines } = await cluster.start(1, { initMaster: true, pages });
    const ask = async (path: string): Promise<string> => {
      const answer = await fetch(`${cluster.address(1)}${path}`);
      return `${answer.status} ${(await answer.text()).trim()}`;
    };
    expect(await ask('/words?a=1')).toBe('200 asked a=1');
    expect(await ask('/broken')).toBe('500 Internal Server Error');
    expect(lines.messages('error')).toEqual(['a page failed']);
    expect(await ask('/other')).toMatch(/^40\d/);
  });
});

describe('a closed node', () => {
  it('refuses everything, and whatever waited', async () => {
    const cluster = await LogCluster.make();
    const { log } = await cluster.start(1);
    const waiting = codeOf(log.submit(['never']));
    const reading = codeOf(log.read());
    await cluster.stop(1);
    expect(await Promise.all([waiting, reading])).toEqual(['LOG_CLOSED', 'LOG_CLOSED']);
    expect(await codeOf(log.submit(['late']))).toBe('LOG_CLOSED');
    expect(await codeOf(log.read())).toBe('LOG_CLOSED');
    expect(log.status().condition).toBe('stopped');
  });

  it('gives its port and its directory back', async () => {
    const cluster = await LogCluster.ofVoters(1);
    await cluster.log(1).submit(['kept']);
    await cluster.stop(1);
    await cluster.start(1);
    await cluster.log(1).read();
    expect(cluster.words(1)).toEqual(['kept']);
  });
});

describe('what may not be', () => {
  it.each([
    [
      'a port beyond this host without a secret',
      { listen: { host: '0.0.0.0', port: 0 } },
      'CLUSTER_PORT_OPEN',
    ],
    ['an address with a slash at its end', { address: 'http://127.0.0.1:1/' }, 'LOG_OPTIONS_INVALID'],
    ['an election as short as a heartbeat', { timing: { electionMs: 100 } }, 'LOG_OPTIONS_INVALID'],
  ])('%s', async (_, options, code) => {
    const cluster = await LogCluster.make();
    expect(await codeOf(cluster.start(1, options))).toBe(code);
  });

  it('a submission without a change, or too large for an entry', async () => {
    const cluster = await LogCluster.ofVoters(1);
    expect(await codeOf(cluster.log(1).submit([]))).toBe('LOG_OPTIONS_INVALID');
    expect(await codeOf(cluster.log(1).submit(['x'.repeat(5 * 1_024 * 1_024)]))).toBe('LOG_TOO_LARGE');
  });
});
