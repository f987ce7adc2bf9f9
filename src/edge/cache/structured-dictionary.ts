/**
 * Dictionaries of Structured Fields (RFC 8941 section 3.2), as strictly as section 4.2.2 reads them.
 * Of what a member says only its value is of use here; parameters and lists have to be well-formed.
 */

/** `list` and `bytes` are there, and no more is said of them. */
export type Item =
  | { type: 'boolean'; value: boolean }
  | { type: 'integer'; value: number }
  | { type: 'decimal'; value: number }
  | { type: 'string'; value: string }
  | { type: 'token'; value: string }
  | { type: 'bytes' }
  | { type: 'list' };

const KEY = '[a-z*][a-z0-9_.*-]*';
const DECIMAL = '-?\\d{1,12}\\.\\d{1,3}(?![\\d.])';
const INTEGER = '-?\\d{1,15}(?![\\d.])';
const STRING = '"(?:[\\x20!#-\\[\\]-~]|\\\\["\\\\])*"';
const TOKEN = "[A-Za-z*][!#$%&'*+.^_`|~0-9A-Za-z:/-]*";
const BYTES = ':[A-Za-z0-9+/=]*:';
const BARE = `(?:${DECIMAL}|${INTEGER}|${STRING}|${TOKEN}|${BYTES}|\\?[01])`;
const PARAMETERS = `(?:; *${KEY}(?:=${BARE})?)*`;
const LIST = `\\( *(?:${BARE}${PARAMETERS}(?: +${BARE}${PARAMETERS})* *)?\\)`;
const MEMBER = new RegExp(`(${KEY})(?:=(${LIST}|${BARE}))?${PARAMETERS}`, 'y');
const COMMA = /[ \t]*,[ \t]*/y;

/**
 * @param value of all lines, in order, with commas between them
 * @returns the members by key, of several with one key the last; null when it is malformed
 */
export function parseDictionary(value: string): Map<string, Item> | null {
  const members = new Map<string, Item>();
  const text = value.replace(/^ +| +$/g, '');
  for (let position = 0; position < text.length; ) {
    MEMBER.lastIndex = position;
    const member = MEMBER.exec(text);
    if (member === null) return null;
    const [, key = '', written] = member;
    members.set(key, itemOf(written));
    position = MEMBER.lastIndex;
    if (position === text.length) break;
    COMMA.lastIndex = position;
    // Behind a comma there has to be something.
    if (!COMMA.test(text) || COMMA.lastIndex === text.length) return null;
    position = COMMA.lastIndex;
  }
  return members;
}

/** @param written undefined: a key alone is true */
function itemOf(written: string | undefined): Item {
  if (written === undefined) return { type: 'boolean', value: true };
  const [first = ''] = written;
  if (first === '(') return { type: 'list' };
  if (first === ':') return { type: 'bytes' };
  if (first === '?') return { type: 'boolean', value: written === '?1' };
  if (first === '"') {
    return { type: 'string', value: written.slice(1, -1).replace(/\\(.)/g, '$1') };
  }
  if (/[-\d]/.test(first)) {
    return { type: written.includes('.') ? 'decimal' : 'integer', value: Number(written) };
  }
  return { type: 'token', value: written };
}
