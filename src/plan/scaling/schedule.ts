import { calendarOf } from '../../model/calendar.ts';
import { timeText } from '../../model/calendar-text.ts';
import type { Capacity } from '../../model/configuration.ts';
import type { ScalingPolicy, SchedulePolicy } from '../../model/scaling.ts';
import type { Opinion, ScalingMemory } from './scaling.ts';

/**
 * Which bounds the calendar sets at a moment. What is in force follows from the moment alone, so
 * that a clock that jumps neither fires twice nor leaves anything out: only `desired`, which is set
 * once, is remembered by the beginning it was set for.
 */

/** From when to when a schedule is in force at a moment. */
interface Span {
  beganAt: number;
  /** Null: until another schedule sets the same. */
  endsAt: number | null;
}

export interface ScheduledCapacity {
  /** Bounds in force. */
  min: number;
  max: number;
  /** To be set now, within the bounds, whatever is desired; null: nothing is. */
  desired: number | null;
  /** One for each schedule, in their order. */
  opinions: readonly Opinion[];
  /** To be remembered. */
  scheduled: ScalingMemory['scheduled'];
}

type Setting = 'min' | 'max' | 'desired';

interface InForce extends Span {
  index: number;
  policy: SchedulePolicy;
}

/**
 * What the schedules among the policies make of the capacity. Of those in force that set the same
 * bound, the one that began last has its way; when it ends, the one before it has it again.
 *
 * @param capacity as it was set by hand
 * @param remembered by `ScalingMemory.scheduled`
 */
export function capacityBySchedule(
  policies: readonly ScalingPolicy[],
  capacity: Capacity,
  now: number,
  remembered: ScalingMemory['scheduled'],
): ScheduledCapacity {
  const inForce = policies
    .flatMap((policy, index): InForce[] => {
      const span = policy.kind === 'schedule' ? spanAt(policy, now) : null;
      return policy.kind === 'schedule' && span ? [{ index, policy, ...span }] : [];
    })
    .sort((a, b) => a.beganAt - b.beganAt || a.index - b.index);
  const having = (setting: Setting) => inForce.findLast(({ policy }) => policy[setting] !== null);

  const max = having('max')?.policy.max ?? capacity.max;
  // What was set by hand may meanwhile contradict a schedule: more than max never runs.
  const min = Math.min(having('min')?.policy.min ?? capacity.min, max);
  const begun = inForce.filter(
    ({ policy, index, beganAt }) =>
      policy.desired !== null && beganAt > (remembered[index] ?? Number.NEGATIVE_INFINITY),
  );
  const latest = having('desired');
  const wanted = latest && begun.includes(latest) ? latest.policy.desired : null;
  return {
    min,
    max,
    desired: wanted === null ? null : Math.min(max, Math.max(min, wanted)),
    opinions: policies.flatMap((policy, index) => {
      if (policy.kind !== 'schedule') return [];
      const own = inForce.find((other) => other.index === index);
      return [scheduleOpinion(policy, own ?? null, now)];
    }),
    scheduled:
      begun.length === 0
        ? remembered
        : {
            ...remembered,
            ...Object.fromEntries(begun.map(({ index, beganAt }) => [index, beganAt])),
          },
  };
}

/** Null: it is not in force. */
function spanAt(policy: SchedulePolicy, now: number): Span | null {
  const { cron, timeZone, until } = policy;
  const beganAt = calendarOf(cron, timeZone).last(now);
  if (beganAt === null) return null;
  if (until === null) return { beganAt, endsAt: null };
  if (until.kind === 'for') {
    const endsAt = beganAt + until.durationMs;
    return now < endsAt ? { beganAt, endsAt } : null;
  }
  // Compared by their last times: where the hour left out swallows a span, both come at one moment,
  // and nothing is in force.
  const end = calendarOf(until.cron, timeZone);
  const endedAt = end.last(now);
  if (endedAt !== null && endedAt >= beganAt) return null;
  return { beganAt, endsAt: end.next(now) };
}

/** What it sets and until when; or, while it is not in force, from when on. */
function scheduleOpinion(policy: SchedulePolicy, span: Span | null, now: number): Opinion {
  const why = span ? inForceText(policy, span, now) : comingText(policy, now);
  return { policy: `cron ${policy.cron}`, wants: null, mayShrink: true, why };
}

function inForceText(policy: SchedulePolicy, { beganAt, endsAt }: Span, now: number): string {
  const { timeZone, min, max, desired } = policy;
  const since = timeText(beganAt, timeZone, now);
  const end = endsAt === null ? `since ${since}` : `until ${timeText(endsAt, timeZone, now)}`;
  const bounds = settingsText({ min, max });
  const once = desired === null ? '' : `desired was set to ${desired} on ${since}`;
  return [bounds && `${bounds} ${end}`, once].filter((part) => part !== '').join('; ');
}

function comingText(policy: SchedulePolicy, now: number): string {
  const { cron, timeZone, min, max, desired } = policy;
  const next = calendarOf(cron, timeZone).next(now);
  if (next === null) return 'does not come again';
  return `${settingsText({ min, max, desired })} from ${timeText(next, timeZone, now)} on`;
}

/** `min 4, max 8`. */
function settingsText(settings: Partial<Record<Setting, number | null>>): string {
  const written = Object.entries(settings).filter(([, value]) => value !== null);
  return written.map(([name, value]) => `${name} ${value}`).join(', ');
}
