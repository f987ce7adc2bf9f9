import {
  DEFAULT_EJECTION,
  DEFAULT_TRAFFIC,
  type Ejection,
  type Traffic,
} from '../model/traffic.ts';
import type { Choose } from './resolve.ts';
import type { Layer } from './schema.ts';

/** Fills in how the traffic of one environment is treated. */

type Edge = NonNullable<Layer['edge']>;
type ChooseKey = <T>(key: string, read: (edge: Edge) => T | undefined, otherwise: T) => T;

/** @param algorithm where none is written */
export function chooseTraffic(
  choose: Choose,
  algorithm: Traffic['balancing']['algorithm'],
): Omit<Traffic, 'cache' | 'guards'> {
  const { balancing, stickyMs } = DEFAULT_TRAFFIC;
  const key: ChooseKey = (name, read, otherwise) =>
    choose(`edge.${name}`, (spec) => spec.edge && read(spec.edge), otherwise);
  return {
    balancing: {
      algorithm: key('balance', (edge) => edge.balance, algorithm),
      slowStartMs: key('slowStart', (edge) => edge.slowStart, balancing.slowStartMs),
      maxConcurrency: key('maxConcurrency', (edge) => edge.maxConcurrency, null),
      ejection: chooseEjection(key),
      responseHeadMs: key(
        'timeouts.answer',
        (edge) => edge.timeouts?.answer,
        balancing.responseHeadMs,
      ),
      quietMs: key('timeouts.quiet', (edge) => edge.timeouts?.quiet, balancing.quietMs),
    },
    admission: chooseAdmission(key),
    stickyMs: key('sticky', (edge) => edge.sticky, stickyMs),
  };
}

/** The nearest place that says anything of it says whether it is; single keys are as elsewhere. */
function chooseEjection(key: ChooseKey): Ejection | null {
  if (!key('eject', ({ eject }) => (eject === undefined ? undefined : eject !== false), true)) {
    return null;
  }
  const read =
    <T>(one: (eject: Exclude<Edge['eject'], false | undefined>) => T) =>
    ({ eject }: Edge) =>
      eject ? one(eject) : undefined;
  return {
    consecutiveErrors: key(
      'eject.errors',
      read(({ errors }) => errors),
      DEFAULT_EJECTION.consecutiveErrors,
    ),
    timeMs: key(
      'eject.for',
      read((eject) => eject.for),
      DEFAULT_EJECTION.timeMs,
    ),
    maxPercent: key(
      'eject.maxPercent',
      read(({ maxPercent }) => maxPercent),
      DEFAULT_EJECTION.maxPercent,
    ),
  };
}

function chooseAdmission(key: ChooseKey): Traffic['admission'] {
  const { admission } = DEFAULT_TRAFFIC;
  const rate = key('limits.requestsPerSecond', ({ limits }) => limits?.requestsPerSecond, null);
  const burst = key('limits.burst', ({ limits }) => limits?.burst, Math.ceil(rate ?? 0));
  return {
    requestBodyBytes: key('limits.body', ({ limits }) => limits?.body, admission.requestBodyBytes),
    queueLength: key('queue.length', ({ queue }) => queue?.length, admission.queueLength),
    queueMs: key('queue.wait', ({ queue }) => queue?.wait, admission.queueMs),
    perClient: rate === null ? null : { requestsPerSecond: rate, burst },
  };
}
