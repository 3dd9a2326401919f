/**
 * What the listeners of one worker show to TLS clients: certificates by name, and the keys of tickets.
 *
 * New certificates and new ticket keys take the place of the old ones for the handshakes that follow;
 * connections that stand keep what they have. Where files and keys come from is decided elsewhere.
 */
import { createHash } from 'node:crypto';
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls';
import { assert } from '../../base/index.ts';
import type { TlsConfig, TlsMaterial } from '../../config/index.ts';
import { CertificateNames } from '../../relay/index.ts';
import { type CertificateFacts, factsOf } from './tls-material.ts';

/** Who connects to a listener. Clients may be asked for certificates, the application and operators never. */
export type TlsAudience = 'clients' | 'callers';

/**
 * How long a client may resume instead of beginning anew. WebSockets live for hours, and it is when
 * they break that all come back at once. A client with a certificate is looked at more often.
 */
const SESSION_SECONDS = 12 * 3_600;
const VERIFIED_SESSION_SECONDS = 300;
/** What node asks for: three keys of 16 bytes. */
const TICKET_KEY_BYTES = 48;

/** The certificates and ticket keys of one worker. */
export class TlsIdentity {
  readonly config: TlsConfig;
  #material: TlsMaterial;
  #ticketKeys: Buffer;
  #facts: readonly CertificateFacts[] = [];
  #names = new CertificateNames([]);
  readonly #contexts = { clients: [] as SecureContext[], callers: [] as SecureContext[] };
  readonly #listeners: (() => void)[] = [];

  /** `ticketKeys`: base64 of 48 random bytes, the same in all workers. */
  constructor(config: TlsConfig, material: TlsMaterial, ticketKeys: string) {
    this.config = config;
    this.#material = material;
    this.#ticketKeys = decodeKeys(ticketKeys);
    this.#build();
  }

  get material(): TlsMaterial {
    return this.#material;
  }

  /** Of the certificates that are shown now. */
  get facts(): readonly CertificateFacts[] {
    return this.#facts;
  }

  /** Shows other certificates from the next handshake on. */
  replaceMaterial(material: TlsMaterial): void {
    this.#material = material;
    this.#build();
  }

  /** Tickets of the old keys are no longer understood: their clients begin anew, once. */
  replaceTicketKeys(ticketKeys: string): void {
    this.#ticketKeys = decodeKeys(ticketKeys);
    this.#build();
  }

  /** `listener` is called after every change. */
  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** What a client that asks for `serverName` is shown; null: what `unknown_name` says. */
  find(audience: TlsAudience, serverName: string): SecureContext | null {
    const index = this.#names.find(serverName);
    return index === null ? null : (this.#contexts[audience][index] as SecureContext);
  }

  /** For clients that ask for no name, or for one that no certificate has. */
  unnamed(audience: TlsAudience): SecureContextOptions {
    // Without any certificate there is nothing to agree on, and OpenSSL ends the handshake in order.
    return this.#options(audience, this.config.unknownName === 'refuse' ? null : 0);
  }

  #build(): void {
    const { certificates } = this.#material;
    this.#facts = factsOf(this.#material);
    this.#names = new CertificateNames(this.#facts.map(({ names }) => names));
    for (const audience of ['clients', 'callers'] as const) {
      const contexts = certificates.map((_, index) => createSecureContext(this.#options(audience, index)));
      this.#contexts[audience] = contexts;
    }
    for (const listener of this.#listeners) listener();
  }

  /** Tickets are opened before a name has chosen a context, so that all contexts have the same keys. */
  #options(audience: TlsAudience, index: number | null): SecureContextOptions {
    const { minVersion } = this.config;
    const clientCa = this.#clientCa(audience);
    const pair = index === null ? null : this.#material.certificates[index];
    return {
      ...(pair ? { cert: pair.cert, key: pair.key, passphrase: pair.passphrase ?? undefined } : {}),
      // An empty list: else every authority that ships with Node would vouch for clients.
      ca: clientCa ?? [],
      minVersion: `TLSv${minVersion}`,
      honorCipherOrder: true,
      ticketKeys: this.#ticketKeys,
      sessionTimeout: clientCa === null ? SESSION_SECONDS : VERIFIED_SESSION_SECONDS,
      sessionIdContext: sessionContext(audience, clientCa),
    };
  }

  #clientCa(audience: TlsAudience): string | null {
    return audience === 'clients' && this.config.clientCertificates !== 'off'
      ? this.#material.clientCa
      : null;
  }
}

/** A session is resumed only where a client was asked the same question: 32 characters at most. */
function sessionContext(audience: TlsAudience, clientCa: string | null): string {
  return createHash('sha256').update(`${audience}\n${clientCa}`).digest('hex').slice(0, 32);
}

function decodeKeys(base64: string): Buffer {
  const keys = Buffer.from(base64, 'base64');
  assert(keys.length === TICKET_KEY_BYTES, 'ticket keys are 48 bytes');
  return keys;
}
