import type { Amount } from '../model/configuration.ts';
import { parseDuration } from './duration.ts';
import { leaf, type Reader, refusal, unlike } from './reader.ts';
import { parseSize } from './size.ts';

/** Readers of single values, for the kinds that several keys have. */

export const duration = (minMs?: number, maxMs?: number): Reader<number> =>
  leaf((value) => parseDuration(value, minMs, maxMs));

export const size = (minBytes?: number): Reader<number> =>
  leaf((value) => parseSize(value, minBytes));

export const path = (example: string): Reader<string> =>
  leaf((value) => {
    if (typeof value === 'string' && value.startsWith('/')) return value;
    throw unlike("a path that begins with '/'", value, `${example}, say`);
  });

export const wholeNumber = (least: number, most: number): Reader<number> =>
  leaf((value) => {
    if (typeof value !== 'number' || !Number.isInteger(value)) {
      throw unlike('a whole number', value, numberMeant(value, least));
    }
    if (value < least)
      throw refusal(`is ${value}; the least is ${least}`, `write ${least} or more`);
    if (value > most) throw refusal(`is ${value}; the most is ${most}`, `write ${most} or less`);
    return value;
  });

export const boolean: Reader<boolean> = leaf((value) => {
  if (typeof value === 'boolean') return value;
  throw unlike('true or false', value, 'false');
});

/** A number of instances, or a share of those desired: `'25%'`. */
export const amount = (least: number, most: number): Reader<Amount> => {
  const instances = wholeNumber(least, most);
  return (value, keyPath, report) => {
    if (typeof value !== 'string' || !value.endsWith('%')) return instances(value, keyPath, report);
    const percent = /^\d{1,3}%$/.test(value) ? Number.parseInt(value, 10) : Number.NaN;
    if (percent >= least && percent <= 100) return value;
    const what = `is '${value}'; a share goes from ${least}% to 100%`;
    report({ keyPath, what, hint: "write '25%', say" });
    return undefined;
  };
};

/** @param expected `a number of cores` */
export const positiveNumber = (expected: string, most: number, example: number): Reader<number> =>
  leaf((value) => {
    if (typeof value !== 'number') throw unlike(expected, value, numberMeant(value, example));
    if (value > 0 && value <= most) return value;
    throw refusal(
      `is ${value}; it should be more than 0 and at most ${most}`,
      `write ${example}, say`,
    );
  });

/**
 * One of a few words.
 *
 * @param expected `a way to balance`
 */
export const oneOf = <const Word extends string>(
  expected: string,
  words: readonly Word[],
): Reader<Word> =>
  leaf((value) => {
    const word = words.find((each) => each === value);
    if (word !== undefined) return word;
    const quoted = words.map((each) => `'${each}'`);
    throw unlike(expected, value, `${quoted.slice(0, -1).join(', ')} or ${quoted.at(-1)}`);
  });

/** What somebody who wrote `'3'` meant. */
function numberMeant(value: unknown, otherwise: number): string {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : Number.NaN;
  return Number.isFinite(number) ? `${number}, without quotes` : `${otherwise}, say`;
}
