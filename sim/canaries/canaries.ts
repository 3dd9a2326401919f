/**
 * The bugs that are planted, one at a time, to see whether the simulator finds them.
 *
 * Each replaces an exact piece of the product in a copy of it. `seedsMax`: within so many seeds it
 * has to be caught, with room to spare over what was seen when it was planted; one that lives longer
 * means that a checker or a fault has gone blind. A piece that is no longer there is planted anew.
 */
import type { Focus } from '../swarm.ts';
import type { Plant } from './planted-house.ts';

/** One planted bug. */
export interface Canary {
  /** What is wrong, as one would say it of a broken product. */
  readonly name: string;
  readonly seedsMax: number;
  /** In worlds of this kind (`swarm.ts`); absent: in all kinds. */
  readonly focus?: Focus;
  readonly plants: readonly Plant[];
}

const CONSENSUS = 'src/consensus';

/** All of them. */
export const CANARIES: readonly Canary[] = [
  {
    name: 'sends before it saves',
    seedsMax: 40,
    plants: [
      {
        file: 'src/store/save-queue.ts',
        find: '    this.#held.push({ token, envelopes });\n',
        replace: '    this.#held.push({ token: 0, envelopes });\n',
      },
    ],
  },
  {
    name: 'forgets over a restart what it promised and whom it voted for',
    seedsMax: 60,
    focus: 'votes',
    plants: [
      {
        file: `${CONSENSUS}/core.ts`,
        find: 'this.#promise = restored.promise;',
        replace: 'this.#promise = { ballot: this.log.lastBallot, votedFor: null };',
      },
    ],
  },
  {
    name: 'counts a refusal as a vote',
    seedsMax: 40,
    plants: [
      {
        file: `${CONSENSUS}/candidate.ts`,
        find: 'answer.call < this.#firstCall || !answer.granted) return;',
        replace: 'answer.call < this.#firstCall) return;',
      },
    ],
  },
  {
    name: 'takes half for a majority',
    seedsMax: 100,
    plants: [
      {
        file: `${CONSENSUS}/quorum.ts`,
        find: 'return Math.floor(voters / 2) + 1;',
        replace: 'return Math.ceil(voters / 2);',
      },
    ],
  },
  {
    name: "commits an old ballot's entry by counting",
    seedsMax: 100,
    focus: 'masters',
    plants: [
      {
        file: `${CONSENSUS}/commit.ts`,
        find: 'log.ballotAt(index) === ballot ? index : 0',
        replace: 'log.ballotAt(index) <= ballot ? index : 0',
      },
    ],
  },
  {
    name: 'votes for a log that is behind its own',
    seedsMax: 40,
    plants: [
      {
        file: `${CONSENSUS}/voter.ts`,
        find: '(lastBallot === log.lastBallot && lastIndex >= log.lastIndex)',
        replace: 'lastBallot === log.lastBallot',
      },
    ],
  },
  {
    name: 'applies twice after a snapshot',
    seedsMax: 40,
    plants: [
      {
        file: 'src/store/embedded.ts',
        find: 'take: (index) => ({ ...replica.describe(index), state: state.snapshot() }),',
        replace:
          'take: (index) => ({ ...replica.describe(index), index: index - 1, state: state.snapshot() }),',
      },
    ],
  },
  {
    name: 'votes after it lost the tail of its log',
    seedsMax: 100,
    focus: 'tails',
    plants: [
      {
        file: `${CONSENSUS}/core.ts`,
        find: 'this.#muted = restored.muted;',
        replace: 'this.#muted = false;',
      },
    ],
  },
  {
    name: 'says that it is on disk without a sync',
    seedsMax: 40,
    plants: [
      {
        file: 'sim/disk.ts',
        find: '      this.#inode.endSync(covered);\n',
        replace: '',
      },
    ],
  },
  {
    name: 'gives a snapshot its name before it is on disk',
    seedsMax: 60,
    plants: [
      {
        file: 'src/journal/log/snapshot-file.ts',
        find: 'file.sync(isLast ? finish : step);',
        replace: 'if (isLast) finish(null);\n      else file.sync(step);',
      },
    ],
  },
  {
    name: 'answers reads without a confirmation',
    seedsMax: 200,
    plants: [
      {
        file: `${CONSENSUS}/master.ts`,
        find: '    if (this.#reads.count < this.#core.settings.readsMax) this.#reads.add(read);\n',
        replace:
          '    if (this.#isAnnounced) this.#answerRead(read);\n' +
          '    else if (this.#reads.count < this.#core.settings.readsMax) this.#reads.add(read);\n',
      },
    ],
  },
  {
    name: 'counts learners for a majority',
    seedsMax: 100,
    plants: [
      {
        file: `${CONSENSUS}/roster.ts`,
        find: '    this.#voters = votersOf(configuration);\n',
        replace: "    this.#voters = configuration.members.filter(({ role }) => role !== 'foreign');\n",
      },
    ],
  },
  {
    name: 'changes the members while a change is under way',
    seedsMax: 40,
    plants: [
      {
        file: `${CONSENSUS}/master.ts`,
        find: 'log.configurationIndex > commitIndex || this.#isResigning',
        replace: 'log.configurationIndex > commitIndex + 1e9 || this.#isResigning',
      },
    ],
  },
  {
    name: 'forgets the request ids in a snapshot',
    seedsMax: 40,
    plants: [
      {
        file: `${CONSENSUS}/requests.ts`,
        find: 'return [...this.#applied];',
        replace: 'return [];',
      },
    ],
  },
  {
    name: 'takes a late heartbeat for a fresh one',
    seedsMax: 40,
    plants: [
      {
        file: `${CONSENSUS}/contact.ts`,
        find: 'const sinceMs = echoMs - ageMs;',
        replace: 'const sinceMs = nowMs - ageMs;',
      },
    ],
  },
  {
    name: 'commits what the master committed, whether it has it or not',
    seedsMax: 40,
    plants: [
      {
        file: `${CONSENSUS}/follower.ts`,
        find: 'Math.min(commitIndex, matchIndex, log.lastIndex)',
        replace: 'Math.min(commitIndex, log.lastIndex)',
      },
    ],
  },
  {
    name: 'lets a directory vote that was emptied',
    seedsMax: 200,
    plants: [
      {
        file: `${CONSENSUS}/candidate.ts`,
        find: 'return sender?.storage === storage && !sender.muted;',
        replace: 'return sender !== undefined && storage !== null && !sender.muted;',
      },
      {
        file: `${CONSENSUS}/progress.ts`,
        find: 'this.storage !== null && this.storage === member.storage &&',
        replace: 'this.storage !== null && member.storage !== null &&',
      },
    ],
  },
  {
    name: 'believes an echo of its clock that an earlier life of it has sent',
    seedsMax: 60,
    plants: [
      {
        file: `${CONSENSUS}/contact.ts`,
        find: 'echoMs === null || echoMs < startMs || echoMs > nowMs || ageMs < 0',
        replace: 'echoMs === null || ageMs < 0',
      },
    ],
  },
  {
    name: 'counts muted voters for a majority of votes',
    seedsMax: 100,
    focus: 'tails',
    plants: [
      {
        file: `${CONSENSUS}/candidate.ts`,
        find: 'return sender?.storage === storage && !sender.muted;',
        replace: 'return sender?.storage === storage;',
      },
      {
        file: `${CONSENSUS}/candidate.ts`,
        find: 'return isMajority && !muted ?',
        replace: 'return isMajority ?',
      },
      {
        file: `${CONSENSUS}/progress.ts`,
        find: 'this.storage === member.storage && (!this.muted || isVouched)',
        replace: 'this.storage === member.storage',
      },
    ],
  },
  {
    name: 'reads at once what the master said to wait for',
    seedsMax: 60,
    plants: [
      {
        file: `${CONSENSUS}/reads.ts`,
        find: 'index: index as Index });',
        replace: 'index: Math.min(index as Index, 0) });',
      },
    ],
  },
  {
    name: 'counts a muted voter again before it holds what was committed without it',
    seedsMax: 100,
    focus: 'tails',
    plants: [
      {
        file: `${CONSENSUS}/follower.ts`,
        find: 'if (!core.muted || readmitAt === null || readmitAt > matchIndex) return;',
        replace: 'if (!core.muted) return;',
      },
      {
        file: `${CONSENSUS}/follower.ts`,
        find: 'if (echoMs !== null && echoMs >= core.clockStartMs && echoMs <= core.clockMs) core.unmute();',
        replace: 'core.unmute();',
      },
    ],
  },
  {
    name: 'stays master whether it hears of a majority or not',
    seedsMax: 200,
    plants: [
      {
        file: `${CONSENSUS}/master.ts`,
        find: 'if (this.contactAgeMs > settings.electionMaxMs) this.#isResigning = true;',
        replace: '',
      },
    ],
  },
];
