/**
 * Certificates for one test, made by the `openssl` program and gone with the test's folder.
 *
 * An authority, and what it issues: for servers, for clients, with any names and dates. Keys are on an
 * elliptic curve, because drawing an RSA key takes long.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { requireProgram } from './programs.ts';
import { temporaryFolder } from './start-node.ts';

/** A certificate and its key, as files. */
export interface CertificatePair {
  /** The key under which both files stand in their folder. */
  readonly name: string;
  readonly cert: string;
  readonly key: string;
  readonly certPem: string;
  readonly keyPem: string;
}

/** What is to be issued. */
export interface CertificateWish {
  /** Name of the files. */
  readonly name: string;
  /** Alternative names as openssl takes them: `DNS:chat.example`. The first is the common name, too. */
  readonly names?: readonly string[];
  /** `/CN=...`; made of `names` when left out. */
  readonly subject?: string;
  readonly passphrase?: string;
  readonly days?: number;
  /** What kind of key, as openssl takes it; a curve when left out. */
  readonly keyWords?: readonly string[];
}

const CURVE = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'];

/** An authority of one test. */
export class TestAuthority {
  readonly folder: string;
  readonly root: CertificatePair;
  readonly #openssl: string;

  constructor(folder = temporaryFolder(), name = 'authority') {
    const openssl = requireProgram('openssl');
    if (openssl === null) throw new Error('openssl is needed to make certificates');
    this.#openssl = openssl;
    this.folder = folder;
    this.root = this.#make({ name, subject: `/CN=${name}` }, []);
  }

  /** Issues a certificate with a key of its own. */
  issue(wish: CertificateWish): CertificatePair {
    return this.#make(wish, ['-CA', this.root.cert, '-CAkey', this.root.key]);
  }

  #make(wish: CertificateWish, issuer: readonly string[]): CertificatePair {
    const { name, names = [], subject, passphrase, days = 30, keyWords = CURVE } = wish;
    const cert = join(this.folder, `${name}.crt`);
    const key = join(this.folder, `${name}.key`);
    const words = [
      ...['req', '-x509', ...keyWords, '-days', String(days), '-keyout', key, '-out', cert, ...issuer],
      ...['-subj', subject ?? `/CN=${(names[0] ?? name).replace(/^\w+:/, '')}`],
      ...(names.length === 0 ? [] : ['-addext', `subjectAltName=${names.join(',')}`]),
      ...(issuer.length === 0 ? [] : ['-addext', 'basicConstraints=critical,CA:FALSE']),
      ...(passphrase === undefined ? ['-nodes'] : ['-passout', `pass:${passphrase}`]),
    ];
    execFileSync(this.#openssl, words, { stdio: 'pipe' });
    return {
      name,
      cert,
      key,
      certPem: readFileSync(cert, 'utf8'),
      keyPem: readFileSync(key, 'utf8'),
    };
  }
}
