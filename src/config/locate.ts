/**
 * Finds the line on which a key is written, by reading the source as nested braces. It knows
 * strings, templates and comments, and not TypeScript: where a program computes its configuration,
 * it finds the nearest key that is written out.
 */

interface WrittenKey {
  path: string[];
  line: number;
}

/** The line of the key, or of the closest key above it; null when there is none. */
export function locateKey(source: string, keyPath: string): number | null {
  const keys = writtenKeys(source);
  const exportLine = lineOf(source, /^\s*export\s+default\b/m);
  for (let wanted = keyPath.split('.'); wanted.length > 0; wanted = wanted.slice(0, -1)) {
    const whole = keys.find((key) => key.path.join('.') === wanted.join('.'));
    if (whole) return whole.line;
    const apart = keys.filter((key) => key.line < (exportLine ?? 0) && endsWith(wanted, key.path));
    if (apart.length === 1 && apart[0]) return apart[0].line;
  }
  if (keyPath === 'name') return lineOf(source, /\bapp\s*\(/);
  return exportLine;
}

/** The line of the first match. */
export function lineOf(source: string, pattern: RegExp): number | null {
  const match = pattern.exec(source);
  if (!match) return null;
  const blank = /^\s*/.exec(match[0])?.[0].length ?? 0;
  return source.slice(0, match.index + blank).split('\n').length;
}

/** An object that is written apart, `const capacity = { min: 3 }`, has the end of the path only. */
function endsWith(wanted: string[], end: string[]): boolean {
  return end.length < wanted.length && wanted.slice(-end.length).join('.') === end.join('.');
}

const TOKEN =
  /\/\/[^\n]*|\/\*[\s\S]*?\*\/|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`|[A-Za-z_$][\w$]*|\n|[{}()[\]:,]/g;

function writtenKeys(source: string): WrittenKey[] {
  const keys: WrittenKey[] = [];
  /** For every open bracket, the key whose value it begins, or null. */
  const open: { bracket: string; key: string | null }[] = [];
  let line = 1;
  let word: { text: string; line: number } | null = null;
  let pendingKey: string | null = null;
  for (const [token] of source.matchAll(TOKEN)) {
    const insideObject = open[open.length - 1]?.bracket === '{';
    if (/^(?:\/\/|\/\*|\n)/.test(token)) {
      // Neither changes what is being read.
    } else if (/^[A-Za-z_$'"]/.test(token)) {
      word = { text: token.replace(/^['"]|['"]$/g, ''), line };
    } else if (token === ':' && word && insideObject && pendingKey === null) {
      const parents = open.flatMap(({ key }) => (key === null ? [] : [key]));
      keys.push({ path: [...parents, word.text], line: word.line });
      pendingKey = word.text;
      word = null;
    } else if ('{(['.includes(token)) {
      open.push({ bracket: token, key: pendingKey });
      pendingKey = null;
      word = null;
    } else if ('})]'.includes(token)) {
      // After a call the key's value may go on; after an object nothing of it is left.
      open.pop();
      pendingKey = null;
      word = null;
    } else if (token === ',') {
      pendingKey = null;
      word = null;
    }
    line += token.split('\n').length - 1;
  }
  return keys;
}
