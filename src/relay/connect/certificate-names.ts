/**
 * Which of a listener's certificates a client is shown, by the server name that it asks for (SNI).
 *
 * Names come from the certificates themselves. An exact name goes before a wildcard, and of equals
 * the certificate that stands first in the configuration.
 */

/** Picks certificates by name. Made once for a set of certificates; a look-up is one or two of a map. */
export class CertificateNames {
  readonly #byName = new Map<string, number>();

  /** `namesOf`: the DNS names of each certificate, wildcards such as `*.example.org` among them. */
  constructor(namesOf: readonly (readonly string[])[]) {
    for (const [index, names] of namesOf.entries()) {
      for (const name of names) {
        const plain = comparable(name);
        if (!this.#byName.has(plain)) this.#byName.set(plain, index);
      }
    }
  }

  /** The index of the certificate for `serverName`; null when none has that name. */
  find(serverName: string): number | null {
    const name = comparable(serverName);
    // An asked name with a star in it is no name; it must not find the wildcard by its letters.
    if (name.includes('*')) return null;
    const dot = name.indexOf('.');
    // A wildcard stands for exactly one label (RFC 6125 6.4.3).
    const wildcard = dot > 0 ? this.#byName.get(`*${name.slice(dot)}`) : undefined;
    return this.#byName.get(name) ?? wildcard ?? null;
  }
}

/** Names do not know case, and a dot at the end says nothing. */
function comparable(name: string): string {
  return name.toLowerCase().replace(/\.$/, '');
}
