import type { Capacity } from '../model/configuration.ts';
import type { Deployment } from '../model/deployment.ts';
import type { Environment } from '../model/environment.ts';
import { isPreparing } from '../model/hook.ts';
import type { Scaling } from '../model/scaling.ts';
import type { ScalingRecord } from '../model/scaling-decision.ts';
import type { WakeRule } from '../model/snapshot.ts';
import type { Admission } from '../model/traffic.ts';
import type { RoutedEnvironment, RoutedRelease } from './routing.ts';

/** Scale to zero: what keeps an environment awake, and what the edge is told of one that sleeps. */

/** While a deployment is being prepared, that of before it. */
export const capacityInForce = (
  { capacity }: Pick<Environment, 'capacity'>,
  deployment: Pick<Deployment, 'state' | 'hooks' | 'capacityBefore'> | null,
): Capacity => (deployment && isPreparing(deployment) ? deployment.capacityBefore : capacity);

/**
 * Whether its policies have an instance for work that nobody asks for: they want more than the one
 * that is never theirs to take away, or the app has a backlog.
 *
 * @param decision the last one; null: none was made yet
 */
export function wantsToStayAwake(
  { policies }: Scaling,
  decision: Pick<ScalingRecord, 'opinions' | 'measured'> | null,
): boolean {
  if (policies.every(({ kind }) => kind === 'schedule')) return false;
  if (decision === null || decision.opinions.some(({ wants }) => (wants ?? 0) > 1)) return true;
  return policies.some((policy) => {
    if (!('source' in policy) || policy.source === null) return false;
    // What was not measured may be there.
    return (decision.measured?.reported[policy.source.name] ?? 1) > 0;
  });
}

/** What people ask for first. Checked or not, whoever comes for it wants the app. */
const FRONT_PAGE = '/';

/** Null where it never sleeps. */
export function wakeRule(each: RoutedEnvironment, goal: RoutedRelease): WakeRule | null {
  if (goal.idleMs === null || goal.upstream !== null) return null;
  const { path, deepPath } = goal.health;
  return {
    asleep: each.capacity.desired === 0 && !isServed(each),
    probePaths: [path, deepPath ?? path].filter((probed) => probed !== FRONT_PAGE),
  };
}

/** Who comes while nothing serves waits for a whole start, and then in the queue as always. */
export function admissionFor(each: RoutedEnvironment, goal: RoutedRelease): Admission {
  const { admission } = goal.traffic;
  const wakes = wakeRule(each, goal) !== null || each.environment.asleep !== undefined;
  if (!wakes || isServed(each)) return admission;
  return { ...admission, queueMs: admission.queueMs + goal.startTimeoutMs };
}

const isServed = ({ instances }: RoutedEnvironment): boolean =>
  instances.some(({ state }) => state === 'in-service');
