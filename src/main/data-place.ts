/**
 * Where the data of a node goes, by its configuration and the host that it runs on.
 *
 * One rule for the start and for those who look for a node that was started.
 */
import type { Config } from '../config/index.ts';
import { chooseDataDirectory, type DataDirectoryChoice } from '../journal/index.ts';
import type { HostFacts } from '../system/index.ts';

/** The choice for a node that is started in this process' folder. */
export function chooseDirectory(config: Config, host: HostFacts): DataDirectoryChoice {
  return chooseDataDirectory({
    configured: config.node.dataDir,
    label: config.sock ?? String(config.port),
    cwd: process.cwd(),
    tmp: host.temporaryDir,
    uid: host.userId,
  });
}
