/** An answer as a client reads it. */
export interface AnswerRead {
  status: number;
  lines: string[];
  body: string;
  /** Heads before it. */
  interim: string;
  /** It ended where its head says that it does. */
  isWhole: boolean;
}

/**
 * @param ended nothing more will come
 * @returns null when it is not all here
 */
export function readAnswer(received: string, isHead: boolean, ended: boolean): AnswerRead | null {
  const interim = /^(?:HTTP\/1\.1 1\d\d [\s\S]*?\r\n\r\n)*/.exec(received)?.[0] ?? '';
  const text = received.slice(interim.length);
  const headEnd = text.indexOf('\r\n\r\n');
  if (headEnd === -1)
    return ended ? { status: 0, lines: [], body: '', interim, isWhole: false } : null;
  const [first = '', ...lines] = text.slice(0, headEnd).split('\r\n');
  const status = Number(first.split(' ')[1]);
  const rest = text.slice(headEnd + 4);
  const answer = (body: string, isWhole: boolean) => ({ status, lines, body, interim, isWhole });
  if (isHead || status === 204 || status === 304) return answer('', true);
  const length = fieldValue(lines, 'content-length');
  if (length !== null) {
    if (rest.length >= Number(length)) return answer(rest.slice(0, Number(length)), true);
    return ended ? answer(rest, false) : null;
  }
  if (fieldValue(lines, 'transfer-encoding') !== null) {
    const body = unchunked(rest);
    if (body !== null) return answer(body, true);
    return ended ? answer(rest, false) : null;
  }
  return ended ? answer(rest, true) : null;
}

function fieldValue(lines: readonly string[], name: string): string | null {
  const line = lines.find((each) => each.toLowerCase().startsWith(`${name}:`));
  return line === undefined ? null : line.slice(name.length + 1).trim();
}

function unchunked(text: string): string | null {
  let body = '';
  for (let position = 0; ; ) {
    const end = text.indexOf('\r\n', position);
    const size = Number.parseInt(text.slice(position, end), 16);
    if (end === -1 || Number.isNaN(size)) return null;
    if (size === 0) return text.endsWith('\r\n\r\n') ? body : null;
    if (text.length < end + 2 + size + 2) return null;
    body += text.slice(end + 2, end + 2 + size);
    position = end + 2 + size + 2;
  }
}
