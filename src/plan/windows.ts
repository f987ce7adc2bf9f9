import { MINUTES_OF_DAY, type Windows } from '../model/window.ts';

/**
 * Whether a moment lies in a window, and when the next one opens. Windows are times on the wall: on
 * the day on which clocks change, one is longer or shorter, and one that would open in the hour that
 * is left out opens when that hour is over.
 */

const MINUTE_MS = 60_000;
/** Clocks change at quarters of an hour, everywhere: in between, the offset holds. */
const QUARTER_MS = 15 * MINUTE_MS;
/** Whatever opens at all opens within a week; one more day for a change of clocks. */
const LOOK_AHEAD_MS = 8 * 24 * 60 * MINUTE_MS;

export function isOpen(windows: Windows, now: number): boolean {
  if (windows.ranges.length === 0) return true;
  return isOpenAt(windows, now + offsetAt(windows.timeZone, now));
}

/** The first moment from now on that lies in a window; null when there is none. */
export function nextOpening(windows: Windows, now: number): number | null {
  if (isOpen(windows, now)) return now;
  const end = now + LOOK_AHEAD_MS;
  for (let quarter = now - (now % QUARTER_MS); quarter < end; quarter += QUARTER_MS) {
    const offset = offsetAt(windows.timeZone, quarter);
    for (let moment = quarter; moment < quarter + QUARTER_MS; moment += MINUTE_MS) {
      if (moment > now && isOpenAt(windows, moment + offset)) return moment;
    }
  }
  return null;
}

/** @param local milliseconds since 1970 by the clock on the wall */
function isOpenAt({ ranges }: Windows, local: number): boolean {
  const minutes = Math.floor(local / MINUTE_MS);
  const minute = minutes % MINUTES_OF_DAY;
  // 1 January 1970 was a Thursday.
  const day = ((Math.floor(minutes / MINUTES_OF_DAY) + 3) % 7) + 1;
  const dayBefore = day === 1 ? 7 : day - 1;
  return ranges.some(
    ({ days, fromMinute, toMinute }) =>
      (days.includes(day) && fromMinute <= minute && minute < toMinute) ||
      (days.includes(dayBefore) && minute + MINUTES_OF_DAY < toMinute),
  );
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** How far the clock on the wall is ahead of UTC, in milliseconds. */
function offsetAt(timeZone: string, moment: number): number {
  const format = formats.get(timeZone) ?? wallClock(timeZone);
  formats.set(timeZone, format);
  const parts = new Map(format.formatToParts(moment).map(({ type, value }) => [type, value]));
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = (
    ['year', 'month', 'day', 'hour', 'minute', 'second'] as const
  ).map((part) => Number(parts.get(part)));
  const local = Date.UTC(year, month - 1, day, hour, minute, second);
  return local - Math.floor(moment / 1000) * 1000;
}

const wallClock = (timeZone: string): Intl.DateTimeFormat =>
  new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
