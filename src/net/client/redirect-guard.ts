/**
 * Which addresses a redirect may lead to: none that are only reachable from inside.
 *
 * A configured URL is the operator's word and may name any host. A redirect is the word of whoever
 * answered, and this node sits where it could reach a cloud's metadata or a database. Addresses are
 * judged as the socket is dialled, after the name was resolved and with the very address that is
 * dialled, so that a name cannot mean one host when it is checked and another when it is used.
 */
import { type LookupAddress, lookup as resolveByHost } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';

/** What a dial that the guard refused fails with. */
export const REDIRECT_REFUSED = 'ERR_REDIRECT_REFUSED';

interface AddressKind {
  readonly name: string;
  /** True when the operator may allow it. */
  readonly allowable: boolean;
  readonly subnets: readonly string[];
}

/** IPv4 in a subnet below stands for every IPv6 form of the same addresses, too. */
const KINDS: readonly AddressKind[] = [
  {
    name: 'metadata',
    allowable: false,
    // Of clouds whose metadata is not at a link-local address, or not only.
    subnets: [
      ...['100.100.100.200/32', '168.63.129.16/32', '192.0.0.192/32'],
      ...['fd00:ec2::254/128', 'fd20:ce::254/128', 'fd00:42::42/128'],
    ],
  },
  { name: 'link-local', allowable: false, subnets: ['169.254.0.0/16', 'fe80::/10'] },
  { name: 'unspecified', allowable: false, subnets: ['0.0.0.0/8', '::/128'] },
  { name: 'multicast', allowable: false, subnets: ['224.0.0.0/4', 'ff00::/8'] },
  { name: 'reserved', allowable: false, subnets: ['240.0.0.0/4'] },
  { name: 'loopback', allowable: true, subnets: ['127.0.0.0/8', '::1/128'] },
  {
    name: 'private',
    allowable: true,
    subnets: [
      ...['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', '192.0.0.0/24', '198.18.0.0/15'],
      // The last two carry IPv4 in a form that only their own network can undo.
      ...['fc00::/7', 'fec0::/10', '64:ff9b:1::/48', '2001::/32'],
    ],
  },
];

/** How far the guard goes, and who resolves names. */
export interface RedirectGuardOptions {
  readonly allowPrivate: boolean;
  /** Absent: the host's resolver. */
  readonly resolve?: LookupFunction | undefined;
}

/** Judges where redirects lead. */
export class RedirectGuard {
  #kinds: readonly { readonly name: string; readonly list: BlockList }[] = [];
  readonly #resolve: LookupFunction;
  #refused = 0;

  constructor(options: RedirectGuardOptions) {
    this.#resolve = options.resolve ?? (resolveByHost as LookupFunction);
    this.replace(options.allowPrivate);
  }

  /** From now on private and loopback addresses are allowed, or not. */
  replace(allowPrivate: boolean): void {
    this.#kinds = KINDS.filter(({ allowable }) => !(allowable && allowPrivate)).map(({ name, subnets }) => ({
      name,
      list: listOf(subnets),
    }));
  }

  /** Redirects that were refused so far. */
  get refused(): number {
    return this.#refused;
  }

  /** The refusal of a host that is an address already, which no lookup will see; null for a name. */
  literalRefusal(host: string): Error | null {
    return isIP(host) === 0 ? null : this.#refusal(host, host);
  }

  /** Goes into a socket's options: resolves, judges, and hands on what may be dialled. */
  readonly lookup: LookupFunction = (hostname, options, callback) => {
    this.#resolve(hostname, options, (error, found, family) => {
      const refusal = error ?? this.#firstRefusal(hostname, found);
      if (refusal === null) callback(null, found, family);
      else callback(refusal, '', 0);
    });
  };

  /** One bad address among good ones is a trap, so that it spoils them all. */
  #firstRefusal(hostname: string, found: string | LookupAddress[]): Error | null {
    const addresses = typeof found === 'string' ? [found] : found.map(({ address }) => address);
    for (const address of addresses) {
      const refusal = this.#refusal(hostname, address);
      if (refusal !== null) return refusal;
    }
    return null;
  }

  #refusal(host: string, address: string): Error | null {
    const kind = this.#kindOf(address);
    if (kind === null) return null;
    this.#refused++;
    const message = `the redirect to ${host} was refused, because it leads to a ${kind} address`;
    return Object.assign(new Error(message), { code: REDIRECT_REFUSED });
  }

  #kindOf(address: string): string | null {
    // A zone says which interface is meant, not which address.
    const bare = address.replace(/%.*$/s, '');
    const version = isIP(bare);
    if (version === 0) return 'malformed';
    const family = version === 4 ? 'ipv4' : 'ipv6';
    return this.#kinds.find(({ list }) => list.check(bare, family))?.name ?? null;
  }
}

function listOf(subnets: readonly string[]): BlockList {
  const list = new BlockList();
  for (const subnet of subnets) {
    const [network = '', length = ''] = subnet.split('/');
    const bits = Number(length);
    if (isIP(network) === 6) {
      list.addSubnet(network, bits, 'ipv6');
      continue;
    }
    // Finds `::ffff:a.b.c.d` by itself; the other forms are NAT64, 6to4 and the old compatible one.
    list.addSubnet(network, bits, 'ipv4');
    list.addSubnet(`64:ff9b::${network}`, 96 + bits, 'ipv6');
    list.addSubnet(`2002:${hexOf(network)}::`, 16 + bits, 'ipv6');
    // The compatible form of 0.0.0.0/8 would swallow `::1`.
    if (!network.startsWith('0.')) list.addSubnet(`::${network}`, 96 + bits, 'ipv6');
  }
  return list;
}

/** Two groups of IPv6 that hold an IPv4 address. */
function hexOf(address: string): string {
  const [a = 0, b = 0, c = 0, d = 0] = address.split('.').map(Number);
  return `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
}
