import { Fault } from './fault.ts';

/** One message a line, UTF-8 JSON. The framing of every private socket between our own processes. */

export function encodeLine(message: unknown): string {
  return `${JSON.stringify(message)}\n`;
}

/**
 * Collects chunks into lines and parses each.
 *
 * @param maxLineBytes a line longer than this ends the conversation with `line-too-long`
 */
export function lineDecoder(maxLineBytes: number): (chunk: Buffer) => unknown[] {
  let held: Buffer[] = [];
  let heldBytes = 0;
  return (chunk) => {
    const messages: unknown[] = [];
    let start = 0;
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, start)) {
      const tail = chunk.subarray(start, end);
      const line = held.length > 0 ? Buffer.concat([...held, tail]) : tail;
      held = [];
      heldBytes = 0;
      start = end + 1;
      if (line.length > 0) messages.push(parseLine(line));
    }
    if (start < chunk.length) {
      const rest = chunk.subarray(start);
      held.push(rest);
      heldBytes += rest.length;
    }
    if (heldBytes > maxLineBytes) {
      throw new Fault({ code: 'line-too-long', message: `a line exceeds ${maxLineBytes} bytes` });
    }
    return messages;
  };
}

function parseLine(line: Buffer): unknown {
  try {
    return JSON.parse(line.toString('utf8'));
  } catch (cause) {
    throw new Fault({ code: 'bad-line', message: 'a line is not JSON', cause });
  }
}
