/**
 * Certificates and keys as they come from files: whether they can be used, and what is odd about them.
 *
 * Says precisely what is wrong with which file, and never repeats a byte of a key. It reads no file
 * itself: bytes come in with their paths. `config check`, a start and every reload ask the same questions.
 */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { failed, ok, type Result } from '../../base/index.ts';
import type { TlsConfig, TlsMaterial } from '../../config/index.ts';

/** What a file holds; a failure says why it cannot be read, such as "there is no such file". */
export type FileReading = Result<{ readonly text: string; readonly readableByAll: boolean }, string>;

/** What is known about one certificate without its key. */
export interface CertificateFacts {
  /** DNS names, wildcards among them, in the order of the certificate. */
  readonly names: readonly string[];
  /** Milliseconds since 1970. */
  readonly expiresAtMs: number;
}

/** The files of a configuration after a look at each. `material` is there when nothing is wrong. */
export interface TlsReading {
  readonly material: TlsMaterial | null;
  /** Of each certificate that could be read, in order. */
  readonly facts: readonly CertificateFacts[];
  /** What makes the files unusable; each begins with its key and file. */
  readonly problems: readonly string[];
  /** What an operator should know. */
  readonly warnings: readonly string[];
}

const BLOCK =
  /-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----[^-]+-----END (?:X509 |TRUSTED )?CERTIFICATE-----/g;
/** A chain is three or four certificates long, a bundle of authorities some hundred. */
const BLOCKS_MAX = 1_000;
const DNS_NAME = /(?:^|, )DNS:("(?:[^"\\]|\\.)*"|[^,]+)/g;

/** Reads and checks all files that `config` names. `nowMs`: milliseconds since 1970. */
export function readTlsMaterial(
  config: TlsConfig,
  read: (path: string) => FileReading,
  nowMs: number,
): TlsReading {
  const reader = new MaterialReader(read, nowMs);
  const certificates = config.certificates.map((files, index) => reader.pair(files, index));
  const clientCa = config.clientCa === null ? null : reader.authorities(config.clientCa);
  const { facts, problems, warnings } = reader;
  const whole = certificates.flatMap((pair) => pair ?? []);
  const material = problems.length === 0 ? { certificates: whole, clientCa } : null;
  return { material, facts, problems, warnings };
}

/** The facts of certificates that were checked before. */
export function factsOf(material: TlsMaterial): CertificateFacts[] {
  return material.certificates.map(({ cert }) => describe(parseBlocks(cert)[0] as X509Certificate));
}

type Files = TlsConfig['certificates'][number];

class MaterialReader {
  readonly facts: CertificateFacts[] = [];
  readonly problems: string[] = [];
  readonly warnings: string[] = [];
  readonly #read: (path: string) => FileReading;
  readonly #nowMs: number;

  constructor(read: (path: string) => FileReading, nowMs: number) {
    this.#read = read;
    this.#nowMs = nowMs;
  }

  /** One certificate with its key; null when something is wrong with it, which is noted then. */
  pair(files: Files, index: number): TlsMaterial['certificates'][number] | null {
    const place = `tls.certificates.${index}`;
    const atCert = `${place}.cert ${files.cert}`;
    const atKey = `${place}.key ${files.key}`;
    const cert = this.#certificate(atCert, files.cert);
    const key = this.#key(atKey, files);
    if (cert === null || key === null) return null;
    if (!cert.leaf.checkPrivateKey(key.key)) {
      this.problems.push(`${atKey}: the key does not belong to the certificate in ${files.cert}`);
      return null;
    }
    const pair = { cert: cert.text, key: key.text, passphrase: files.passphrase };
    try {
      createSecureContext({ ...pair, passphrase: files.passphrase ?? undefined, ca: [] });
    } catch (error) {
      this.problems.push(`${atCert}: OpenSSL refuses it: ${reasonOf(error)}`);
      return null;
    }
    return pair;
  }

  /** The authorities that vouch for clients. */
  authorities(path: string): string | null {
    const place = `tls.client_ca ${path}`;
    const file = this.#file(place, path);
    const blocks = file === null ? null : this.#blocks(place, file.text);
    if (file === null || blocks === null) return null;
    for (const block of blocks) {
      const name = nameOf(block);
      if (!block.ca) this.problems.push(`${place}: ${name} is no certificate authority`);
      if (Date.parse(block.validTo) <= this.#nowMs) this.warnings.push(`${place}: ${name} has expired`);
    }
    return file.text;
  }

  #certificate(place: string, path: string): { leaf: X509Certificate; text: string } | null {
    const file = this.#file(place, path);
    const blocks = file === null ? null : this.#blocks(place, file.text);
    if (file === null || blocks === null) return null;
    const leaf = blocks[0] as X509Certificate;
    const facts = describe(leaf);
    this.facts.push(facts);
    if (Date.parse(leaf.validFrom) > this.#nowMs) {
      this.problems.push(`${place}: the certificate is not valid before ${isoOf(leaf.validFrom)}`);
      return null;
    }
    if (facts.expiresAtMs <= this.#nowMs) {
      this.warnings.push(`${place}: the certificate has expired on ${isoOf(leaf.validTo)}`);
    }
    if (facts.names.length === 0) {
      this.warnings.push(`${place}: the certificate has no DNS names, so that browsers refuse it`);
    }
    for (const [index, block] of blocks.entries()) {
      const issuer = blocks[index + 1];
      if (issuer === undefined || block.checkIssued(issuer)) continue;
      const message = `${nameOf(block)} was not issued by ${nameOf(issuer)}, which follows it`;
      this.warnings.push(`${place}: ${message}; clients may refuse the chain`);
    }
    return { leaf, text: file.text };
  }

  #key(place: string, files: Files): { key: KeyObject; text: string } | null {
    const file = this.#file(place, files.key);
    if (file === null) return null;
    if (file.readableByAll) {
      this.warnings.push(`${place}: every user of this host can read the private key; chmod o-r it`);
    }
    const key = parseKey(file.text, files.passphrase);
    if (key.ok) return { key: key.value, text: file.text };
    this.problems.push(`${place}: ${key.error}`);
    return null;
  }

  #file(place: string, path: string): { text: string; readableByAll: boolean } | null {
    const file = this.#read(path);
    if (file.ok) return file.value;
    this.problems.push(`${place}: ${file.error}`);
    return null;
  }

  #blocks(place: string, text: string): X509Certificate[] | null {
    try {
      const blocks = parseBlocks(text);
      if (blocks.length > 0) return blocks;
      this.problems.push(`${place}: there is no PEM certificate in it`);
    } catch (error) {
      this.problems.push(`${place}: a certificate in it cannot be read: ${reasonOf(error)}`);
    }
    return null;
  }
}

function parseBlocks(text: string): X509Certificate[] {
  return (text.match(BLOCK) ?? []).slice(0, BLOCKS_MAX).map((block) => new X509Certificate(block));
}

function parseKey(text: string, passphrase: string | null): Result<KeyObject, string> {
  if (!/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text)) return failed('there is no PEM private key in it');
  const encrypted = /-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED/m.test(text);
  if (encrypted && passphrase === null) return failed('the key has a passphrase, and none is set');
  try {
    return ok(createPrivateKey({ key: text, passphrase: passphrase ?? '' }));
  } catch (error) {
    // What OpenSSL says about a wrong passphrase differs with what the wrong bytes look like.
    const guess = encrypted ? 'the passphrase is wrong, or the key is damaged' : 'the key cannot be read';
    return failed(`${guess}: ${reasonOf(error)}`);
  }
}

function describe(certificate: X509Certificate): CertificateFacts {
  const names = [...(certificate.subjectAltName ?? '').matchAll(DNS_NAME)].map((found) => found[1] as string);
  return {
    // A quoted name holds characters that no host name has.
    names: names.filter((name) => !name.startsWith('"')),
    expiresAtMs: Date.parse(certificate.validTo),
  };
}

function nameOf(certificate: X509Certificate): string {
  return JSON.stringify(certificate.subject.replaceAll('\n', ', ').slice(0, 200));
}

function isoOf(date: string): string {
  return new Date(date).toISOString();
}

/** OpenSSL's own word, without the addresses and line numbers around it. */
function reasonOf(error: unknown): string {
  const { reason, code, message } = error as { reason?: string; code?: string; message?: string };
  return reason ?? code ?? message ?? 'unknown';
}
