import { formatDuration } from '../config/duration.ts';
import type { Configuration } from '../model/configuration.ts';
import type { LifecycleWait } from '../model/group.ts';
import type { Adjustment, Scaling, ScalingMetric, ScalingPolicy } from '../model/scaling.ts';
import { code } from './code.ts';

/** What a configuration says of capacity, as its user would write it. */

type Setting = [string, string | null];

/** What instances there are, which of them goes, and what each may use by a name. */
export function capacitySettings({
  capacity,
  zones,
  size,
  group,
}: Configuration['web']): Setting[] {
  return [
    ['web.capacity.min', String(capacity.min)],
    ['web.capacity.desired', String(capacity.desired)],
    ['web.capacity.max', String(capacity.max)],
    ['web.capacity.zones', zones.join(', ')],
    ['web.capacity.size', size],
    ['web.capacity.warm', String(group.warm)],
    ['web.capacity.terminate', group.terminate.join(', ')],
    ['web.capacity.idle', group.idleMs === null ? 'false' : formatDuration(group.idleMs)],
  ];
}

/** How capacity follows the load; what holds policies back only where there are policies. */
export function scalingSettings(scaling: Scaling): Setting[] {
  const { policies, maxOutPercent, maxInPercent } = scaling;
  if (policies.length === 0) return [];
  return [
    ...policies.map(
      (policy, index): Setting => [`web.scaling.policies[${index}]`, policyCode(policy)],
    ),
    ['web.scaling.warmup', formatDuration(scaling.warmupMs)],
    ['web.scaling.cooldown', formatDuration(scaling.cooldownMs)],
    ['web.scaling.stabilization', formatDuration(scaling.stabilizationMs)],
    ['web.scaling.maxOut', maxOutPercent === null ? null : `${maxOutPercent}%`],
    ['web.scaling.maxIn', maxInPercent === null ? null : `${maxInPercent}%`],
    ['web.scaling.minHealthy', `${scaling.minHealthyPercent}%`],
  ];
}

export const waitSetting = (turn: 'launching' | 'terminating', wait: LifecycleWait | null) =>
  [
    `web.lifecycle.${turn}`,
    wait && code({ heartbeat: formatDuration(wait.heartbeatMs), otherwise: wait.otherwise }),
  ] satisfies Setting;

const TRACK_HELPERS: Record<ScalingMetric, string> = {
  cpu: 'cpu',
  'requests-per-instance': 'requestsPerInstance',
  concurrency: 'concurrency',
  p99: 'p99',
  'backlog-per-instance': 'backlogPerInstance',
};

/** With the helper that makes it; what is as it is without being said is left out. */
function policyCode(policy: ScalingPolicy): string {
  switch (policy.kind) {
    case 'track': {
      const { metric, source, target, scaleIn } = policy;
      const options = code({ ...sourceKeys(source), scaleIn: scaleIn ? null : false });
      const told = [code(amountIn(metric, target)), ...(options === '{}' ? [] : [options])];
      return `track.${TRACK_HELPERS[metric]}(${told.join(', ')})`;
    }
    case 'step': {
      const { metric, source, when, threshold, forMs, steps } = policy;
      const options = {
        ...sourceKeys(source),
        [when]: amountIn(metric, threshold),
        for: forMs === 0 ? null : formatDuration(forMs),
        steps: steps.map(({ from, to, adjustment }) => ({
          ...{ from: from === 0 ? null : from, to },
          ...adjustmentKeys(adjustment),
        })),
      };
      return `step(${code(metric)}, ${code(options)})`;
    }
    case 'schedule': {
      const { cron, min, max, desired, until, timeZone } = policy;
      const options = {
        ...{ min, max, desired },
        until: until?.kind === 'cron' ? until.cron : null,
        for: until?.kind === 'for' ? formatDuration(until.durationMs) : null,
        timeZone: timeZone === 'UTC' ? null : timeZone,
      };
      return `cron(${code(cron)}, ${code(options)})`;
    }
    case 'predict':
      return policy.mode === 'auto' ? 'predict()' : `predict(${code({ mode: policy.mode })})`;
  }
}

const amountIn = (metric: ScalingMetric, amount: number): number | string =>
  metric === 'p99' ? formatDuration(amount) : amount;

const sourceKeys = (source: { name: string; url: string | null } | null) =>
  source && { name: source.name === 'backlog' ? null : source.name, url: source.url };

function adjustmentKeys(adjustment: Adjustment) {
  switch (adjustment.kind) {
    case 'change':
      return { change: adjustment.by };
    case 'percent': {
      const { by, atLeast } = adjustment;
      return { change: `${by}%`, atLeast: atLeast === 1 ? null : atLeast };
    }
    case 'exactly':
      return { exactly: adjustment.instances };
  }
}
