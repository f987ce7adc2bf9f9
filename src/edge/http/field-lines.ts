import { FieldScanner } from './field-scanner.ts';

/** Header lines whose form is right, each with its CRLF, as text. */

/** What one line has, for whoever walks them all. */
export interface FieldLine {
  /** In lower case. */
  name: string;
  value: string;
  /** The line itself, with its CRLF. */
  text: string;
}

/** The lines in order. For what is rare: it makes three texts for each. */
export function fieldLines(fields: string): FieldLine[] {
  const scanner = new FieldScanner();
  scanner.start(`${fields}\r\n`, 0);
  const lines: FieldLine[] = [];
  while (scanner.next()) {
    const text = fields.slice(scanner.lineStart, scanner.position);
    lines.push({ name: scanner.name(), value: scanner.value(), text });
  }
  return lines;
}

/**
 * The value of a field, its lines joined by commas, or by what stands between cookies (RFC 9113
 * section 8.2.3); null where it is not there.
 *
 * @param name in lower case
 */
export function fieldOf(fields: string, name: string): string | null {
  const between = name === 'cookie' ? '; ' : ', ';
  let value: string | null = null;
  for (let start = 0; start < fields.length; ) {
    const end = fields.indexOf('\r\n', start);
    if (isNamed(fields, start, name)) {
      const more = fields.slice(start + name.length + 1, end).trim();
      value = value === null ? more : value + between + more;
    }
    start = end + 2;
  }
  return value;
}

/** @param names in lower case */
export function withoutFields(fields: string, names: ReadonlySet<string>): string {
  const scanner = new FieldScanner();
  scanner.start(`${fields}\r\n`, 0);
  let kept = '';
  while (scanner.next()) {
    if (!names.has(scanner.name())) kept += fields.slice(scanner.lineStart, scanner.position);
  }
  return kept;
}

function isNamed(fields: string, start: number, name: string): boolean {
  const end = start + name.length;
  return fields[end] === ':' && fields.slice(start, end).toLowerCase() === name;
}
