/** Says whether a path, without its query, is one of those a pattern stands for. */
export type PathPattern = (path: string) => boolean;

/**
 * A pattern of paths as CloudFront's behaviours have it: `/a` is that path alone, and `*` stands for
 * any characters, slashes and none included: `/assets/*`, `/*.css`, `/*`. Case matters.
 *
 * It takes time in proportion to the path, whatever the pattern: what stands between two stars is
 * looked for from left to right, and never again.
 */
export function pathPattern(pattern: string): PathPattern {
  const pieces = pattern.split('*');
  const [start = ''] = pieces;
  const end = pieces.at(-1) ?? '';
  if (pieces.length === 1) return (path) => path === pattern;
  // Two that stand together are one.
  const between = pieces.slice(1, -1).filter((piece) => piece !== '');
  if (between.length > 0) return (path) => matches(path, start, between, end);
  if (end === '') return start === '' ? () => true : (path) => path.startsWith(start);
  const least = start.length + end.length;
  return (path) => path.length >= least && path.startsWith(start) && path.endsWith(end);
}

function matches(path: string, start: string, between: readonly string[], end: string): boolean {
  if (!path.startsWith(start)) return false;
  let at = start.length;
  for (const piece of between) {
    const found = path.indexOf(piece, at);
    if (found === -1) return false;
    at = found + piece.length;
  }
  return path.length - end.length >= at && path.endsWith(end);
}
