/** The cookie's name, which apps are not to use; ALB's are AWSALB and AWSALBTG. */
const NAME = 'BELAYLB';
const OPENING = `${NAME}=`;
const LINE_NAME = 'cookie:';

/**
 * Where a value of ours begins behind some place in header lines; -1 when none does. Lines without
 * the name, which are nearly all, cost one search.
 */
export function findCookie(fields: string, from: number): number {
  let at = fields.indexOf(OPENING, from);
  while (at !== -1 && !beginsCookie(fields, at)) at = fields.indexOf(OPENING, at + 1);
  return at === -1 ? -1 : at + OPENING.length;
}

/** Whether it stands where a cookie begins, rather than in another's value, or in another field. */
function beginsCookie(fields: string, at: number): boolean {
  const lineEnd = at === 0 ? -1 : fields.lastIndexOf('\r\n', at);
  const lineStart = lineEnd === -1 ? 0 : lineEnd + 2;
  const valueStart = lineStart + LINE_NAME.length;
  if (fields.slice(lineStart, valueStart).toLowerCase() !== LINE_NAME) return false;
  let before = at - 1;
  while (fields[before] === ' ' || fields[before] === '\t') before -= 1;
  return before === valueStart - 1 || fields[before] === ';';
}

/** @param now wall clock */
export function cookieLine(value: string, keptMs: number, now: number): string {
  const seconds = Math.ceil(keptMs / 1000);
  const expires = new Date(now + keptMs).toUTCString();
  // Both, because the oldest clients know only Expires; the others go by Max-Age.
  const attributes = `Path=/; HttpOnly; SameSite=Lax; Max-Age=${seconds}; Expires=${expires}`;
  return `Set-Cookie: ${OPENING}${value}; ${attributes}\r\n`;
}
