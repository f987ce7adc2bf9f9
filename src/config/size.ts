import { Fault } from '../kernel/fault.ts';

const UNITS_BYTES = { kb: 1024, mb: 1024 ** 2, gb: 1024 ** 3 } as const;
type Unit = keyof typeof UNITS_BYTES;

/** More than anything has, and a number that is still exact. */
const MAX_SIZE_BYTES = 1024 * 1024 * UNITS_BYTES.gb;

const SIZE = /^(\d+(?:\.\d+)?)(kb|mb|gb)$/i;

/**
 * `'64mb'` → 67108864: units are powers of 1024.
 *
 * @throws `bad-size`
 */
export function parseSize(value: unknown, minBytes = 0, maxBytes = MAX_SIZE_BYTES): number {
  if (typeof value === 'number') {
    throw badSize(`is the bare number ${value}, which has no unit`, `write '${value}mb', say`);
  }
  const match = typeof value === 'string' ? SIZE.exec(value) : null;
  if (!match) {
    const shown = typeof value === 'string' ? `'${value}'` : String(value);
    throw badSize(
      `is ${shown}, which is not a size`,
      "write a number and one of the units kb, mb, gb, as in '256mb'",
    );
  }
  const sizeBytes = Math.round(
    Number(match[1]) * UNITS_BYTES[(match[2] ?? '').toLowerCase() as Unit],
  );
  if (sizeBytes < minBytes) {
    const least = formatSize(minBytes);
    throw badSize(`is ${value}, less than the least allowed, ${least}`, `write '${least}' or more`);
  }
  if (sizeBytes > maxBytes) {
    const most = formatSize(maxBytes);
    throw badSize(`is ${value}, more than the most allowed, ${most}`, `write '${most}' or less`);
  }
  return sizeBytes;
}

/** For people: three digits at most, in the largest unit that leaves at least 1. */
export function formatSize(sizeBytes: number): string {
  const units = (Object.keys(UNITS_BYTES) as Unit[]).reverse();
  const unit = units.find((name) => sizeBytes >= UNITS_BYTES[name]);
  if (unit === undefined) return `${sizeBytes} bytes`;
  const amount = sizeBytes / UNITS_BYTES[unit];
  return `${amount < 10 ? Math.round(amount * 10) / 10 : Math.round(amount)}${unit}`;
}

function badSize(message: string, hint: string): Fault {
  return new Fault({ code: 'bad-size', message, hint });
}
