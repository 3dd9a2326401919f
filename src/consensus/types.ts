/**
 * The words of the replicated log: what a replica is told, what it says, what it keeps.
 *
 * Data only. Who sends which message to whom, and what it promises, is the table in
 * `docs/reference/log-protocol.md`; the rules are those of Raft (Ongaro 2014) under other names.
 */

/** The address at which its peers reach a member; exact text, no slash at the end. */
export type MemberName = string;
/** Place of an entry in the log: 1, 2, 3 ...; 0 stands before the first. */
export type Index = number;
/** Epoch of a master; a ballot has at most one. 0: none yet. */
export type Ballot = number;

/** Kinds of change -> newest version of each that a member can apply. */
export type KnownKinds = Readonly<Record<string, number>>;

/** One node of the cluster, as the log knows it. */
export interface Member {
  readonly name: MemberName;
  /** The data directory that speaks for the name; null until one has answered. A voter always has one. */
  readonly storage: string | null;
  /** A learner replicates without voting; `store/` feeds a foreign one in the original protocol. */
  readonly role: 'voter' | 'learner' | 'foreign';
  readonly knows: KnownKinds;
}

/** The members, in the order of their joining. Names are unique. */
export interface Configuration {
  readonly members: readonly Member[];
}

/** What an entry holds. `changes` is one submission: an ordered list of changes, opaque here. */
export type Payload =
  | { readonly type: 'noop' }
  | { readonly type: 'members'; readonly configuration: Configuration }
  | {
      readonly type: 'changes';
      readonly kind: string;
      readonly version: number;
      /** Drawn by the submitter; a repeat of it is not applied again. Null: at least once. */
      readonly requestId: string | null;
      readonly changes: readonly Uint8Array[];
    };

/** One place of the log, filled. */
export interface Entry {
  readonly index: Index;
  /** Of the master that created it. */
  readonly ballot: Ballot;
  readonly payload: Payload;
}

/** Everything up to and including `index`, in place of the entries. */
export interface Snapshot {
  readonly index: Index;
  /** Of the entry at `index`. */
  readonly ballot: Ballot;
  /** The latest configuration at `index`. */
  readonly configuration: Configuration;
  /** Request ids that were applied, oldest first, with their indexes: what a repeat is known by. */
  readonly requests: readonly (readonly [requestId: string, index: Index])[];
  /** The state, as the state's own `snapshot` wrote it. */
  readonly state: Uint8Array;
}

/** What a voter must never forget. */
export interface VotePromise {
  /** The highest ballot that it has seen; nothing below it is accepted. */
  readonly ballot: Ballot;
  /** Who got its vote in that ballot. */
  readonly votedFor: MemberName | null;
}

/** What every message says about its sender. */
export interface Sender {
  /** Drawn when the cluster was made; null: a node that has not joined one yet. */
  readonly incarnation: string | null;
  readonly storage: string;
  /** Drawn at each start of the process, and where its `clockMs` begins: tells one life from the next. */
  readonly run: number;
  readonly knows: KnownKinds;
  /** It lost something and is not yet brought back: its acknowledgements and votes do not count. */
  readonly muted: boolean;
}

/** A question carries a number that its sender has not used before; the answer repeats it. */
interface Question {
  readonly call: number;
  readonly ballot: Ballot;
  readonly sender: Sender;
}

/**
 * Between replicas. Each question is answered by at most one message, which names the same `call`.
 * Messages may be lost, repeated, delayed and reordered.
 */
export type Message = Request | Answer;

/** How current the knowledge of the majority is, written into heartbeats. */
export interface Contact {
  /** Now minus the sending of the newest round that a majority acknowledged, on the master's clock. */
  readonly ageMs: number;
  /**
   * The receiver's own clock, as its latest answer known to the master told it: the heartbeat was
   * sent after it. Null before the first. A late message can thus not pass for a fresh one, nor one
   * to an earlier life of the receiver, whose clock counted from elsewhere (`Sender.run`).
   */
  readonly echoMs: number | null;
}

/** One change of the members that an operator, or a member itself, asks for. */
export type MemberChange =
  /** Joins as a learner; `foreign`: as a peer that speaks the original protocol. */
  | { readonly type: 'add'; readonly name: MemberName; readonly foreign?: boolean }
  | { readonly type: 'remove'; readonly name: MemberName }
  /** The member turned out to speak the original protocol (`foreign`), or to be a safe peer after all. */
  | { readonly type: 'foreign' | 'safe'; readonly name: MemberName };

/** Asks a replica something, and is answered by it. */
export type Request =
  /** Would you vote for me in `ballot`? Changes nothing anywhere. */
  | (Question & { readonly type: 'pre_vote'; readonly lastIndex: Index; readonly lastBallot: Ballot })
  /** Vote for me in `ballot`. `transfer`: the master asked me to, so its being alive is no objection. */
  | (Question & {
      readonly type: 'vote';
      readonly lastIndex: Index;
      readonly lastBallot: Ballot;
      readonly transfer: boolean;
    })
  /** I am the master of `ballot`; these follow `prevIndex`. Without entries it is a heartbeat or a probe. */
  | (Question & {
      readonly type: 'append';
      readonly prevIndex: Index;
      readonly prevBallot: Ballot;
      readonly entries: readonly Entry[];
      readonly commitIndex: Index;
      /** First index of this ballot (its no-op). */
      readonly firstIndex: Index;
      /** Counts the heartbeats of this master; confirms reads and contact. */
      readonly round: number;
      readonly contact: Contact;
      /**
       * You lost something: once you hold this index, you count again. Null: no such decision yet.
       * Holds for the life of the receiver that `contact.echoMs` belongs to, and for no later one.
       */
      readonly readmitAt: Index | null;
    })
  /** A piece of a snapshot, in place of entries that are gone. */
  | (Question & {
      readonly type: 'snapshot';
      readonly index: Index;
      readonly lastBallot: Ballot;
      /** Encoded snapshot: its size, the CRC-32 of the whole, and this piece of it. */
      readonly totalBytes: number;
      readonly checksum: number;
      readonly offset: number;
      readonly piece: Uint8Array;
      readonly round: number;
      readonly contact: Contact;
    })
  /** You have everything; campaign now. */
  | (Question & { readonly type: 'transfer' })
  /** Which index must I have applied to answer a read that begins now? */
  | (Question & { readonly type: 'read' });

/** Answers the question of the same `call`. */
export type Answer =
  | (Question & { readonly type: 'pre_vote_answer'; readonly granted: boolean })
  | (Question & { readonly type: 'vote_answer'; readonly granted: boolean })
  | (Question & {
      readonly type: 'append_answer';
      readonly granted: boolean;
      /** Granted: the index up to which the log is the master's, on disk. Else: where to look next. */
      readonly matchIndex: Index;
      /** Ballot of the entry at `matchIndex` when not granted, to step back over whole ballots. */
      readonly matchBallot: Ballot;
      readonly round: number;
      /** The answerer's clock, for `Contact.echoMs`. */
      readonly clockMs: number;
    })
  | (Question & {
      readonly type: 'snapshot_answer';
      readonly index: Index;
      /** Bytes in hand; `installed`: all of it, on disk. */
      readonly offset: number;
      readonly installed: boolean;
      readonly round: number;
      readonly clockMs: number;
    })
  | (Question & { readonly type: 'transfer_answer' })
  /** `index` null: I am not a confirmed master; `master` may be. */
  | (Question & {
      readonly type: 'read_answer';
      readonly index: Index | null;
      readonly master: MemberName | null;
    });

/** A message and whom it goes to. */
export interface Envelope {
  readonly to: MemberName;
  readonly message: Message;
}

/** What has to be on disk before anything that waits for `token` may be said. */
export interface Persist {
  readonly token: number;
  /** Null: unchanged. */
  readonly promise: VotePromise | null;
  /** Contiguous. The first replaces whatever the log had at its index and after it. */
  readonly entries: readonly Entry[];
  /** Received from a master: in place of the whole log so far. Comes before `entries`. */
  readonly snapshot: Snapshot | null;
  /** Learned on joining. Null: unchanged. */
  readonly incarnation: string | null;
  /** Kept across restarts: a node that lost something stays muted until it is readmitted. Null: unchanged. */
  readonly muted: boolean | null;
}

/** What became of a proposal. `unknown`: it may still be committed; ask again with the same request id. */
export type Settlement =
  | { readonly id: number; readonly type: 'committed'; readonly index: Index }
  | {
      readonly id: number;
      readonly type: 'refused';
      readonly reason:
        | 'not_master'
        | 'not_confirmed'
        | 'busy'
        | 'unknown_kind'
        | 'too_large'
        | 'members'
        | 'unknown';
      /** Who may be asked instead. */
      readonly master: MemberName | null;
      /** One sentence for the operator. */
      readonly detail: string;
    };

/** A read that may be answered once `index` is applied; `refused`: ask again. */
export type Reading =
  | { readonly id: number; readonly type: 'ready'; readonly index: Index }
  | { readonly id: number; readonly type: 'refused'; readonly master: MemberName | null };

/** What happened to this replica, for events and log lines. */
export type Notice =
  /** Its no-op is committed and handed out: the state now holds all that was ever acknowledged. */
  | { readonly type: 'became_master'; readonly ballot: Ballot }
  /** Follows each `became_master`, and nothing else. */
  | { readonly type: 'lost_master'; readonly ballot: Ballot }
  /** Somebody, perhaps this replica, was elected, or was heard of for the first time in this ballot. */
  | { readonly type: 'master_known'; readonly master: MemberName; readonly ballot: Ballot }
  /** Committed, or part of an installed snapshot. */
  | { readonly type: 'configuration'; readonly configuration: Configuration; readonly index: Index }
  | { readonly type: 'removed' }
  | { readonly type: 'readmitted' }
  /** `from` sent what cannot be true beside what is committed here; it was refused. `detail` says what. */
  | {
      readonly type: 'contradicted';
      readonly from: MemberName;
      readonly ballot: Ballot;
      readonly detail: string;
    }
  /** A committed entry that this node cannot apply: it must stop. */
  | { readonly type: 'unknown_kind'; readonly index: Index; readonly kind: string; readonly version: number };

/** What a replica wants done, in this order. One record a turn; `Replica.take` hands it over. */
export interface Output {
  /** Promise nothing: send at once. */
  readonly send: readonly Envelope[];
  /** Write this, then call `persisted(token)`. */
  readonly persist: Persist | null;
  /** Wait for `sendAfterToken`, which is the newest token, perhaps of an earlier output. */
  readonly sendAfter: readonly Envelope[];
  readonly sendAfterToken: number;
  /** Replace the state by this, before `commit`. The first output of all brings the restored one. */
  readonly install: Snapshot | null;
  /** Apply these, in order; each once. On disk here and on a majority. */
  readonly commit: readonly Entry[];
  readonly settled: readonly Settlement[];
  readonly reads: readonly Reading[];
  readonly notices: readonly Notice[];
  /** Call `tick` at this time of the monotonic clock at the latest. */
  readonly wakeAtMs: number;
}

/** What the disk gave back at start. */
export interface Restored {
  readonly promise: VotePromise;
  readonly snapshot: Snapshot | null;
  /** After the snapshot, contiguous. */
  readonly entries: readonly Entry[];
  /** Up to the snapshot and contiguous to it, as far as they are still there; absent: none. */
  readonly earlier?: readonly Entry[];
  readonly incarnation: string | null;
  /** Something was cut or lost, now or before, and the node was not readmitted since. */
  readonly muted: boolean;
}
