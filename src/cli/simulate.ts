import { writeFileSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { messageOf } from '../kernel/fault.ts';
import { type Account, accountOf } from '../plan/simulation/account.ts';
import { type RuleName, ruleNames, type Setting } from '../plan/simulation/rule.ts';
import { ruleNamed } from '../plan/simulation/rules/rules.ts';
import { type SimulatedMinute, simulate } from '../plan/simulation/simulate.ts';
import type { Trace } from '../plan/simulation/trace.ts';
import { command } from './command.ts';
import { answer, type Context } from './context.ts';
import { exitCodes, InputFault } from './exit-code.ts';
import { imagineLoad } from './imagined-load.ts';
import { badOption, countOption } from './options.ts';
import { drawSimulation } from './simulation-picture.ts';
import { renderComparison, renderSimulation } from './simulation-text.ts';
import { readTrace } from './trace-file.ts';

interface SimulateOptions {
  trace?: string;
  rps?: string;
  unit?: number;
  min?: number;
  max?: number;
  boot?: number;
  rule?: RuleName | 'all';
  target?: number;
  svg?: string;
}

/** What one instance answers in a minute, how many there are at least, and how long one boots. */
const DEFAULTS = { unit: 10_000, min: 2, max: 10_000, bootS: 60 } as const;
const LONGEST_BOOT_S = 86_400;

export const simulateCommand = command<SimulateOptions>({
  name: 'simulate',
  summary: 'try a scaling rule on a load, without an app',
  description: `Runs the scaling decision and the planner of the daemon against a load, on a clock driven by hand, and tells how often there were too few instances and what they would have cost, beside an oracle that has exactly enough in every minute. Needs no daemon.

The load is a trace (a CSV with a header and one time,requests row for each minute, or the same with gzip), or imagined: --rps RATE:DURATION, or FROM..TO:DURATION, with a comma between.`,
  options: [
    { flags: '--trace <file>', description: 'the load, as it was' },
    { flags: '--rps <load>', description: 'the load, imagined, in requests a second' },
    {
      flags: '--unit <n>',
      description: `requests one instance can answer in a minute (default: ${DEFAULTS.unit})`,
      parse: countOption('--unit', 1),
    },
    {
      flags: '--min <n>',
      description: `never fewer instances (default: ${DEFAULTS.min})`,
      parse: countOption('--min', 1),
    },
    { flags: '--max <n>', description: 'never more', parse: countOption('--max', 1) },
    {
      flags: '--boot <seconds>',
      description: `from the launch of an instance to its first request (default: ${DEFAULTS.bootS})`,
      parse: countOption('--boot', 0),
    },
    {
      flags: '--rule <name>',
      description: `${ruleNames.join(', ')}, or all (default: belay)`,
      parse: parseRule,
    },
    {
      flags: '--target <percent>',
      description: 'what the rules that are not ours aim at (default: 60, of knative 70)',
      parse: parseTarget,
    },
    { flags: '--svg <file>', description: 'draw load, capacity and decisions into a file' },
  ],
  examples: [
    [
      'belay simulate --rps 50:10m,50..800:10m,800:20m --unit 6000',
      'a step from 50 to 800 a second',
    ],
    ['belay simulate --trace monday.csv --svg monday.svg', 'a day of yours, and its picture'],
    ['belay simulate --trace monday.csv --rule all', 'beside the rules of others'],
  ],
  async run(context, options) {
    const setting = settingOf(options);
    const { trace, name } = await loadOf(context, options);
    if (options.rule === 'all') compare(context, name, trace, setting, options);
    else tell(context, name, trace, setting, options, options.rule ?? 'belay');
    return exitCodes.ok;
  },
});

function parseRule(text: string): RuleName | 'all' {
  const known = [...ruleNames, 'all'] as const;
  const rule = known.find((each) => each === text);
  if (rule) return rule;
  throw badOption('--rule', `is '${text}', which is none of them`, `write ${known.join(', ')}`);
}

function parseTarget(text: string): number {
  const percent = Number(text);
  if (/^\d+(?:\.\d+)?%?$/.test(text) && percent > 0 && percent <= 100) return percent / 100;
  throw badOption(
    '--target',
    `is '${text}', which is not a share in per cent`,
    'write it as in 60',
  );
}

function settingOf(options: SimulateOptions): Setting {
  const { unit, min, max, bootS } = {
    ...DEFAULTS,
    ...options,
    bootS: options.boot ?? DEFAULTS.bootS,
  };
  if (min > max) throw badOption('--min', `is ${min}, more than --max, ${max}`);
  if (max > DEFAULTS.max) throw badOption('--max', `is ${max}, more than ${DEFAULTS.max}`);
  if (bootS > LONGEST_BOOT_S) throw badOption('--boot', `is ${bootS} seconds, more than a day`);
  return { unit, min, max, bootMs: bootS * 1000 };
}

async function loadOf(
  { directory }: Context,
  { trace, rps }: SimulateOptions,
): Promise<{ trace: Trace; name: string }> {
  if (trace !== undefined && rps !== undefined) {
    throw badOption('--trace', 'and --rps are two loads', 'leave out one of them');
  }
  if (rps !== undefined) return { trace: imagineLoad(rps), name: rps };
  if (trace !== undefined) {
    return { trace: await readTrace(resolve(directory, trace), trace), name: basename(trace) };
  }
  throw new InputFault({
    code: 'bad-usage',
    message: 'simulate needs a load: --trace or --rps',
    hint: 'to begin with: belay simulate --rps 50:10m,50..800:10m,800:20m --unit 6000',
  });
}

function compare(
  context: Context,
  name: string,
  trace: Trace,
  setting: Setting,
  options: SimulateOptions,
): void {
  if (options.svg !== undefined) {
    throw badOption('--svg', 'draws one rule', 'name it: --rule belay');
  }
  const accounts = ruleNames.map((rule) =>
    accountOf(rule, simulate(trace, setting, ruleNamed(rule, setting, options.target)), setting),
  );
  answer(context, accounts, () => renderComparison(name, trace, setting, accounts, context.stdout));
}

function tell(
  context: Context,
  name: string,
  trace: Trace,
  setting: Setting,
  { target, svg }: SimulateOptions,
  rule: RuleName,
): void {
  const minutes = [...simulate(trace, setting, ruleNamed(rule, setting, target))];
  const account = accountOf(rule, minutes, setting);
  if (svg !== undefined) draw(resolve(context.directory, svg), name, account, minutes, setting);
  answer(context, account, () =>
    renderSimulation(name, trace, setting, account, minutes, context.stdout),
  );
}

function draw(
  file: string,
  name: string,
  account: Account,
  minutes: readonly SimulatedMinute[],
  setting: Setting,
): void {
  try {
    writeFileSync(file, drawSimulation(name, account, minutes, setting));
  } catch (thrown) {
    throw new InputFault({
      code: 'bad-usage',
      message: `--svg ${file} cannot be written: ${messageOf(thrown)}`,
      subject: '--svg',
      cause: thrown,
    });
  }
}
