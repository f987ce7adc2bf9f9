/** Classes of bytes, as tables, because the hot path looks at every byte of a head once. */

export const HT = 0x09;
export const LF = 0x0a;
export const CR = 0x0d;
export const SP = 0x20;
export const COLON = 0x3a;
const UNDERSCORE = 0x5f;

/** Marks a token character that no field we pass on may have in its name. */
export const UNDERSCORE_MARK = 2;

const TOKEN_CHARACTERS =
  "!#$%&'*+-.^`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

/** RFC 9110 section 5.6.2; an underscore is marked, because it is where names collide in CGI. */
export const tokenTable = new Uint8Array(256);
for (const character of TOKEN_CHARACTERS) tokenTable[character.charCodeAt(0)] = 1;
tokenTable[UNDERSCORE] = UNDERSCORE_MARK;

/** What may stand in a field's value: visible ASCII, space, tab and bytes above 127. */
export const fieldValueTable = new Uint8Array(256);
fieldValueTable[HT] = 1;
for (let code = SP; code <= 0xff; code += 1) fieldValueTable[code] = code === 0x7f ? 0 : 1;

/** What may stand in a request target: visible ASCII without `#`, which only clients interpret. */
export const targetTable = new Uint8Array(256);
for (let code = 0x21; code <= 0x7e; code += 1) targetTable[code] = code === 0x23 ? 0 : 1;

/** Whether every character of a part of a text, which must not be empty, is in the table. */
export function consistsOf(table: Uint8Array, text: string, start: number, end: number): boolean {
  for (let i = start; i < end; i += 1) {
    if (!table[text.charCodeAt(i)]) return false;
  }
  return end > start;
}

export const isToken = (text: string): boolean => consistsOf(tokenTable, text, 0, text.length);
