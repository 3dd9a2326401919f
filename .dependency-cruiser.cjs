/**
 * The arrows of the house as rules for dependency-cruiser (`npm run imports`).
 *
 * The table itself is `scripts/rooms.cjs`. Type-only imports count too.
 */

const { PURE, ROOMS, PACKAGES, NODE_MODULES } = require('./scripts/rooms.cjs');

const NOT_TESTS = '\\.test\\.ts$|/testdata/';

function roomRules() {
  return Object.entries(ROOMS).map(([room, allowed]) => ({
    name: `room-${room}`,
    comment: `${room}/ may import ${allowed.join(', ') || 'no other room'}`,
    severity: 'error',
    from: { path: `^src/${room}/`, pathNot: NOT_TESTS },
    to: { path: '^src/', pathNot: `^src/(${[room, ...allowed].join('|')})/` },
  }));
}

function doorRules() {
  return Object.keys(ROOMS).map((room) => ({
    name: `door-${room}`,
    comment: `from outside, ${room}/ is entered through its index.ts only`,
    severity: 'error',
    from: { path: '^src/', pathNot: `^src/${room}/` },
    to: { path: `^src/${room}/`, pathNot: `^src/${room}/index\\.ts$` },
  }));
}

function packageRules() {
  return Object.entries(PACKAGES).map(([name, room]) => ({
    name: `package-${name}`,
    comment: `${name} is known to ${room}/ only`,
    severity: 'error',
    from: { path: '^src/', pathNot: [`^src/${room}/`, NOT_TESTS] },
    to: { path: `node_modules/(@types/)?${name}/` },
  }));
}

function nodeModuleRules() {
  return Object.entries(NODE_MODULES).map(([names, rooms]) => ({
    name: `node-${names.split('|')[0]}`,
    comment: `node:${names} belong to ${rooms.join(', ')}`,
    severity: 'error',
    from: { path: '^src/', pathNot: [`^src/(${rooms.join('|')})/`, NOT_TESTS] },
    to: { dependencyTypes: ['core'], path: `^(node:)?(${names})$` },
  }));
}

module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      comment: 'two files that need each other are one idea, or have a third one in common',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'known-room',
      comment: 'every file of src/ lies in a room of the table',
      severity: 'error',
      from: {},
      to: { path: '^src/', pathNot: `^src/(${Object.keys(ROOMS).join('|')})/` },
    },
    {
      name: 'resolvable',
      comment: 'an import leads somewhere; those of a page are addresses, which its server knows',
      severity: 'error',
      from: { pathNot: '^examples/chat/chat\\.js$' },
      to: { couldNotResolve: true },
    },
    {
      name: 'no-dev-packages',
      comment: 'what users run needs nothing that only we install',
      severity: 'error',
      from: { path: '^src/', pathNot: NOT_TESTS },
      to: { dependencyTypes: ['npm-dev'], pathNot: 'node_modules/@types/' },
    },
    {
      name: 'src-alone',
      comment: 'the product does not import its tests, benches or scripts',
      severity: 'error',
      from: { path: '^src/', pathNot: NOT_TESTS },
      to: { path: '^(browser|test|bench|sim|scripts|examples)/' },
    },
    {
      name: 'sim-doors',
      comment: 'the simulator judges what others use: it enters rooms through their doors',
      severity: 'error',
      from: { path: '^sim/' },
      to: { path: '^src/', pathNot: '^src/[a-z]+/index\\.ts$' },
    },
    {
      name: 'browser-alone',
      comment: 'what pages load needs no package, no platform and nothing of the node',
      severity: 'error',
      from: { path: '^browser/', pathNot: NOT_TESTS },
      to: { pathNot: '^browser/' },
    },
    {
      name: 'pure-rooms',
      comment: 'pure rooms know no platform and no package',
      severity: 'error',
      from: { path: `^src/(${PURE.join('|')})/`, pathNot: NOT_TESTS },
      to: { dependencyTypes: ['core', 'npm', 'npm-dev'] },
    },
    ...roomRules(),
    ...doorRules(),
    ...packageRules(),
    ...nodeModuleRules(),
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^dist/' },
    enhancedResolveOptions: { conditionNames: ['import', 'types', 'node', 'default'] },
  },
};
