/**
 * The environment's variables, as the configuration file may refer to them.
 *
 * They come in as a parameter: only `main/` and `cli/` read the real ones.
 */

/** Names and values; a variable that is not set is absent or undefined. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The value of `name`; inherited members of the object are not variables. */
export function lookUp(environment: Environment, name: string): string | undefined {
  return Object.hasOwn(environment, name) ? environment[name] : undefined;
}
