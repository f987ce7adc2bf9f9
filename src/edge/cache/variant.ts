/** Which of several kept responses to one address a request means (RFC 9111 section 4.1). */

/** Codings that an app of ours may have compressed with, the better first. */
const CODINGS = ['zstd', 'br', 'gzip'] as const;

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
 * Of the codings that matter those that are accepted: browsers write the same in many ways. Only what
 * is refused for certain is told apart (`q=0`), as RFC 9110 section 12.5.3 weighs it.
 */
export function normalEncoding(value: string): string {
  const accepted = new Map<string, boolean>();
  for (const part of value.toLowerCase().split(',')) {
    const [coding = '', ...parameters] = part.split(';').map((piece) => piece.trim());
    const refused = parameters.some((parameter) => /^q=0(\.0{0,3})?$/.test(parameter));
    if (coding !== '') accepted.set(coding === 'x-gzip' ? 'gzip' : coding, !refused);
  }
  const any = accepted.get('*') ?? false;
  return CODINGS.filter((coding) => accepted.get(coding) ?? any).join(',');
}
