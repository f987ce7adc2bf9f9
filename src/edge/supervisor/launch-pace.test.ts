import { expect, it } from 'vitest';
import { manualClock } from '../../kernel/clock.ts';
import { silentLog } from '../../kernel/log.ts';
import { LaunchPace } from './launch-pace.ts';

it('starts all that are wanted at once, and the first replacement too', () => {
  const pace = new LaunchPace(manualClock(), silentLog);
  expect(pace.allow(3, () => {})).toBe(3);
  pace.died(false);
  expect(pace.allow(3, () => {})).toBe(3);
});

it('starts one at a time, after a wait, when workers die before they are ready', async () => {
  const clock = manualClock();
  const pace = new LaunchPace(clock, silentLog);
  let asked = 0;
  const allow = () =>
    pace.allow(2, () => {
      asked += 1;
    });
  pace.died(false);
  pace.died(false);
  expect([allow(), allow()]).toEqual([0, 0]);
  await clock.advance(100);
  expect(asked).toBe(1);
  expect([allow(), allow()]).toEqual([1, 0]);
  pace.died(false);
  await clock.advance(100);
  expect([asked, allow()]).toEqual([2, 1]);
  expect(allow()).toBe(0);
  await clock.advance(200);
  pace.gotReady();
  expect(allow()).toBe(2);
});
