/**
 * The embedded default configuration: a node on loopback in front of the example application.
 *
 * Text, not an object, so that it goes through the same checks as everybody's file and can be
 * copied as the beginning of one.
 */

/** Where the parts of the demonstration listen. */
export interface DemoPorts {
  readonly gateway: number;
  readonly api: number;
  readonly application: number;
}

/** The configuration as a file would have it. */
export function demoConfigText(ports: DemoPorts, dataDir: string): string {
  const application = `http://127.0.0.1:${ports.application}`;
  return `# Clients connect here: ws://127.0.0.1:${ports.gateway}/connect
host: 127.0.0.1
port: ${ports.gateway}
# The application looks at the Origin itself: see isWelcome in examples/chat/app.mjs.
origin_policy: none
callback:
  connect: ${application}/connect
  receive: ${application}/receive
  close: ${application}/close
  timeout: 5s
node:
  name: demo@127.0.0.1
  data_dir: ${JSON.stringify(dataDir)}
api:
  listen: 127.0.0.1:${ports.api}
# People read this terminal; what follows below is for them.
log:
  level: warn
`;
}
