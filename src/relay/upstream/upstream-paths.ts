/**
 * Which paths of the public listener a backend may get.
 *
 * Paths of the gateway stay with it, served or not, and so do those of the callbacks: whoever could
 * reach these through us would speak to the application in our name. Both hold for every spelling
 * that some backend might take for the same path, so a path is compared in each form that decoding,
 * dots, slashes, parameters and letter case can give it. A path that passes goes on as it was sent.
 */

/** `own`: the gateway's. `refused`: a callback's, or not to be read in one way. */
export type UpstreamPathVerdict = 'own' | 'refused' | 'pass';

/** Nothing but segments that mean the same to everybody. */
const PLAIN = /^(?:\/[A-Za-z0-9_~-][A-Za-z0-9_.~-]*)*\/?$/;
/** Applications encode twice now and then; more often is done by those who look for a hole. */
const DECODINGS_MAX = 4;
/** Of a path that is not plain: read in dozens of forms, long ones would cost us more than their sender. */
const CHARACTERS_MAX = 8_192;
const STEPS_BACK_MAX = 16;
const STEP_BACK = /(?:\.|%(?:25)*2e){2}/gi;
const ESCAPE = /%u([0-9A-Fa-f]{4})|%([0-9A-Fa-f]{2})/g;
/** A letter in more bytes than it needs, which some decoders of UTF-8 accept. */
const OVERLONG = /[\xc0\xc1][\x80-\xbf]|\xe0[\x80-\x9f][\x80-\xbf]|\xf0[\x80-\x8f][\x80-\xbf]{2}/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for.
const IGNORED = /[\x01-\x20\x7f]/g;
const CONTINUES_NAME = /[a-z0-9_-]/;

/** The rule of one configuration. */
export class UpstreamPaths {
  readonly #own: readonly string[];
  readonly #callbacks: readonly string[];

  constructor(paths: {
    /** All paths of the gateway, also those that another listener serves. */
    readonly own: readonly string[];
    /** Paths of the application that are not for clients. */
    readonly callbacks: readonly string[];
  }) {
    this.#own = paths.own.map(plainForm);
    this.#callbacks = paths.callbacks.map((path) => withoutLastSlash(plainForm(path)));
  }

  /** `path`: as sent, without its query. */
  verdict(path: string): UpstreamPathVerdict {
    // `OPTIONS *`, and targets with a scheme and a host: nobody can say where these lead.
    if (!path.startsWith('/')) return 'refused';
    if (PLAIN.test(path)) return this.#judge([plainForm(path)]);
    const forms = formsOf(path);
    return forms === null ? 'refused' : this.#judge(forms);
  }

  #judge(forms: readonly string[]): UpstreamPathVerdict {
    if (forms.some((form) => this.#own.some((own) => isOwn(own, form)))) return 'own';
    const refused = forms.some((form) => this.#callbacks.some((path) => isBelow(path, form)));
    return refused ? 'refused' : 'pass';
  }
}

function isOwn(own: string, form: string): boolean {
  if (own.endsWith('/') && form.startsWith(own)) return true;
  return withoutLastSlash(own) === withoutLastSlash(form);
}

/** Whatever follows a script's name, as in `/hook.php/x` or `/hook.json`, leads to the script as well. */
function isBelow(path: string, form: string): boolean {
  if (!form.startsWith(path)) return false;
  if (path === '') return form === '/';
  return form.length === path.length || !CONTINUES_NAME.test(form[path.length] as string);
}

/** Every reading of a path that is not plain; null when there are too many, or none that is sane. */
function formsOf(path: string): string[] | null {
  if (path.length > CHARACTERS_MAX || (path.match(STEP_BACK)?.length ?? 0) > STEPS_BACK_MAX) return null;
  const forms = new Set<string>();
  let text = path;
  for (let decodings = 0; decodings <= DECODINGS_MAX; decodings++) {
    if (text.includes('\0') || OVERLONG.test(text)) return null;
    addForms(forms, text);
    const decoded = text.replace(ESCAPE, (_, wide, narrow) =>
      String.fromCharCode(Number.parseInt(wide ?? narrow, 16)),
    );
    if (decoded === text) return [...forms];
    text = decoded;
  }
  return null;
}

function addForms(forms: Set<string>, text: string): void {
  const slashes = text.replace(IGNORED, '').replaceAll('\\', '/');
  for (const whole of [slashes, slashes.replace(/[?#].*$/s, '')]) {
    for (const segments of [whole, whole.replace(/;[^/]*/g, '')]) {
      forms.add(plainForm(segments));
      for (const resolved of resolveDots(segments)) forms.add(plainForm(resolved));
    }
  }
}

/** Letter case and doubled slashes mean nothing to some. */
function plainForm(path: string): string {
  return path.toLowerCase().replace(/\/(?:\.?\/)+/g, '/');
}

/** Where a path leads, and every place from which it goes back: not all resolve all dots. */
function resolveDots(path: string): string[] {
  const places: string[] = [];
  const segments: string[] = [];
  for (const segment of path.split('/')) {
    if (segment === '..') {
      places.push(`/${segments.join('/')}`);
      segments.pop();
    } else if (segment !== '' && segment !== '.') {
      segments.push(segment);
    }
  }
  return [...places, `/${segments.join('/')}`];
}

function withoutLastSlash(path: string): string {
  return path.endsWith('/') ? path.slice(0, -1) : path;
}
