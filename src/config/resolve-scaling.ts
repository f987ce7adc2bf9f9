import { DEFAULT_GROUP, type Group } from '../model/group.ts';
import { NO_SCALING, type Scaling } from '../model/scaling.ts';
import type { Choose } from './resolve.ts';

/** Fills in how capacity follows the load of one environment, and how its instances are kept. */

export function chooseScaling(choose: Choose): Scaling {
  const defaults = NO_SCALING;
  return {
    policies: choose('web.scaling.policies', (spec) => spec.web?.scaling?.policies, []),
    warmupMs: choose('web.scaling.warmup', (spec) => spec.web?.scaling?.warmup, defaults.warmupMs),
    cooldownMs: choose(
      'web.scaling.cooldown',
      (spec) => spec.web?.scaling?.cooldown,
      defaults.cooldownMs,
    ),
    stabilizationMs: choose(
      'web.scaling.stabilization',
      (spec) => spec.web?.scaling?.stabilization,
      defaults.stabilizationMs,
    ),
    maxOutPercent: choose(
      'web.scaling.maxOut',
      (spec) => spec.web?.scaling?.maxOut,
      defaults.maxOutPercent,
    ),
    maxInPercent: choose(
      'web.scaling.maxIn',
      (spec) => spec.web?.scaling?.maxIn,
      defaults.maxInPercent,
    ),
    minHealthyPercent: choose(
      'web.scaling.minHealthy',
      (spec) => spec.web?.scaling?.minHealthy,
      defaults.minHealthyPercent,
    ),
  };
}

export function chooseGroup(choose: Choose): Group {
  const defaults = DEFAULT_GROUP;
  return {
    terminate: choose('web.capacity.terminate', (spec) => spec.web?.capacity?.terminate, [
      ...defaults.terminate,
    ]),
    warm: choose('web.capacity.warm', (spec) => spec.web?.capacity?.warm, defaults.warm),
    idleMs: choose('web.capacity.idle', (spec) => spec.web?.capacity?.idle, defaults.idleMs),
    replace: choose('web.health.replace', (spec) => spec.web?.health?.replace, defaults.replace),
    graceMs: choose('web.health.grace', (spec) => spec.web?.health?.grace, defaults.graceMs),
    launching: chooseWait(choose, 'launching'),
    terminating: chooseWait(choose, 'terminating'),
  };
}

/** One hour, and what AWS takes where nobody says anything. */
const WAIT_DEFAULTS = { heartbeatMs: 3_600_000, otherwise: 'abandon' } as const;

function chooseWait(choose: Choose, turn: 'launching' | 'terminating'): Group['launching'] {
  const wait = choose(`web.lifecycle.${turn}`, (spec) => spec.web?.lifecycle?.[turn], null);
  if (wait === null) return null;
  return {
    heartbeatMs: wait.heartbeat ?? WAIT_DEFAULTS.heartbeatMs,
    otherwise: wait.otherwise ?? WAIT_DEFAULTS.otherwise,
  };
}
