import { Cron } from 'croner';

/**
 * Times of the calendar, on the wall of a time zone, against moments. On the day on which clocks
 * change, a time in the hour that is left out comes when that hour is over, and one in the hour that
 * comes twice comes the first time; what comes every hour or minute goes on through both.
 */
export interface Calendar {
  /** The last time at or before the moment; null: there was none. */
  last(moment: number): number | null;
  /** The first time after the moment; null: none comes. */
  next(moment: number): number | null;
}

const SECOND_MS = 1_000;
const FIVE_FIELDS = /^\S+(\s+\S+){4}$/;
/** Of a leap year, so that only what never comes does not come after it. */
const SOME_MOMENT = Date.UTC(2024, 0, 1);

const calendars = new Map<string, Calendar>();

/** @param cron as {@link cronProblem} lets it pass */
export function calendarOf(cron: string, timeZone: string): Calendar {
  const name = `${timeZone} ${cron}`;
  const calendar = calendars.get(name) ?? readCalendar(cron, timeZone);
  calendars.set(name, calendar);
  return calendar;
}

/** Null: it is a time of the calendar. */
export function cronProblem(cron: string): 'unreadable' | 'never' | null {
  // A question mark is the moment at which it is read, which is another one each time.
  if (!FIVE_FIELDS.test(cron) || cron.includes('?')) return 'unreadable';
  try {
    return readCalendar(cron, 'UTC').next(SOME_MOMENT) === null ? 'never' : null;
  } catch {
    return 'unreadable';
  }
}

function readCalendar(cron: string, timezone: string): Calendar {
  const pattern = new Cron(cron, {
    mode: '5-part',
    timezone,
    paused: true,
    fixedTimeRule: 'no-wildcard',
  });
  return {
    last(moment) {
      const justAfter = moment - (moment % SECOND_MS) + SECOND_MS;
      const [last] = pattern.previousRuns(1, new Date(justAfter));
      return last?.getTime() ?? null;
    },
    next: (moment) => pattern.nextRun(new Date(moment))?.getTime() ?? null,
  };
}
