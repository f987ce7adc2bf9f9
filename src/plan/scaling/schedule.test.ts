import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SchedulePolicy } from '../../model/scaling.ts';
import { capacityBySchedule } from './schedule.ts';

const CAPACITY = { min: 1, desired: 2, max: 10 };
const HOUR_MS = 3_600_000;

const schedule = (cron: string, rest: Partial<SchedulePolicy> = {}): SchedulePolicy => ({
  kind: 'schedule',
  cron,
  timeZone: 'Europe/Berlin',
  until: null,
  min: null,
  max: null,
  desired: null,
  ...rest,
});
const until = (cron: string): SchedulePolicy['until'] => ({ kind: 'cron', cron });
const lasting = (durationMs: number): SchedulePolicy['until'] => ({ kind: 'for', durationMs });

const at = (policies: SchedulePolicy[], time: string, remembered = {}) =>
  capacityBySchedule(policies, CAPACITY, Date.parse(time), remembered);
const minAt = (policies: SchedulePolicy[], time: string) => at(policies, time).min;

const office = schedule('0 9 * * 1-5', { min: 4, until: until('0 18 * * 1-5') });

describe('what is in force', () => {
  it('is set from the beginning, included, to the end, not included', () => {
    // 16 June 2026 is a Tuesday, in summer time.
    expect(minAt([office], '2026-06-16T06:59:59Z')).toBe(1);
    expect(minAt([office], '2026-06-16T07:00:00Z')).toBe(4);
    expect(minAt([office], '2026-06-16T15:59:59Z')).toBe(4);
    expect(minAt([office], '2026-06-16T16:00:00Z')).toBe(1);
    expect(minAt([office], '2026-06-20T10:00:00Z')).toBe(1);
  });

  it('ends after its time', () => {
    const lunch = schedule('0 12 * * *', { min: 6, until: lasting(90 * 60_000) });
    expect(minAt([lunch], '2026-06-16T11:29:59Z')).toBe(6);
    expect(minAt([lunch], '2026-06-16T11:30:00Z')).toBe(1);
  });

  it('lasts until another sets the same, where it has no end', () => {
    const day = schedule('0 8 * * *', { min: 4, max: 8 });
    const night = schedule('0 20 * * *', { min: 2 });
    expect(at([day, night], '2026-06-16T10:00:00Z')).toMatchObject({ min: 4, max: 8 });
    expect(at([day, night], '2026-06-16T22:00:00Z')).toMatchObject({ min: 2, max: 8 });
  });

  it('has its way again when one that began after it is over', () => {
    const lunch = schedule('0 12 * * *', { min: 6, until: lasting(HOUR_MS) });
    const spans = [office, lunch];
    const noon = ['09:30', '10:30', '11:30'].map((time) => minAt(spans, `2026-06-16T${time}:00Z`));
    expect(noon).toEqual([4, 6, 4]);
  });

  it('never lets min exceed max, whatever was set by hand meanwhile', () => {
    const policies = [schedule('0 9 * * *', { min: 12 })];
    expect(at(policies, '2026-06-16T10:00:00Z')).toMatchObject({ min: 10, max: 10 });
  });
});

describe('the days on which clocks change', () => {
  // Berlin: on 29 March 2026 from 02:00 to 03:00, which is 01:00Z; on 25 October back again.
  const early = schedule('30 2 * * *', { min: 4, until: lasting(HOUR_MS / 2) });

  it('begins when the hour left out is over', () => {
    expect(minAt([early], '2026-03-29T00:59:59Z')).toBe(1);
    expect(minAt([early], '2026-03-29T01:00:00Z')).toBe(4);
    expect(minAt([early], '2026-03-29T01:30:00Z')).toBe(1);
  });

  it('is nothing where the hour left out is all of it', () => {
    const short = schedule('0 2 * * *', { min: 4, until: until('0 3 * * *') });
    expect(minAt([short], '2026-03-28T01:30:00Z')).toBe(4);
    for (const time of ['01:00', '01:30', '12:00']) {
      expect(minAt([short], `2026-03-29T${time}:00Z`)).toBe(1);
    }
    expect(minAt([short], '2026-03-30T00:30:00Z')).toBe(4);
  });

  it('begins once in the hour that comes twice', () => {
    const times = ['00:29', '00:30', '00:59', '01:00', '01:30', '01:59'];
    const mins = times.map((time) => minAt([early], `2026-10-25T${time}:00Z`));
    expect(mins).toEqual([1, 4, 4, 1, 1, 1]);
  });

  it('keeps to the clock on the wall on both sides', () => {
    expect(minAt([office], '2026-03-27T08:00:00Z')).toBe(4);
    expect(minAt([office], '2026-03-27T07:00:00Z')).toBe(1);
    expect(minAt([office], '2026-03-30T07:00:00Z')).toBe(4);
  });
});

describe('desired', () => {
  const morning = schedule('0 9 * * *', { desired: 5, until: until('0 18 * * *') });

  it('is set once, at the beginning', () => {
    const first = at([morning], '2026-06-16T07:00:10Z');
    expect(first.desired).toBe(5);
    expect(at([morning], '2026-06-16T07:00:20Z', first.scheduled).desired).toBeNull();
    expect(at([morning], '2026-06-17T07:00:10Z', first.scheduled).desired).toBe(5);
  });

  it('is set late rather than not at all', () => {
    const yesterday = at([morning], '2026-06-15T07:00:00Z').scheduled;
    expect(at([morning], '2026-06-16T09:12:00Z', yesterday).desired).toBe(5);
    expect(at([morning], '2026-06-16T17:00:00Z', yesterday).desired).toBeNull();
  });

  it('is not set twice when the clock goes back an hour and on again', () => {
    let { scheduled } = at([morning], '2026-06-16T07:10:00Z');
    for (const time of ['06:10', '06:59', '07:00', '07:10', '08:10', '07:10']) {
      const now = at([morning], `2026-06-16T${time}:00Z`, scheduled);
      expect(now.desired).toBeNull();
      scheduled = now.scheduled;
    }
  });

  it('stays within the bounds that are in force', () => {
    const policies = [schedule('0 9 * * *', { desired: 5, max: 3 })];
    expect(at(policies, '2026-06-16T07:00:00Z').desired).toBe(3);
  });

  it('is not set anew by one that comes back when a later one is over', () => {
    const burst = schedule('0 12 * * *', { desired: 8, until: lasting(HOUR_MS) });
    const during = at([morning, burst], '2026-06-16T10:00:00Z');
    expect(during.desired).toBe(8);
    expect(at([morning, burst], '2026-06-16T11:00:00Z', during.scheduled).desired).toBeNull();
  });
});

describe('words', () => {
  const wordsAt = (policy: SchedulePolicy, time: string) => at([policy], time).opinions[0]?.why;

  it('say what is set and until when', () => {
    expect(wordsAt(office, '2026-06-19T10:00:00Z')).toBe('min 4 until Fri 18:00 Europe/Berlin');
    const day = schedule('0 8 * * *', { min: 4, max: 8, desired: 6 });
    expect(wordsAt(day, '2026-06-19T10:00:00Z')).toBe(
      'min 4, max 8 since Fri 08:00 Europe/Berlin; desired was set to 6 on Fri 08:00 Europe/Berlin',
    );
  });

  it('say when one that is not in force begins', () => {
    expect(wordsAt(office, '2026-06-19T17:00:00Z')).toBe('min 4 from Mon 09:00 Europe/Berlin on');
    const christmas = schedule('0 9 24 12 *', { max: 10, until: lasting(HOUR_MS) });
    expect(wordsAt(christmas, '2026-06-19T17:00:00Z')).toBe(
      'max 10 from 24 Dec 09:00 Europe/Berlin on',
    );
  });
});

describe('a clock that jumps', () => {
  /** An hour forward, an hour back, or on by some minutes. */
  const moves = fc.array(fc.constantFrom(60, -60, 1, 7, 15), { minLength: 1, maxLength: 120 });
  const policies = [
    schedule('30 2 * * *', { min: 4, desired: 5, until: lasting(HOUR_MS) }),
    schedule('0 3 * * *', { min: 3, desired: 3, until: until('0 4 * * *') }),
  ];

  it.each(['2026-03-28T22:00Z', '2026-10-24T22:00Z', '2026-06-16T22:00Z'])(
    'sets nothing twice and leaves nothing out, from %s on',
    (from) => {
      fc.assert(
        fc.property(moves, (minutes) => {
          let now = Date.parse(from);
          let { scheduled } = capacityBySchedule(policies, CAPACITY, now, {});
          let sets = 0;
          for (const move of minutes) {
            now += move * 60_000;
            const seen = capacityBySchedule(policies, CAPACITY, now, scheduled);
            expect(seen).toMatchObject({
              min: capacityBySchedule(policies, CAPACITY, now, {}).min,
              max: CAPACITY.max,
            });
            if (seen.desired !== null) sets += 1;
            scheduled = seen.scheduled;
          }
          const days = (now - Date.parse(from)) / (24 * HOUR_MS) + 2;
          expect(sets).toBeLessThanOrEqual(policies.length * days);
          // Whatever was before, each of the next days has its turn.
          const halfHours = Array.from({ length: 48 }, (_, index) => now + (index * HOUR_MS) / 2);
          const set = halfHours.map(
            (at) => capacityBySchedule(policies, CAPACITY, at + 24 * HOUR_MS, scheduled).desired,
          );
          expect(set).toContain(5);
        }),
        { numRuns: 50 },
      );
    },
  );
});
