/**
 * What the keys about TLS ask of each other.
 *
 * Each half of a pair without the other is refused: an operator who names an authority for client
 * certificates believes that clients are checked.
 */

/** The keys that are compared, under their names in the file. */
export interface TlsValues {
  readonly tls: {
    readonly certificates: readonly unknown[];
    readonly client_certificates: 'off' | 'optional' | 'required';
    readonly client_ca: string | null;
  };
  readonly app: { readonly listen: unknown; readonly tls: boolean };
  readonly api: { readonly listen: unknown; readonly tls: boolean };
}

type Issues = { addIssue(issue: { code: 'custom'; message: string; path: string[] }): void };

/** Reports every half. */
export function checkTls({ tls, app, api }: TlsValues, issues: Issues): void {
  const refuse = (path: string[], message: string): void => {
    issues.addIssue({ code: 'custom', message, path });
  };
  const speaksTls = tls.certificates.length > 0;
  const asks = tls.client_certificates !== 'off';
  if (asks && !speaksTls) {
    refuse(
      ['tls', 'client_certificates'],
      'expected tls.certificates beside it: clients are asked over TLS only',
    );
  }
  if (asks && tls.client_ca === null) {
    refuse(
      ['tls', 'client_certificates'],
      'expected tls.client_ca beside it: somebody has to vouch for clients',
    );
  }
  if (!asks && tls.client_ca !== null) {
    refuse(['tls', 'client_ca'], 'expected tls.client_certificates: optional or required beside it');
  }
  for (const [name, listener] of Object.entries({ app, api })) {
    if (!listener.tls) continue;
    if (!speaksTls) refuse([name, 'tls'], 'expected tls.certificates, which this listener would show');
    if (listener.listen === null) refuse([name, 'tls'], `expected ${name}.listen beside it`);
  }
}
