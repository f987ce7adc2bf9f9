import { z } from 'zod';

/** When deployments may start: times of the week in a time zone. */

export const MINUTES_OF_DAY = 1_440;

const windowSchema = z
  .strictObject({
    /** 1 is Monday, 7 Sunday: the days on which it opens. */
    days: z.array(z.int().min(1).max(7)).min(1),
    /** Minutes since midnight by the clock on the wall. */
    fromMinute: z
      .int()
      .min(0)
      .max(MINUTES_OF_DAY - 1),
    /** Not included; beyond a day, it closes on the day after. */
    toMinute: z
      .int()
      .min(1)
      .max(2 * MINUTES_OF_DAY),
  })
  .refine(({ fromMinute, toMinute }) => fromMinute < toMinute, {
    error: 'ends before it begins',
  });
export type Window = z.infer<typeof windowSchema>;

export const windowsSchema = z.strictObject({
  /** None: always. */
  ranges: z.array(windowSchema).max(50),
  /** A name of the IANA database: `Europe/Berlin`. */
  timeZone: z.string().refine(isTimeZone, { error: 'is not the name of a time zone' }),
});
export type Windows = z.infer<typeof windowsSchema>;

export const ALWAYS: Windows = { ranges: [], timeZone: 'UTC' };

const DAYS: readonly string[] = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];

export function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

/**
 * `mon-thu 09:00-17:00`, `mon,wed 22:00-02:00`, `daily 00:00-24:00`. One that ends before it begins
 * ends on the day after.
 *
 * @returns null when it is not like that
 */
export function parseWindow(text: string): Window | null {
  const match = /^(\S+)\s+(\d{2}):(\d{2})-(\d{2}):(\d{2})$/.exec(text.trim());
  if (!match) return null;
  const days = parseDays(match[1] ?? '');
  const from = minuteOf(match[2], match[3]);
  const to = minuteOf(match[4], match[5]);
  if (days === null || from === null || to === null) return null;
  if (from === MINUTES_OF_DAY || from === to) return null;
  return { days, fromMinute: from, toMinute: to > from ? to : to + MINUTES_OF_DAY };
}

/** As users write it. */
export function windowText({ days, fromMinute, toMinute }: Window): string {
  const to = toMinute > MINUTES_OF_DAY ? toMinute - MINUTES_OF_DAY : toMinute;
  return `${daysText(days)} ${timeText(fromMinute)}-${timeText(to)}`;
}

function parseDays(text: string): number[] | null {
  if (text === 'daily') return [1, 2, 3, 4, 5, 6, 7];
  const days = new Set<number>();
  for (const part of text.split(',')) {
    const [first = '', last = first, ...rest] = part.split('-');
    const from = dayOf(first);
    const to = dayOf(last);
    if (from === 0 || to === 0 || rest.length > 0) return null;
    // `sat-mon` goes round.
    for (let day = from; ; day = (day % 7) + 1) {
      days.add(day);
      if (day === to) break;
    }
  }
  return [...days].sort((a, b) => a - b);
}

const dayOf = (name: string): number => DAYS.indexOf(name) + 1;

function minuteOf(hours: string | undefined, minutes: string | undefined): number | null {
  const minute = Number(hours) * 60 + Number(minutes);
  return Number(minutes) < 60 && minute <= MINUTES_OF_DAY ? minute : null;
}

function daysText(days: readonly number[]): string {
  if (days.length === 7) return 'daily';
  const runs: number[][] = [];
  for (const day of days) {
    const run = runs.at(-1);
    if (run?.at(-1) === day - 1) run.push(day);
    else runs.push([day]);
  }
  const name = (day: number | undefined): string => DAYS[(day ?? 1) - 1] ?? '';
  return runs
    .map((run) => (run.length === 1 ? name(run[0]) : `${name(run[0])}-${name(run.at(-1))}`))
    .join(',');
}

const timeText = (minute: number): string =>
  `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`;
