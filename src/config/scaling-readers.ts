import { cronProblem } from '../model/calendar.ts';
import {
  type Adjustment,
  type ScalingPolicy,
  type ScalingStep,
  scalingMetrics,
} from '../model/scaling.ts';
import { boolean, duration, oneOf, wholeNumber } from './leaves.ts';
import { describe, leaf, type ReadBy, type Reader, refusal, section, unlike } from './reader.ts';
import { stepsProblem } from './scaling-steps.ts';
import { timeZone } from './window-readers.ts';

/** The keys of `web.scaling`; its policies are as the helpers of `config/index.ts` write them. */

const MAX_INSTANCES = 10_000;
const MAX_POLICIES = 50;
const EXAMPLE = '[track.cpu(60)]';
const METRIC_NAME = /^[a-z][a-z0-9-]{0,39}$/;

const metric = oneOf('a metric', scalingMetrics);
const instances = (least: number): Reader<number> => wholeNumber(least, MAX_INSTANCES);

/** Milliseconds may be written with their unit. */
const amountOf = (metricName: string | undefined): Reader<number> =>
  metricName === 'p99' ? durationOrNumber : plainNumber;

const plainNumber: Reader<number> = leaf((value) => {
  if (typeof value === 'number' && value > 0 && Number.isFinite(value)) return value;
  throw unlike('a number above 0', value, '60, say');
});

const durationOrNumber: Reader<number> = (value, keyPath, report) =>
  duration(1)(value, keyPath, report);

const source = {
  name: leaf((value) => {
    if (typeof value === 'string' && METRIC_NAME.test(value)) return value;
    throw unlike('a name in kebab-case', value, "'jobs', say");
  }),
  url: leaf((value) => {
    const url = typeof value === 'string' && URL.canParse(value) ? new URL(value) : null;
    if (url?.protocol === 'http:' && !url.username && !url.password) return url.href;
    throw unlike('an http:// address', value, "'http://127.0.0.1:9100/backlog'");
  }),
};

const unread: Reader<unknown> = (value) => value;

const trackKeys = section({
  kind: unread,
  metric,
  target: unread,
  scaleIn: boolean,
  ...source,
});

const readTrack: Reader<ScalingPolicy> = (value, keyPath, report) => {
  const keys = trackKeys(value, keyPath, report);
  if (!keys?.metric) return undefined;
  const target = amountOf(keys.metric)(keys.target, `${keyPath}.target`, report);
  if (target === undefined) return undefined;
  const { scaleIn = true } = keys;
  return { kind: 'track', metric: keys.metric, source: sourceOf(keys), target, scaleIn };
};

function sourceOf(keys: {
  metric?: string | undefined;
  name?: string | undefined;
  url?: string | undefined;
}) {
  if (keys.metric !== 'backlog-per-instance') return null;
  return { name: keys.name ?? 'backlog', url: keys.url ?? null };
}

const PERCENT = /^-?\d+(\.\d+)?%$/;

const change: Reader<number | string> = leaf((value) => {
  if (typeof value === 'number' && Number.isInteger(value) && value !== 0) return value;
  if (typeof value === 'string' && PERCENT.test(value) && Number.parseFloat(value) !== 0) {
    return value;
  }
  throw unlike('a number of instances, or a share', value, "2, -1 or '25%'");
});

const stepKeys = section({
  from: leaf((value) => {
    if (typeof value === 'number' && value >= 0 && Number.isFinite(value)) return value;
    throw unlike('how far beyond the threshold', value, '0, say');
  }),
  to: plainNumber,
  change,
  atLeast: instances(1),
  exactly: instances(0),
});

const readStep: Reader<ScalingStep> = (value, keyPath, report) => {
  const keys = stepKeys(value, keyPath, report);
  if (!keys) return undefined;
  const adjustment = adjustmentOf(keys);
  if (adjustment === null) {
    const what = 'says neither change nor exactly, or both';
    report({ keyPath, what, hint: 'write { from: 0, change: 1 }, say' });
    return undefined;
  }
  return { from: keys.from ?? 0, to: keys.to ?? null, adjustment };
};

function adjustmentOf(keys: ReadBy<typeof stepKeys>): Adjustment | null {
  if ((keys.change === undefined) === (keys.exactly === undefined)) return null;
  if (keys.exactly !== undefined) return { kind: 'exactly', instances: keys.exactly };
  if (typeof keys.change === 'number') return { kind: 'change', by: keys.change };
  const by = Number.parseFloat(keys.change ?? '');
  return { kind: 'percent', by, atLeast: keys.atLeast ?? 1 };
}

const stepPolicyKeys = section({
  kind: unread,
  metric,
  ...source,
  above: unread,
  below: unread,
  for: duration(),
  steps: unread,
});

const readStepPolicy: Reader<ScalingPolicy> = (value, keyPath, report) => {
  const keys = stepPolicyKeys(value, keyPath, report);
  if (!keys?.metric) return undefined;
  const when = keys.above === undefined ? 'below' : 'above';
  if ((keys.above === undefined) === (keys.below === undefined)) {
    const what = 'says neither above nor below, or both';
    report({ keyPath, what, hint: 'write one policy for each side' });
    return undefined;
  }
  const threshold = amountOf(keys.metric)(keys[when], `${keyPath}.${when}`, report);
  const steps = readList(keys.steps, `${keyPath}.steps`, report, readStep, '{ change: 1 }');
  if (threshold === undefined || !steps) return undefined;
  const ordered = [...steps].sort((a, b) => a.from - b.from);
  const problem = stepsProblem(ordered);
  if (problem) {
    report({ keyPath: `${keyPath}.steps`, ...problem });
    return undefined;
  }
  const { metric: name } = keys;
  const forMs = keys.for ?? 0;
  return {
    kind: 'step',
    metric: name,
    source: sourceOf(keys),
    when,
    threshold,
    forMs,
    steps: ordered,
  };
};

const cron: Reader<string> = leaf((value) => {
  const example = "'0 9 * * 1-5', minute, hour, day, month and weekday";
  if (typeof value !== 'string') throw unlike('a time of the calendar', value, example);
  const problem = cronProblem(value);
  if (problem === null) return value;
  const what = problem === 'never' ? 'which never comes' : 'which is no time of the calendar';
  throw refusal(`is ${describe(value)}, ${what}`, `write ${example}`);
});

const scheduleKeys = section({
  kind: unread,
  cron,
  timeZone,
  until: cron,
  for: duration(60_000),
  min: instances(0),
  max: instances(1),
  desired: instances(0),
});

const readSchedule: Reader<ScalingPolicy> = (value, keyPath, report) => {
  const keys = scheduleKeys(value, keyPath, report);
  if (keys?.cron === undefined) return undefined;
  const { min = null, max = null, desired = null } = keys;
  const complain = (what: string, hint: string) => report({ keyPath, what, hint });
  if (min === null && max === null && desired === null) {
    complain('sets nothing', 'write { min: 4 }, say');
  } else if (min !== null && max !== null && min > max) {
    complain(`sets min to ${min} and max to ${max}`, 'lower min or raise max');
  } else if (keys.until !== undefined && keys.for !== undefined) {
    complain('says both until and for', 'leave out one of them');
  } else if (keys.until === keys.cron) {
    complain('ends when it begins', 'write a later time in until, or leave it out');
  } else if (desired !== null && (desired < (min ?? 0) || desired > (max ?? MAX_INSTANCES))) {
    complain(`sets desired to ${desired}, outside the bounds it sets`, 'write one within them');
  }
  return {
    kind: 'schedule',
    cron: keys.cron,
    timeZone: keys.timeZone ?? 'UTC',
    until: untilOf(keys),
    min,
    max,
    desired,
  };
};

function untilOf({ until, for: forMs }: ReadBy<typeof scheduleKeys>) {
  if (until !== undefined) return { kind: 'cron' as const, cron: until };
  return forMs === undefined ? null : { kind: 'for' as const, durationMs: forMs };
}

const predictKeys = section({ kind: unread, mode: oneOf('a mode', ['auto', 'forecast-only']) });

const readPredict: Reader<ScalingPolicy> = (value, keyPath, report) => {
  const keys = predictKeys(value, keyPath, report);
  return keys && { kind: 'predict', mode: keys.mode ?? 'auto' };
};

const kinds: Record<ScalingPolicy['kind'], Reader<ScalingPolicy>> = {
  track: readTrack,
  step: readStepPolicy,
  schedule: readSchedule,
  predict: readPredict,
};

const readPolicy: Reader<ScalingPolicy> = (value, keyPath, report) => {
  const kind = (value as { kind?: unknown } | null)?.kind;
  const reader = Object.entries(kinds).find(([name]) => name === kind)?.[1];
  if (reader) return reader(value, keyPath, report);
  const what = `is ${describe(value)}; it should be a scaling policy`;
  report({ keyPath, what, hint: 'write track.cpu(60), step(…), cron(…) or predict()' });
  return undefined;
};

function readList<T>(
  value: unknown,
  keyPath: string,
  report: Parameters<Reader<T>>[2],
  readItem: Reader<T>,
  example: string,
): T[] | undefined {
  if (!Array.isArray(value) || value.length === 0) {
    const what = `is ${describe(value)}; it should be a list of at least one`;
    report({ keyPath, what, hint: `write [${example}]` });
    return undefined;
  }
  const read = value.map((item, index) => readItem(item, `${keyPath}[${index}]`, report));
  return read.some((item) => item === undefined) ? undefined : (read as T[]);
}

const policies: Reader<ScalingPolicy[]> = (value, keyPath, report) => {
  if (Array.isArray(value) && value.length === 0) return [];
  if (Array.isArray(value) && value.length > MAX_POLICIES) {
    const what = `has ${value.length} policies; the most is ${MAX_POLICIES}`;
    report({ keyPath, what, hint: 'leave some out' });
    return undefined;
  }
  return readList(value, keyPath, report, readPolicy, EXAMPLE.slice(1, -1));
};

const percent = (least: number, most: number): Reader<number> =>
  leaf((value) => {
    const share = typeof value === 'string' && /^\d{1,6}%$/.test(value);
    const number = share ? Number.parseInt(value, 10) : Number.NaN;
    if (number >= least && number <= most) return number;
    throw unlike(`a share from ${least}% to ${most}%`, value, "'50%'");
  });

const scalingKeys = section({
  policies,
  warmup: duration(),
  cooldown: duration(),
  stabilization: duration(),
  maxOut: percent(1, 100_000),
  maxIn: percent(1, 100),
  minHealthy: percent(0, 100),
});

/** A list of policies alone stands for itself with the defaults. */
export const scalingReader: typeof scalingKeys = (value, keyPath, report) => {
  if (!Array.isArray(value)) return scalingKeys(value, keyPath, report);
  const read = policies(value, keyPath, report);
  return read && { policies: read };
};
