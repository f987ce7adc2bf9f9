/** Moments as the clock on the wall of a time zone shows them. */

const WEEK_MS = 7 * 86_400_000;

const formats = new Map<string, Intl.DateTimeFormat>();

/** `Fri 18:00 Europe/Berlin`; of what is a week away or more, `24 Dec 18:00 Europe/Berlin`. */
export function timeText(moment: number, timeZone: string, now: number): string {
  const format = formats.get(timeZone) ?? wallClock(timeZone);
  formats.set(timeZone, format);
  const parts = new Map(format.formatToParts(moment).map(({ type, value }) => [type, value]));
  const part = (type: Intl.DateTimeFormatPartTypes) => parts.get(type) ?? '';
  const isNear = Math.abs(moment - now) < WEEK_MS;
  const day = isNear ? part('weekday') : `${part('day')} ${part('month')}`;
  return `${day} ${part('hour')}:${part('minute')} ${timeZone}`;
}

const wallClock = (timeZone: string): Intl.DateTimeFormat =>
  new Intl.DateTimeFormat('en-GB', {
    timeZone,
    hourCycle: 'h23',
    weekday: 'short',
    day: 'numeric',
    month: 'short',
    hour: '2-digit',
    minute: '2-digit',
  });
