/**
 * Who may import whom: the one table of the house's arrows, for rooms, Node's modules and packages.
 *
 * `.dependency-cruiser.cjs` turns it into rules; `test/layers.test.ts` compares it with the folders,
 * the map in `docs/architecture.md` and `docs/dependencies.md`. A new room starts with a line here.
 */

/** Rules without a world: no platform, no package, nothing but `base`. */
const PURE = ['base', 'consensus', 'cluster', 'relay'];
/** One outside thing each. */
const ADAPTERS = ['telemetry', 'journal', 'net', 'process', 'peer', 'store', 'bus'];

/** Room -> rooms that it may import, through their `index.ts`. In the order of the house. */
const ROOMS = {
  base: [],
  consensus: ['base'],
  cluster: ['base'],
  relay: ['base'],
  config: PURE,
  contract: ['base'],
  system: [...PURE, 'config'],
  telemetry: [...PURE, 'config'],
  journal: [...PURE, 'config'],
  net: [...PURE, 'config'],
  process: [...PURE, 'config'],
  peer: [...PURE, 'config', 'net'],
  store: [...PURE, 'config', 'journal', 'peer'],
  bus: [...PURE, 'config', 'process'],
  gateway: [...PURE, 'config', ...ADAPTERS],
  api: [...PURE, 'config', 'contract', ...ADAPTERS],
  supervisor: [...PURE, 'config', 'contract', ...ADAPTERS],
  cli: [...PURE, 'config', 'system', ...ADAPTERS],
  main: [...PURE, 'config', 'contract', 'system', ...ADAPTERS, 'gateway', 'api', 'supervisor', 'cli'],
};

/** npm package -> the one room that knows it. */
const PACKAGES = {
  ws: 'net',
  zod: 'config',
  yaml: 'config',
  commander: 'cli',
  pino: 'telemetry',
  'prom-client': 'telemetry',
};

/** Node's modules that touch the world -> the rooms that may. */
const NODE_MODULES = {
  'net|tls|dgram': ['net', 'process', 'bus'],
  'http|https|http2': ['net'],
  'child_process|cluster|worker_threads': ['process', 'cli', 'main'],
  'fs|fs/promises': ['system', 'journal', 'process', 'bus', 'cli', 'main'],
};

module.exports = { PURE, ROOMS, PACKAGES, NODE_MODULES };
