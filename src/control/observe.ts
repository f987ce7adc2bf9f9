import type { ImageStore } from '../bundle/driver.ts';
import type { Environment } from '../model/environment.ts';
import { isPreparing } from '../model/hook.ts';
import type { Release } from '../model/release.ts';
import { poolId } from '../model/snapshot.ts';
import type { TargetTraffic } from '../model/target.ts';
import type { Observation, ObservedInstance, ReleaseNeeds } from '../plan/observation.ts';
import { trafficShare } from '../plan/rollout/share.ts';
import type { RoutedEnvironment, RoutedRelease } from '../plan/routing.ts';
import { capacityInForce } from '../plan/sleep.ts';
import type { Slot } from '../runtime/driver.ts';
import type { EdgeView } from './edge-view.ts';
import { observeFixed } from './observe-fixed.ts';
import { observeHooks } from './observe-hooks.ts';
import type { Records } from './records.ts';
import { tokenKeys } from './token-keys.ts';

/** Puts together what is on record, what the runtime says and what the edge says. */

export type Slots = ReadonlyMap<string, Slot>;

export function observeEnvironment(
  environment: Environment,
  records: Records,
  slots: Slots,
  edge: EdgeView,
  images: ImageStore,
  traffic: readonly TargetTraffic[] = [],
): Observation {
  const { key } = environment;
  const deployment = records.runningDeployment(key);
  const bootstraps = (number: number): boolean =>
    (records.release(key, number)?.configuration.web.bootstrap ?? null) !== null;
  const instances = records.instances(key).map((instance): ObservedInstance => {
    const slot = slots.get(instance.id);
    return {
      ...instance,
      slot: slot
        ? {
            running: slot.state === 'running',
            listening: slot.listening,
            port: slot.port,
            exit: slot.exit,
            bootstrapMs: slot.bootstrapMs,
            isBootstrapping: slot.bootstrapMs === null && bootstraps(instance.release),
          }
        : null,
      target: edge.target(poolId(key, instance.release), instance.id),
    };
  });
  const needed = new Set(instances.map(({ release }) => release));
  for (const number of [environment.release, deployment?.to, deployment?.from]) {
    if (typeof number === 'number') needed.add(number);
  }
  const releases = new Map<number, ReleaseNeeds>();
  for (const number of needed) {
    const release = records.release(key, number);
    if (release) releases.set(number, needsOf(release));
  }
  const goal = goalNumber(environment, records);
  return {
    environment,
    deployment,
    hooks: deployment ? observeHooks(environment, deployment, records, slots, images) : [],
    releases,
    instances,
    ...observeFixed(key, goal, records, edge),
    acknowledgedSnapshot: edge.acknowledged,
    traffic,
    failures: records.failures(key),
  };
}

/** The release whose names and address count now. */
export function goalNumber(environment: Environment, records: Records): number | null {
  const deployment = records.runningDeployment(environment.key);
  if (!deployment || isPreparing(deployment)) return environment.release;
  return deployment.state === 'rolling-back' ? deployment.from : deployment.to;
}

export function needsOf(release: Release): ReleaseNeeds {
  const { web, rollout } = release.configuration;
  return {
    number: release.number,
    zones: web.zones,
    drainMs: web.drainMs,
    upstream: web.upstream !== null,
    rollout,
    group: web.group,
  };
}

/** What the routing plan needs of one environment. */
export function routedEnvironment(
  environment: Environment,
  records: Records,
  slots: Slots,
): RoutedEnvironment {
  const { key } = environment;
  const instances = records.instances(key);
  const deployment = records.runningDeployment(key);
  const goal = goalNumber(environment, records);
  const fixedUntilThen =
    deployment && deployment.state === 'running' ? deployment.from : environment.release;
  const numbers = new Set(instances.map(({ release }) => release));
  for (const number of [goal, fixedUntilThen]) if (number !== null) numbers.add(number);
  return {
    environment,
    capacity: capacityInForce(environment, deployment),
    goal,
    fixedUntilThen,
    share: trafficShare(deployment && !isPreparing(deployment) ? deployment : null, instances),
    releases: [...numbers]
      .sort((a, b) => a - b)
      .flatMap((number) => routedRelease(records.release(key, number)) ?? []),
    instances: instances.map(({ id, zone, release, state, since, warming }) => {
      const slot = slots.get(id);
      const group = records.release(key, release)?.configuration.web.group;
      const isHeldBack = warming === true || (group?.launching ?? null) !== null;
      const address =
        slot && slot.state === 'running' && slot.listening
          ? { host: slot.host, port: slot.port }
          : null;
      return { id, zone, release, state, since, address, isHeldBack };
    }),
    signingKeys: tokenKeys(environment, goal, records),
  };
}

function routedRelease(release: Release | undefined): RoutedRelease | null {
  if (!release) return null;
  const { number, configuration } = release;
  return {
    number,
    domains: configuration.domains,
    health: configuration.web.health,
    traffic: configuration.traffic,
    drainMs: configuration.web.drainMs,
    upstream: configuration.web.upstream,
    idleMs: configuration.web.group.idleMs,
    startTimeoutMs: configuration.rollout.startTimeoutMs,
  };
}
