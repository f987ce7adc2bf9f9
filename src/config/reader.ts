import { Fault } from '../kernel/fault.ts';
import { nearest } from './nearest.ts';

/**
 * Readers check one value each and go on after a problem, so that all problems of a file are told
 * at once. A reader that has reported returns undefined.
 */

export interface Complaint {
  keyPath: string;
  what: string;
  hint: string | null;
}

type Report = (complaint: Complaint) => void;
export type Reader<T> = (value: unknown, keyPath: string, report: Report) => T | undefined;
export type ReadBy<R> = R extends Reader<infer T> ? T : never;

/** A reader of one value from a parser that throws faults with messages such as `is 0, …`. */
export function leaf<T>(parse: (value: unknown) => T): Reader<T> {
  return (value, keyPath, report) => {
    try {
      return parse(value);
    } catch (thrown) {
      if (!(thrown instanceof Fault)) throw thrown;
      report({ keyPath, what: thrown.message, hint: thrown.hint ?? null });
      return undefined;
    }
  };
}

/** An object with these keys, all optional, and no others. */
export function section<Keys extends Record<string, Reader<unknown>>>(
  keys: Keys,
): Reader<{ [Key in keyof Keys]?: ReadBy<Keys[Key]> | undefined }> {
  return (value, keyPath, report) => {
    const fields = fieldsOf(value, keyPath, report);
    if (!fields) return undefined;
    const known = Object.keys(keys);
    const read: Record<string, unknown> = {};
    for (const [key, field] of fields) {
      const reader = Object.hasOwn(keys, key) ? keys[key] : undefined;
      if (reader) read[key] = reader(field, below(keyPath, key), report);
      else report({ keyPath: below(keyPath, key), ...unknownKey(key, known) });
    }
    // Each key was read by the reader of its name, which the loop cannot tell the compiler.
    return read as { [Key in keyof Keys]?: ReadBy<Keys[Key]> };
  };
}

/** An object whose keys the user chooses. */
export function record<T>(
  readKey: (key: string) => void,
  readValue: Reader<T>,
): Reader<Record<string, T>> {
  const keyReader = leaf((key) => {
    readKey(String(key));
    return true;
  });
  return (value, keyPath, report) => {
    const fields = fieldsOf(value, keyPath, report);
    if (!fields) return undefined;
    const read: Record<string, T> = {};
    for (const [key, field] of fields) {
      const isGood = keyReader(key, below(keyPath, key), report);
      const result = readValue(field, below(keyPath, key), report);
      if (isGood && result !== undefined) read[key] = result;
    }
    return read;
  };
}

/** A list of at least one. */
export function list<T>(example: string, readItem: (item: unknown) => T): Reader<T[]> {
  return leaf((value) => {
    if (!Array.isArray(value)) throw unlike('a list', value, example);
    if (value.length === 0) throw refusal('is an empty list', `write ${example}, or leave it out`);
    return value.map(readItem);
  });
}

/** What may stand in a list once. */
export const distinct =
  <T>(read: Reader<T[]>): Reader<T[]> =>
  (value, keyPath, report) => {
    const items = read(value, keyPath, report);
    const twice = items?.find((item, index) => items.indexOf(item) !== index);
    if (twice === undefined) return items;
    report({ keyPath, what: `has ${describe(twice)} twice`, hint: 'leave out one of them' });
    return undefined;
  };

/** `is 'x'; it should be a list`. */
export function unlike(expected: string, value: unknown, example: string): Fault {
  return refusal(`is ${describe(value)}; it should be ${expected}`, `write ${example}`);
}

export function refusal(message: string, hint: string): Fault {
  return new Fault({ code: 'config-invalid', message, hint });
}

/** A value in the words of a message. */
export function describe(value: unknown): string {
  if (typeof value === 'string') return value === '' ? 'an empty string' : `'${value}'`;
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'object' && value !== null) return 'an object';
  return String(value);
}

const below = (keyPath: string, key: string): string =>
  keyPath === '' ? key : `${keyPath}.${key}`;

/** The written fields; one that is undefined counts as not written. */
function fieldsOf(value: unknown, keyPath: string, report: Report): [string, unknown][] | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    const what = `is ${describe(value)}; it should be an object`;
    report({ keyPath, what, hint: 'write { key: value }, or leave it out for the defaults' });
    return null;
  }
  return Object.entries(value).filter(([, field]) => field !== undefined);
}

function unknownKey(key: string, known: readonly string[]): Omit<Complaint, 'keyPath'> {
  const meant = nearest(key, known);
  const hint =
    meant === undefined ? `the keys here are ${known.join(', ')}` : `did you mean '${meant}'?`;
  return { what: 'is not a key', hint };
}
