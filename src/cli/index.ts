/** The two programs' command lines; `main/` gives them the world. */
export { runArrokoth } from './arrokoth.ts';
export {
  type BoundAddress,
  type CliDoors,
  EXIT,
  type NodeRequest,
  type StartedApplication,
  type StartedNode,
} from './cli-doors.ts';
export { runEkbo } from './ekbo.ts';
