import { type Calendar, calendarOf } from '../model/calendar.ts';
import { timeText } from '../model/calendar-text.ts';
import type { Capacity } from '../model/configuration.ts';
import type { ScalingPolicy, SchedulePolicy } from '../model/scaling.ts';
import type { Contradiction } from './contradiction.ts';

/** What cannot be right about schedules together, and about a schedule and the capacity. */

const KEY_PATH = 'web.scaling.policies';
const YEAR_MS = 366 * 86_400_000;
/** Of a schedule that comes more often, the rest is asked for where another one comes. */
const MOST_LISTED = 1_000;
const SETTINGS = ['min', 'max', 'desired'] as const;

/** A bound that no state of the calendar leaves room for. */
export function boundsCrossed(
  policies: readonly ScalingPolicy[],
  { min, max }: Capacity,
): Contradiction[] {
  const schedules = schedulesAmong(policies);
  const greatest = Math.max(max, ...schedules.map((schedule) => schedule.max ?? 0));
  const least = Math.min(min, ...schedules.map((schedule) => schedule.min ?? min));
  return schedules.flatMap((schedule): Contradiction[] => {
    if ((schedule.min ?? 0) > greatest) {
      const what = `has ${named(schedule)}, which sets min to ${schedule.min}, and max is ${greatest}`;
      return [
        { keyPaths: [KEY_PATH, 'web.capacity.max'], what, hint: `set max to ${schedule.min} too` },
      ];
    }
    if ((schedule.max ?? max) < least) {
      const what = `has ${named(schedule)}, which sets max to ${schedule.max}, and min is ${least}`;
      return [
        { keyPaths: [KEY_PATH, 'web.capacity.min'], what, hint: `set min to ${schedule.max} too` },
      ];
    }
    return [];
  });
}

/**
 * Two that begin at one moment and set the same: which of them is meant cannot be told. Looked for
 * through the year that comes.
 */
export function sameMoments(policies: readonly ScalingPolicy[], now: number): Contradiction[] {
  const schedules = schedulesAmong(policies);
  const listed = schedules.map((schedule) => beginnings(schedule, now));
  return schedules.flatMap((schedule, index) =>
    schedules.slice(0, index).flatMap((other, otherIndex): Contradiction[] => {
      const [one, two] = [listed[index], listed[otherIndex]];
      const setting = SETTINGS.find((each) => schedule[each] !== null && other[each] !== null);
      const moment = one && two && setting ? firstShared(one, two) : null;
      if (moment === null) return [];
      const when = timeText(moment, schedule.timeZone, now);
      const what = `has ${named(other)} and ${named(schedule)}, which both set ${setting} on ${when}`;
      return [{ keyPaths: [KEY_PATH], what, hint: 'let one of them begin a minute later' }];
    }),
  );
}

const schedulesAmong = (policies: readonly ScalingPolicy[]): SchedulePolicy[] =>
  policies.filter((policy) => policy.kind === 'schedule');

interface Beginnings {
  calendar: Calendar;
  /** In order; not all, where there are more than are listed. */
  moments: ReadonlySet<number>;
  listedUntil: number;
}

function beginnings({ cron, timeZone }: SchedulePolicy, now: number): Beginnings {
  const calendar = calendarOf(cron, timeZone);
  const end = now + YEAR_MS;
  const moments = new Set<number>();
  let moment = calendar.next(now);
  while (moment !== null && moment < end) {
    if (moments.size === MOST_LISTED) return { calendar, moments, listedUntil: moment - 1 };
    moments.add(moment);
    moment = calendar.next(moment);
  }
  return { calendar, moments, listedUntil: end };
}

function firstShared(one: Beginnings, two: Beginnings): number | null {
  const [rare, frequent] = one.listedUntil > two.listedUntil ? [one, two] : [two, one];
  const shared = [...rare.moments].find((moment) =>
    moment <= frequent.listedUntil
      ? frequent.moments.has(moment)
      : frequent.calendar.last(moment) === moment,
  );
  return shared ?? null;
}

const named = ({ cron }: SchedulePolicy): string => `cron('${cron}')`;
