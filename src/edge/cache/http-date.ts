/**
 * The three forms of a date (RFC 9110 section 5.6.7) in any case (RFC 9111 section 4.2), and nothing
 * else: `Date.parse` takes what no other cache would.
 */

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const TIME = '(?<time>\\d{2}:\\d{2}:\\d{2})';
const FORMS = [
  `(?:mon|tue|wed|thu|fri|sat|sun), (?<day>\\d{2}) (?<month>[a-z]{3}) (?<year>\\d{4}) ${TIME} gmt`,
  `(?:mon|tues|wednes|thurs|fri|satur|sun)day, (?<day>\\d{2})-(?<month>[a-z]{3})-(?<year>\\d{2}) ${TIME} gmt`,
  `(?:mon|tue|wed|thu|fri|sat|sun) (?<month>[a-z]{3}) (?<day>[ \\d]\\d) ${TIME} (?<year>\\d{4})`,
].map((form) => new RegExp(`^${form}$`, 'i'));

/** A year of two digits lies no further ahead. */
const MOST_YEARS_AHEAD = 50;
/** JavaScript takes smaller ones for years of the twentieth century. */
const FIRST_YEAR = 100;

/**
 * @param now to tell the century of a year of two digits
 * @returns milliseconds since the epoch; null when it is none of them
 */
export function parseHttpDate(text: string, now: number): number | null {
  for (const form of FORMS) {
    const groups = form.exec(text)?.groups;
    if (groups === undefined) continue;
    const { year = '', month = '', day = '', time = '' } = groups;
    const monthIndex = MONTHS.indexOf(month.toLowerCase());
    if (year.length > 2) return moment(Number(year), monthIndex, Number(day), time);
    return recentMoment(Number(year), monthIndex, Number(day), time, now);
  }
  return null;
}

/** `Sun, 06 Nov 1994 08:49:37 GMT`. */
export const httpDate = (at: number): string => new Date(at).toUTCString();

/** The last one with these digits that is no more than fifty years ahead. */
function recentMoment(
  twoDigits: number,
  month: number,
  day: number,
  time: string,
  now: number,
): number | null {
  const latest = new Date(now);
  latest.setUTCFullYear(latest.getUTCFullYear() + MOST_YEARS_AHEAD);
  const lastYear = latest.getUTCFullYear();
  const year = lastYear - (lastYear % 100) + twoDigits;
  const at = moment(year, month, day, time);
  const isAhead = at === null ? year > lastYear : at > latest.getTime();
  return isAhead ? moment(year - 100, month, day, time) : at;
}

function moment(year: number, month: number, day: number, time: string): number | null {
  const [hour = 0, minute = 0, second = 0] = time.split(':').map(Number);
  const dayAt = Date.UTC(year, month, day);
  // There is no 31st of February; but there are leap seconds, each the first of the next minute.
  const isReal = month >= 0 && year >= FIRST_YEAR && new Date(dayAt).getUTCDate() === day;
  if (!isReal || hour > 23 || minute > 59 || second > 60) return null;
  return dayAt + ((hour * 60 + minute) * 60 + second) * 1000;
}
