/** A promise that was broken: thrown by a checker, caught by `simulation.ts`, printed by `run.ts`. */
export class Violation extends Error {
  /** The checker's file name without its ending. */
  readonly checker: string;

  constructor(checker: string, text: string) {
    super(`${checker}: ${text}`);
    this.checker = checker;
  }
}
