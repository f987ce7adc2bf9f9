/**
 * The three forms of a date (RFC 9110 section 5.6.7), and nothing else: `Date.parse` takes what no
 * other cache would.
 */

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const TIME = '(\\d{2}):(\\d{2}):(\\d{2})';
const IMF = new RegExp(
  `^(?:mon|tue|wed|thu|fri|sat|sun), (\\d{2}) (\\w{3}) (\\d{4}) ${TIME} gmt$`,
  'i',
);
const RFC850 = new RegExp(
  `^(?:mon|tues|wednes|thurs|fri|satur|sun)day, (\\d{2})-(\\w{3})-(\\d{2}) ${TIME} gmt$`,
  'i',
);
const ASCTIME = new RegExp(
  `^(?:mon|tue|wed|thu|fri|sat|sun) (\\w{3}) ([ \\d]\\d) ${TIME} (\\d{4})$`,
  'i',
);

/**
 * @param now to tell the century of a year of two digits
 * @returns milliseconds since the epoch; null when it is none of them
 */
export function parseHttpDate(text: string, now: number): number | null {
  const imf = IMF.exec(text);
  if (imf) return moment(imf[3], imf[2], imf[1], imf[4], imf[5], imf[6]);
  const asctime = ASCTIME.exec(text);
  if (asctime) {
    return moment(asctime[6], asctime[1], asctime[2], asctime[3], asctime[4], asctime[5]);
  }
  const old = RFC850.exec(text);
  if (!old) return null;
  return moment(String(fullYear(Number(old[3]), now)), old[2], old[1], old[4], old[5], old[6]);
}

/** `Sun, 06 Nov 1994 08:49:37 GMT`. */
export const httpDate = (at: number): string => new Date(at).toUTCString();

/** One that would lie more than fifty years ahead is the last with these digits. */
function fullYear(twoDigits: number, now: number): number {
  const thisYear = new Date(now).getUTCFullYear();
  const year = thisYear - (thisYear % 100) + twoDigits;
  return year > thisYear + 50 ? year - 100 : year;
}

function moment(
  year = '',
  monthName = '',
  day = '',
  hour = '',
  minute = '',
  second = '',
): number | null {
  const month = MONTHS.indexOf(monthName.toLowerCase());
  const at = Date.UTC(
    Number(year),
    month,
    Number(day),
    Number(hour),
    Number(minute),
    Number(second),
  );
  const date = new Date(at);
  // A leap second is the first of the next minute; a 31st of February is none.
  const isReal = month >= 0 && date.getUTCDate() === Number(day) && Number(second) <= 60;
  return isReal && Number(hour) < 24 && Number(minute) < 60 ? at : null;
}
