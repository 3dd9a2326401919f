/**
 * The certificate of a run, for servers that are measured over TLS. Nobody checks it: that is the
 * same work for both servers, and not theirs.
 */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

/** Paths of two PEM files. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/** Makes one in a folder, with the `openssl` program. */
export function makeCertificate(directory: string): Certificate {
  const cert = join(directory, 'bench.crt');
  const key = join(directory, 'bench.key');
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
  const name = ['-subj', '/CN=bench.example', '-addext', 'subjectAltName=DNS:bench.example'];
  execFileSync('openssl', ['req', '-x509', ...kind, ...name, '-keyout', key, '-out', cert], {
    stdio: 'pipe',
  });
  return { cert, key };
}
