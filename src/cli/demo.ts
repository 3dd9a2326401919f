/**
 * `arrokoth demo`: a node and the example chat application, ready to be tried.
 *
 * Everything is on loopback and nothing outlives it. The application hears of the end last, so that
 * it still answers the close callbacks of a drain.
 */
import { failed, ok, type Result } from '../base/index.ts';
import { formatProblems, parseConfig } from '../config/index.ts';
import { type CliDoors, EXIT, type StartedApplication, type StartedNode } from './cli-doors.ts';
import { type DemoPorts, demoConfigText } from './demo-config.ts';

/** Ports as the user gave them; 0 means any free one. */
export interface DemoOptions {
  readonly port: number;
  readonly apiPort: number;
  readonly appPort: number;
}

/** Which option moves which part. */
const PORT_OPTIONS = [
  { option: '--port', part: 'gateway', given: (options: DemoOptions) => options.port },
  { option: '--api-port', part: 'api', given: (options: DemoOptions) => options.apiPort },
  { option: '--app-port', part: 'application', given: (options: DemoOptions) => options.appPort },
] as const;

/** Runs the demonstration until it is interrupted; resolves with the exit code. */
export async function demo(options: DemoOptions, doors: CliDoors): Promise<number> {
  const ports = await choosePorts(options, doors);
  if (!ports.ok) return giveUp(ports.error, doors);
  const gatewayUrl = `http://127.0.0.1:${ports.value.gateway}`;
  const application = await doors.startApplication({ port: ports.value.application, gatewayUrl });
  if (!application.ok) return giveUp(`The example application did not start. ${application.error}`, doors);
  const data = doors.makeTemporaryDir();
  try {
    const node = await startDemoNode(ports.value, data.path, doors);
    if (!node.ok) return giveUp(node.error, doors);
    // Without addresses it was told to stop before it served.
    if (node.value.addresses.length > 0) doors.stdout(welcome(ports.value, application.value));
    return await node.value.ended;
  } finally {
    await application.value.stop();
    data.remove();
  }
}

async function choosePorts(options: DemoOptions, doors: CliDoors): Promise<Result<DemoPorts, string>> {
  const chosen = { gateway: 0, api: 0, application: 0 };
  const taken = new Set<number>();
  for (const { option, part, given } of PORT_OPTIONS) {
    const wanted = given(options);
    const port = await doors.findPort(wanted);
    if (port === null || taken.has(port)) {
      return failed(
        `Port ${wanted} of 127.0.0.1, meant for the ${part}, is taken. Choose another one: ${option} PORT, ` +
          `or with npm: npm start -- ${option} PORT`,
      );
    }
    taken.add(port);
    chosen[part] = port;
  }
  return ok(chosen);
}

async function startDemoNode(
  ports: DemoPorts,
  dataDir: string,
  doors: CliDoors,
): Promise<Result<StartedNode, string>> {
  const text = demoConfigText(ports, dataDir);
  const path = 'the embedded configuration';
  const parsed = parseConfig({ text, path, env: {} });
  if (!parsed.ok) return failed(formatProblems(path, parsed.error).join('\n'));
  const reread = () => failed(['the demonstration has no file that could be read again']);
  const started = await doors.startNode({ ...parsed.value, file: null, reread });
  return started.ok ? started : failed(`${started.error.code}: ${started.error.message}`);
}

function welcome(ports: DemoPorts, application: StartedApplication): string {
  const gateway = `http://127.0.0.1:${ports.gateway}`;
  return `
  Open this page in two browser windows and chat:

    ${application.url}

  Speak from the command line, as the application does:

    curl ${gateway}/send -H 'X-Kuiperbelt-Channel: lobby' -d 'hello from curl'
    curl ${gateway}/stats
    curl http://127.0.0.1:${ports.api}/metrics

  Ctrl-C ends it.

`;
}

function giveUp(words: string, doors: CliDoors): number {
  doors.stderr(`${words.trimEnd()}\n`);
  return EXIT.failed;
}
