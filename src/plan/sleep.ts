import type { Capacity } from '../model/configuration.ts';
import type { Deployment } from '../model/deployment.ts';
import type { Environment } from '../model/environment.ts';
import { isPreparing } from '../model/hook.ts';
import type { WakeRule } from '../model/snapshot.ts';
import type { Admission } from '../model/traffic.ts';
import type { RoutedEnvironment, RoutedRelease } from './routing.ts';

/** Scale to zero: what the edge is told of an environment that falls asleep when nobody wants it. */

/** While a deployment is being prepared, that of before it. */
export const capacityInForce = (
  { capacity }: Pick<Environment, 'capacity'>,
  deployment: Pick<Deployment, 'state' | 'hooks' | 'capacityBefore'> | null,
): Capacity => (deployment && isPreparing(deployment) ? deployment.capacityBefore : capacity);

/** Null where it never sleeps. */
export function wakeRule(each: RoutedEnvironment, goal: RoutedRelease): WakeRule | null {
  if (goal.idleMs === null || goal.upstream !== null) return null;
  const { path, deepPath } = goal.health;
  return {
    asleep: each.capacity.desired === 0 && !isServed(each),
    probePaths: deepPath === null ? [path] : [path, deepPath],
  };
}

/** Who comes while nothing serves waits for a whole start, and then in the queue as always. */
export function admissionFor(each: RoutedEnvironment, goal: RoutedRelease): Admission {
  const { admission } = goal.traffic;
  if (wakeRule(each, goal) === null || isServed(each)) return admission;
  return { ...admission, queueMs: admission.queueMs + goal.startTimeoutMs };
}

const isServed = ({ instances }: RoutedEnvironment): boolean =>
  instances.some(({ state }) => state === 'in-service');
