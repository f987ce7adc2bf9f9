/**
 * What apps may take a path for. The edge passes a path on as it came, and what reads it may decode
 * it, once or twice, resolve its dots, merge its slashes, pass over its parameters, its case and its
 * last slash. A guard that looked at the path as it came alone would be walked around by writing it
 * otherwise.
 */
export interface PathReadings {
  /** Decoded, with its case. */
  cased: readonly string[];
  /** For apps that pass over case. */
  folded: readonly string[];
  /** It is written so that it leads elsewhere than it seems to. */
  crooked: boolean;
}

/** With none of these, nobody reads it otherwise, but for its case. */
const AMBIGUOUS = /[%;\\]|\/[/.]|[^/]\/$/;
const CAPITAL = /[A-Z]/;
/** What decodes more often is no app. */
const MOST_DECODINGS = 2;

/** Whether everybody reads it alike, so that its readings need not be looked at. */
export const isUnambiguous = (path: string): boolean =>
  isUnambiguousButForCase(path) && !CAPITAL.test(path);

export const isUnambiguousButForCase = (path: string): boolean => !AMBIGUOUS.test(path);

export function readingsOf(path: string): PathReadings {
  const cased = new Set([decoded(path)]);
  let crooked = false;
  let read = path;
  for (let decodings = 0; ; decodings += 1) {
    const straight = straightened(read);
    if (straight !== read) crooked = true;
    const reading = decoded(straight);
    cased.add(reading);
    cased.add(withoutLastSlash(reading));
    const next = decodedOnce(read);
    if (next === read || decodings === MOST_DECODINGS) break;
    read = next;
  }
  return { cased: [...cased], folded: [...new Set([...cased].map(fold))], crooked };
}

/** As readings are compared, with patterns alike: bytes stay bytes, because what they are in UTF-8 does not matter here. */
export function decoded(path: string): string {
  let read = path;
  for (let decodings = 0; decodings < MOST_DECODINGS; decodings += 1) read = decodedOnce(read);
  return read;
}

export const fold = (path: string): string => path.toLowerCase();

const decodedOnce = (path: string): string =>
  path.replace(/%([0-9A-Fa-f]{2})/g, (_, code: string) =>
    String.fromCharCode(Number.parseInt(code, 16)),
  );

/** Without parameters (`/a;b`), with one slash for several, and its dots resolved. */
function straightened(path: string): string {
  const segments: string[] = [];
  const written = path.replaceAll('\\', '/').split('/');
  for (const segment of written.slice(1)) {
    const name = withoutParameters(segment);
    if (name === '..') segments.pop();
    else if (name !== '.' && name !== '') segments.push(name);
  }
  const last = withoutParameters(written.at(-1) ?? '');
  const isDirectory = last === '' || last === '.' || last === '..';
  return `/${segments.join('/')}${isDirectory && segments.length > 0 ? '/' : ''}`;
}

function withoutParameters(segment: string): string {
  const mark = segment.indexOf(';');
  return mark === -1 ? segment : segment.slice(0, mark);
}

const withoutLastSlash = (path: string): string =>
  path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
