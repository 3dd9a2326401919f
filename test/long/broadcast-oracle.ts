/**
 * What every receiver of numbered broadcasts has to see, checked message by message.
 *
 * A message is `PUBLISHER:NUMBER`; each publisher counts its own from 1. A receiver must see every
 * publisher's numbers without gap, repetition or exchange, and all receivers must see the messages
 * of all publishers in one and the same order. Knows nothing of sockets.
 */

/** What is wrong with one message of one receiver. */
export interface BroadcastFault {
  readonly receiver: number;
  readonly publisher: number;
  readonly expected: number;
  readonly got: number;
}

/** What the receivers of one process have seen. */
export interface BroadcastVerdict {
  /** The first faults; `faultCount` counts all. */
  readonly faults: readonly BroadcastFault[];
  readonly faultCount: number;
  /** Receivers that have not seen as much as was published, with what is missing to the first of them. */
  readonly behind: number;
  readonly unreadable: number;
  /** One fingerprint of the order for each order that was seen; one is right. */
  readonly orders: readonly number[];
  readonly messages: number;
}

const FAULTS_KEPT = 10;

/** Checks the receivers of one process. */
export class BroadcastOracle {
  readonly #publishers: number;
  /** Last number by receiver and publisher. */
  readonly #last: Uint32Array;
  readonly #orders: Int32Array;
  readonly #faults: BroadcastFault[] = [];
  #faultCount = 0;
  #unreadable = 0;
  #messages = 0;

  constructor(receivers: number, publishers: number) {
    this.#publishers = publishers;
    this.#last = new Uint32Array(receivers * publishers);
    this.#orders = new Int32Array(receivers);
  }

  /** One message arrived. */
  message(receiver: number, text: string): void {
    this.#messages++;
    const colon = text.indexOf(':');
    const publisher = Number(text.slice(0, colon));
    const number = Number.parseInt(text.slice(colon + 1), 10);
    if (colon < 1 || !(publisher < this.#publishers) || Number.isNaN(number)) {
      this.#unreadable++;
      return;
    }
    const place = receiver * this.#publishers + publisher;
    const expected = (this.#last[place] as number) + 1;
    if (number !== expected) {
      this.#faultCount++;
      if (this.#faults.length < FAULTS_KEPT) {
        this.#faults.push({ receiver, publisher, expected, got: number });
      }
    }
    // Go on from what came, so that one lost message is one fault.
    this.#last[place] = number;
    const order = this.#orders[receiver] as number;
    this.#orders[receiver] = (Math.imul(order, 31) + Math.imul(publisher + 1, 1_000_003) + number) | 0;
  }

  /** To be asked when all that was published has had its time; `published` by publisher. */
  verdict(published: readonly number[]): BroadcastVerdict {
    let behind = 0;
    for (let receiver = 0; receiver < this.#orders.length; receiver++) {
      const complete = published.every(
        (count, publisher) => this.#last[receiver * this.#publishers + publisher] === count,
      );
      if (!complete) behind++;
    }
    return {
      faults: this.#faults,
      faultCount: this.#faultCount,
      behind,
      unreadable: this.#unreadable,
      orders: [...new Set(this.#orders)].slice(0, FAULTS_KEPT),
      messages: this.#messages,
    };
  }
}
