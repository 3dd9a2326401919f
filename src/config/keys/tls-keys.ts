/**
 * The keys under `tls:`: which certificates the listeners show, and which they ask clients for.
 *
 * One entry a key: how it is read, what it means, and why its bounds are what they are. Only names
 * of files are here; `net/` says what is wrong with what stands in them.
 */
import { failed, ok, type Result } from '../../base/index.ts';
import type { CertificateFiles } from '../config.ts';
import { choiceField, type FieldSpec, readField } from '../fields/field.ts';
import { listField } from '../fields/list-field.ts';
import { filePathField, filePathSpec } from '../fields/text-fields.ts';

/** As many as a metric can tell apart; more names belong into one certificate, or under a wildcard. */
const CERTIFICATES_MAX = 64;
const PASSPHRASE_LENGTH_MAX = 1_024;
const EXAMPLE = '{ cert: /etc/arrokoth/tls.crt, key: /etc/arrokoth/tls.key }';
const PARTS = ['cert', 'key', 'passphrase'];

const FILE = filePathSpec({ description: '', defaultText: 'none' });
const PASSPHRASE: FieldSpec<string | null> = {
  description: '',
  type: 'passphrase',
  json: {},
  fallback: null,
  defaultText: 'none',
  mask: () => '***',
  // An empty variable would look like a key without a passphrase, and fail with other words.
  valueRequired: true,
  read: ({ text }) => {
    const fits = text !== '' && text.length <= PASSPHRASE_LENGTH_MAX;
    return fits ? ok(text) : failed(`a passphrase of 1 to ${PASSPHRASE_LENGTH_MAX} characters`);
  },
};

/** The keys under `tls:`. */
export const tlsKeys = {
  certificates: listField<CertificateFiles>({
    description:
      'Certificates with their private keys, as PEM files. With at least one, the public listener speaks ' +
      'TLS and nothing else. Which one a client is shown depends on the name that it asks for.',
    reason:
      `Each \`{ cert: FILE, key: FILE }\`, and \`passphrase\` where the key has one. \`cert\` holds the ` +
      `certificate and then its intermediates. At most ${CERTIFICATES_MAX}. Changed files are read anew.`,
    type: 'list of certificates',
    entriesMax: CERTIFICATES_MAX,
    example: `[${EXAMPLE}]`,
    expected: `a list such as [${EXAMPLE}]`,
    items: {
      type: 'object',
      properties: Object.fromEntries(PARTS.map((name) => [name, { type: ['string', 'integer'] }])),
      additionalProperties: false,
    },
    read: readCertificate,
  }),
  min_version: choiceField({
    choices: ['1.2', '1.3'],
    fallback: '1.2',
    description: 'The oldest version of TLS that is spoken.',
    reason: 'Older ones than 1.2 are broken.',
  }),
  unknown_name: choiceField({
    choices: ['default', 'refuse'],
    fallback: 'default',
    description:
      'What a client gets that asks for a name which no certificate has, or for none: the first ' +
      'certificate, or no connection.',
  }),
  client_certificates: choiceField({
    choices: ['off', 'optional', 'required'],
    fallback: 'off',
    description:
      'Whether clients of the public listener are asked for a certificate. One that cannot be verified ' +
      'is refused in either case.',
    reason: 'Needs `client_ca`.',
  }),
  client_ca: filePathField({
    description: 'PEM file of the authorities whose client certificates are accepted.',
    reason: 'Changes are noticed as those of `certificates` are.',
    defaultText: 'none',
    example: '""',
  }),
} as const;

function readCertificate(entry: Readonly<Record<string, unknown>>): Result<CertificateFiles, string> {
  const unknown = Object.keys(entry).find((name) => !PARTS.includes(name));
  if (unknown !== undefined)
    return failed(`expected cert, key and passphrase, got ${JSON.stringify(unknown)}`);
  const cert = readField(FILE, entry.cert);
  if (!cert.ok) return failed(`cert: ${cert.error}`);
  const key = readField(FILE, entry.key);
  if (!key.ok) return failed(`key: ${key.error}`);
  const passphrase = readField(PASSPHRASE, entry.passphrase);
  if (!passphrase.ok) return failed(`passphrase: ${passphrase.error}`);
  if (cert.value === null || key.value === null) return failed(`expected cert and key, such as ${EXAMPLE}`);
  return ok({ cert: cert.value, key: key.value, passphrase: passphrase.value });
}
