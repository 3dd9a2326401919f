/** The two programs' command lines; `main/` gives them the world. */
export { runArrokoth } from './arrokoth.ts';
export type {
  BoundAddress,
  CliDoors,
  NodeRequest,
  StartedApplication,
  StartedNode,
} from './cli-doors.ts';
export { runEkbo } from './ekbo.ts';
