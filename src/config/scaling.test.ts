import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Fault } from '../kernel/fault.ts';
import type { SchedulePolicy } from '../model/scaling.ts';
import { loadConfiguration } from './load.ts';
import { sameMoments } from './schedule-contradiction.ts';

let directory: string;
beforeEach(() => {
  directory = join(mkdtempSync(join(tmpdir(), 'belay-scaling-')), 'shop');
  mkdirSync(directory);
});
afterEach(() => rmSync(join(directory, '..'), { recursive: true }));

function load(web: string) {
  const imports = "import { app, cron, predict, step, track } from 'belay';\n";
  const text = `${imports}export default app('shop', { web: { start: 'node .', ${web} } });`;
  writeFileSync(join(directory, 'belay.config.ts'), text);
  return loadConfiguration(directory, 'production').configuration.web;
}

/** `key path: what`, of each problem. */
function problemsOf(web: string): string[] {
  try {
    load(web);
    return [];
  } catch (thrown) {
    if (!(thrown instanceof Fault) || thrown.code !== 'config-invalid') throw thrown;
    const problems = thrown.details?.problems as { keyPath: string; what: string }[];
    return problems.map(({ keyPath, what }) => `${keyPath}: ${what}`);
  }
}

const steps = (...written: string[]) =>
  `scaling: [step('cpu', { above: 60, steps: [${written.join(', ')}] })]`;

describe('what is refused of scaling', () => {
  it.each([
    [
      'steps that overlap',
      steps('{ to: 20, change: 1 }', '{ from: 10, change: 2 }'),
      'web.scaling[0].steps: overlap: one goes from 0 to 20, another begins at 10',
    ],
    [
      'one step without end before another',
      steps('{ change: 1 }', '{ from: 10, change: 2 }'),
      'web.scaling[0].steps: overlap: one goes from 0 to without end, another begins at 10',
    ],
    [
      'a gap between steps',
      steps('{ to: 10, change: 1 }', '{ from: 20, change: 2 }'),
      'web.scaling[0].steps: leave a gap from 10 to 20',
    ],
    [
      'steps that begin beyond the threshold',
      steps('{ from: 5, change: 1 }'),
      'web.scaling[0].steps: begin at 5, and leave what is nearer to the threshold without an answer',
    ],
    [
      'a step that does two things',
      steps('{ change: 1, exactly: 4 }'),
      'web.scaling[0].steps[0]: says neither change nor exactly, or both',
    ],
    [
      'a time that no clock shows',
      "scaling: [cron('0 25 * * *', { min: 2 })]",
      "web.scaling[0].cron: is '0 25 * * *', which is no time of the calendar",
    ],
    [
      'six fields',
      "scaling: [cron('0 0 9 * * 1-5', { min: 2 })]",
      "web.scaling[0].cron: is '0 0 9 * * 1-5', which is no time of the calendar",
    ],
    ['a zone twice', "capacity: { zones: ['a', 'b', 'a'] }", "web.capacity.zones: has 'a' twice"],
    [
      'one moment instead of times',
      "scaling: [cron('2028-01-01T00:00:00', { min: 2 })]",
      "web.scaling[0].cron: is '2028-01-01T00:00:00', which is no time of the calendar",
    ],
    [
      'a time that depends on when it is read',
      "scaling: [cron('? 9 * * *', { min: 2 })]",
      "web.scaling[0].cron: is '? 9 * * *', which is no time of the calendar",
    ],
    [
      'a day that never comes',
      "scaling: [cron('0 9 30 2 *', { min: 2 })]",
      "web.scaling[0].cron: is '0 9 30 2 *', which never comes",
    ],
    [
      'an end that never comes',
      "scaling: [cron('0 9 * * *', { min: 2, until: '0 0 31 4 *' })]",
      "web.scaling[0].until: is '0 0 31 4 *', which never comes",
    ],
    [
      'a zone that nobody knows',
      "scaling: [cron('0 9 * * *', { min: 2, timeZone: 'Europe/Atlantis' })]",
      "web.scaling[0].timeZone: is 'Europe/Atlantis'; it should be the name of a time zone",
    ],
    [
      'a schedule that sets nothing',
      "scaling: [cron('0 9 * * *', { until: '0 18 * * *' })]",
      'web.scaling[0]: sets nothing',
    ],
    [
      'a schedule that ends when it begins',
      "scaling: [cron('0 9 * * *', { min: 2, until: '0 9 * * *' })]",
      'web.scaling[0]: ends when it begins',
    ],
    [
      'two ends',
      "scaling: [cron('0 9 * * *', { min: 2, until: '0 18 * * *', for: '1h' })]",
      'web.scaling[0]: says both until and for',
    ],
    [
      'a min above the max beside it',
      "scaling: [cron('0 9 * * *', { min: 4, max: 3 })]",
      'web.scaling[0]: sets min to 4 and max to 3',
    ],
    [
      'a desired outside the bounds beside it',
      "scaling: [cron('0 9 * * *', { max: 3, desired: 4 })]",
      'web.scaling[0]: sets desired to 4, outside the bounds it sets',
    ],
    [
      'a min above every max',
      "capacity: { max: 3 }, scaling: [cron('0 9 * * *', { min: 4 })]",
      "web.scaling.policies: has cron('0 9 * * *'), which sets min to 4, and max is 3",
    ],
    [
      'a max below every min',
      "capacity: { min: 3 }, scaling: [cron('0 9 * * *', { max: 2 })]",
      "web.scaling.policies: has cron('0 9 * * *'), which sets max to 2, and min is 3",
    ],
    [
      'min above max',
      'capacity: { min: 5, max: 2 }',
      'web.capacity.min: is 5, more than max, which is 2',
    ],
    [
      'a target of nothing',
      'scaling: [track.cpu(0)]',
      'web.scaling[0].target: is 0; it should be a number above 0',
    ],
    [
      'predict without anything to learn',
      'scaling: [predict()]',
      'web.scaling.policies: has predict() without anything that is tracked, whose day and week it could learn',
    ],
  ])('%s', (_, web, problem) => {
    expect(problemsOf(web)).toEqual([problem]);
  });

  it('two schedules that set the same at one moment, through loading', () => {
    const nine = "cron('0 9 * * 1-5', { min: 2 })";
    const [problem] = problemsOf(`scaling: [${nine}, cron('0 9 * * *', { min: 3 })]`);
    expect(problem).toMatch(
      /^web\.scaling\.policies: has cron\('0 9 \* \* 1-5'\) and .*which both set min on \w+ 09:00 UTC$/,
    );
  });

  it('no environment that is smaller than the schedules of all', () => {
    const schedules = "scaling: [cron('0 9 * * *', { min: 4 })]";
    const staging =
      'capacity: { max: 6 } }, environments: { demo: { web: { capacity: { max: 1 } } }';
    expect(problemsOf(`${schedules}, ${staging}`)).toEqual([]);
  });
});

describe('two schedules at one moment', () => {
  const NOW = Date.parse('2026-06-16T00:00:00Z');
  const schedule = (cron: string, rest: Partial<SchedulePolicy> = {}): SchedulePolicy => ({
    kind: 'schedule',
    cron,
    timeZone: 'UTC',
    until: null,
    min: 2,
    max: null,
    desired: null,
    ...rest,
  });
  const clash = (...schedules: SchedulePolicy[]) => sameMoments(schedules, NOW)[0]?.what;

  it('are refused wherever in the year they meet', () => {
    expect(clash(schedule('0 9 * * 1-5'), schedule('0 9 24 12 *'))).toMatch(
      /both set min on 24 Dec 09:00 UTC$/,
    );
  });

  it('are refused across time zones', () => {
    const berlin = schedule('0 9 * * *', { timeZone: 'Europe/Berlin' });
    expect(clash(berlin, schedule('0 7 * * *'))).toMatch(/both set min on Tue 07:00 UTC$/);
    // In winter it is nine there when it is eight in UTC.
    expect(clash(berlin, schedule('0 8 1 12 *'))).toMatch(/both set min on 1 Dec 08:00 UTC$/);
  });

  it('are refused where one comes all the time', () => {
    expect(clash(schedule('*/5 * * * *'), schedule('0 9 24 12 *'))).toMatch(/24 Dec/);
    expect(clash(schedule('*/2 * * * *'), schedule('1-59/2 * * * *'))).toBeUndefined();
  });

  it('may set different things, and may end where another begins', () => {
    expect(clash(schedule('0 9 * * *'), schedule('0 9 * * *', { min: null, max: 4 }))).toBe(
      undefined,
    );
    const morning = schedule('0 9 * * *', { until: { kind: 'cron', cron: '0 12 * * *' } });
    expect(clash(morning, schedule('0 12 * * *'))).toBeUndefined();
  });
});
