/**
 * Command-line flags as Go programs read them, for those who bring their `ekbo` command lines.
 *
 * `-x v`, `-x=v`, `--x`; a switch takes a value only after `=`; reading stops at the first word
 * that is no flag, or after `--`. Pure: words in, values out. `ekbo.ts` drives it.
 */

/** One flag that a program knows. */
export interface GoFlag {
  readonly name: string;
  readonly type: 'text' | 'switch';
  /** One line for the usage text. */
  readonly help: string;
  /** Value when the flag is not given; shown in the usage text unless empty. */
  readonly fallback?: string;
}

/** What became of a command line. */
export type GoFlagOutcome =
  | {
      readonly type: 'parsed';
      /** Value of every known flag; a switch is `true` or `false`. */
      readonly values: Readonly<Record<string, string>>;
      /** Names of the flags that were given. */
      readonly given: ReadonlySet<string>;
      /** Words behind the flags. */
      readonly rest: readonly string[];
    }
  | { readonly type: 'help' }
  | { readonly type: 'invalid'; readonly message: string };

const TRUE_WORDS = ['1', 't', 'T', 'TRUE', 'true', 'True'];
const FALSE_WORDS = ['0', 'f', 'F', 'FALSE', 'false', 'False'];

/** Reads `words` by the rules of Go's flag package. */
export function parseGoFlags(flags: readonly GoFlag[], words: readonly string[]): GoFlagOutcome {
  const values: Record<string, string> = {};
  for (const flag of flags) values[flag.name] = flag.fallback ?? (flag.type === 'switch' ? 'false' : '');
  const given = new Set<string>();
  let index = 0;
  while (index < words.length) {
    const word = words[index] as string;
    if (word.length < 2 || !word.startsWith('-')) break;
    index++;
    if (word === '--') break;
    const named = /^--?([^-=][^=]*)(?:=(.*))?$/s.exec(word);
    if (named === null) return { type: 'invalid', message: `bad flag syntax: ${word}` };
    const name = named[1] as string;
    const flag = flags.find((known) => known.name === name);
    if (flag === undefined) {
      if (name === 'h' || name === 'help') return { type: 'help' };
      return { type: 'invalid', message: `unknown flag: -${name}` };
    }
    let value = named[2] ?? (flag.type === 'switch' ? 'true' : words[index++]);
    if (value === undefined) return { type: 'invalid', message: `-${name} needs a value` };
    if (flag.type === 'switch') {
      const truth = readTruth(value);
      if (truth === null) return { type: 'invalid', message: `-${name} is true or false, not ${value}` };
      value = String(truth);
    }
    values[name] = value;
    given.add(name);
  }
  return { type: 'parsed', values, given, rest: words.slice(index) };
}

/** The usage text, flags in alphabetical order. */
export function goUsage(program: string, flags: readonly GoFlag[]): string {
  const lines = flags
    .toSorted((left, right) => (left.name < right.name ? -1 : 1))
    .map((flag) => {
      const value = flag.type === 'text' ? ' string' : '';
      const fallback = flag.fallback ? ` (default ${JSON.stringify(flag.fallback)})` : '';
      return `  -${flag.name}${value}\n    \t${flag.help}${fallback}\n`;
    });
  return `Usage of ${program}:\n${lines.join('')}`;
}

function readTruth(word: string): boolean | null {
  if (TRUE_WORDS.includes(word)) return true;
  return FALSE_WORDS.includes(word) ? false : null;
}
