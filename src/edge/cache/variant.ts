/** Which of several kept responses to one address a request means (RFC 9111 section 4.1). */

/** Codings that apps use; an app is not told of others, so that nobody makes variants without end. */
const CODINGS = ['br', 'compress', 'deflate', 'gzip', 'zstd'] as const;
/** Names that mean the same (RFC 9110 section 8.4.1). */
const ALIASES = new Map([
  ['x-gzip', 'gzip'],
  ['x-compress', 'compress'],
]);

/** Names in a Vary, in order, each once. */
export function varyNames(vary: string | null): string[] {
  if (vary === null) return [];
  const names = vary
    .toLowerCase()
    .split(/[\s,]+/)
    .filter((name) => name !== '');
  return [...new Set(names)].sort();
}

/**
 * What a request says in the fields that count, as one text; requests of one text get one response.
 *
 * @param fieldOf the value of a field by its name in lower case, its lines joined by commas; null
 *   where it is not there
 */
export function variantKey(
  names: readonly string[],
  fieldOf: (name: string) => string | null,
): string {
  return names
    .map((name) => {
      const value = fieldOf(name);
      if (value === null) return `${name}\n`;
      return `${name}:${name === 'accept-encoding' ? normalEncoding(value) : normalValue(value)}\n`;
    })
    .join('');
}

/** White space and order of lines aside, nothing is known of what a value means. */
const normalValue = (value: string): string =>
  value
    .split(',')
    .map((part) => part.trim())
    .join(',');

/**
 * The codings that are accepted, in one order whatever was preferred: browsers write the same in many
 * ways, and an app may answer each of them with any. Refused is what has no weight (`q=0`, RFC 9110
 * section 12.5.3).
 */
export function normalEncoding(value: string): string {
  const accepted = new Map<string, boolean>();
  for (const part of value.toLowerCase().split(',')) {
    const [coding = '', ...parameters] = part.split(';').map((piece) => piece.trim());
    const isRefused = parameters.some((parameter) => /^q=0(\.0{0,3})?$/.test(parameter));
    accepted.set(ALIASES.get(coding) ?? coding, !isRefused);
  }
  const any = accepted.get('*') ?? false;
  const known: string[] = CODINGS.filter((coding) => accepted.get(coding) ?? any);
  // Nobody has to say that an answer may be as it is; but whoever wants it so has to.
  if (accepted.get('identity') === false) known.push('identity;q=0');
  return known.join(',');
}
