import type { Clock } from '../../kernel/clock.ts';
import type { Environment } from '../../model/environment.ts';
import { NO_SCALING } from '../../model/scaling.ts';
import type { ScalingGlance, ScalingView } from '../../model/scaling-view.ts';
import { decideScaling } from '../../plan/scaling/decide.ts';
import { outlookOf } from '../../plan/scaling/outlook.ts';
import { boundsInForce } from '../capacity.ts';
import type { Records } from '../records.ts';
import type { Scaler } from './scaler.ts';
import { scaledRelease } from './scaling-input.ts';

/** What people see of decisions on capacity. */

interface Parts {
  records: Records;
  scaler: Scaler;
  clock: Clock;
}

/** Null: no policy has a say. */
export function scalingGlance(
  environment: Environment,
  { records, scaler, clock }: Parts,
): ScalingGlance | null {
  const release = scaledRelease(environment, records);
  if (!release) return null;
  const { scaling } = release.configuration.web;
  const { key } = environment;
  const last = scaler.last(key) ?? scaler.decisions(key, 1)[0];
  return {
    ...boundsInForce(environment.capacity, scaling, clock.now()),
    decision: last
      ? {
          at: last.at,
          since: last.since,
          from: last.from,
          to: last.to,
          reason: last.reason,
          opinions: last.opinions,
        }
      : null,
  };
}

export function scalingView(
  environment: Environment,
  limit: number,
  { records, scaler, clock }: Parts,
): ScalingView {
  const { key, application, name, capacity } = environment;
  const release = scaledRelease(environment, records);
  const scaling = release?.configuration.web.scaling ?? NO_SCALING;
  const input = scaler.input(environment);
  return {
    application,
    environment: name,
    capacity,
    ...boundsInForce(capacity, scaling, clock.now()),
    inService: records.instances(key).filter(({ state }) => state === 'in-service').length,
    scaling,
    decisions: scaler.decisions(key, limit),
    next: input && outlookOf(input, decideScaling),
  };
}
