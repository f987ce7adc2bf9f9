import type { Capacity, HealthCheck } from '../model/configuration.ts';
import { defaultDomain, type Environment } from '../model/environment.ts';
import type { Instance } from '../model/instance.ts';
import type { SigningKey } from '../model/signed-token.ts';
import { type Pool, poolId, type Rule, type Target } from '../model/snapshot.ts';
import { DEFAULT_TRAFFIC, type Traffic } from '../model/traffic.ts';
import type { TrafficShare } from './rollout/share.ts';
import { routedCache, type WeightedPool } from './routing-cache.ts';
import { routedGuards } from './routing-guards.ts';
import { admissionFor, wakeRule } from './sleep.ts';

/** The routing state of the edge, from what every environment has: pure, in a stable order. */

export interface RoutedInstance
  extends Pick<Instance, 'id' | 'zone' | 'release' | 'state' | 'since'> {
  /** Where it listens, with a socket that is its own; null while it does not. */
  address: { host: string; port: number } | null;
  /** Before it takes traffic it is to be kept warm, or waits for somebody's word. */
  isHeldBack?: boolean;
}

export interface RoutedRelease {
  number: number;
  domains: readonly string[];
  health: HealthCheck;
  traffic: Traffic;
  drainMs: number;
  /** `http://host:port` of something Belay did not start. */
  upstream: string | readonly string[] | null;
  /** Without a request for so long, nothing runs; null: it never sleeps. */
  idleMs: number | null;
  startTimeoutMs: number;
}

export interface RoutedEnvironment {
  environment: Environment;
  /** In force: a deployment that is being prepared has not brought its own yet. */
  capacity: Capacity;
  /** Where it goes, where it comes from, and all that still has instances. */
  releases: readonly RoutedRelease[];
  /** The release whose names count: the goal of a deployment, else the environment's own. */
  goal: number | null;
  /** A fixed address that is still to be routed to, besides the goal. */
  fixedUntilThen: number | null;
  /** Of a release whose traffic is not that of its instances; null where all share alike. */
  share: TrafficShare | null;
  instances: readonly RoutedInstance[];
  /** Whose tokens pass; left out: none has to. */
  signingKeys?: readonly SigningKey[];
}

/** The part of a snapshot that environments decide. */
export interface Routing {
  rules: Rule[];
  pools: Pool[];
}

/** The names of fixed addresses, in their order. */
export const fixedTargetIds = (upstream: string | readonly string[]): string[] =>
  [upstream].flat().map((_, i) => (i === 0 ? 'fixed' : `fixed-${i + 1}`));
/** Names that reach whatever is there: the oldest environment answers to them. */
const BARE_NAMES = ['localhost', '127.0.0.1', '[::1]'];

export function planRouting(environments: readonly RoutedEnvironment[]): Routing {
  const routed = [...environments]
    .filter(({ environment }) => environment.status !== 'terminated')
    .sort((a, b) => a.environment.createdAt - b.environment.createdAt);
  const rules: Rule[] = [];
  const pools: Pool[] = [];
  const bareHolder = holderOfBareNames(routed);
  for (const each of routed) {
    const own = poolsOf(each);
    pools.push(...own.map(({ pool }) => pool));
    const forward = own.map(({ pool, weight }) => ({ pool: pool.id, weight }));
    const bare = each === bareHolder ? BARE_NAMES : [];
    const hosts = [...new Set([...domainsOf(each), ...bare])];
    const goal = goalOf(each);
    const { stickyMs } = goal?.traffic ?? DEFAULT_TRAFFIC;
    rules.push({
      hosts,
      environment: each.environment.key,
      forward,
      admission: goal ? admissionFor(each, goal) : DEFAULT_TRAFFIC.admission,
      stickyMs,
      poolStickyMs: each.share?.stickyMs ?? null,
      wake: goal ? wakeRule(each, goal) : null,
      cache: goal ? routedCache(each, goal, own) : null,
      guards: goal ? routedGuards(each, goal) : null,
    });
  }
  return { rules, pools };
}

/** Bare names go with the others when these are swapped. */
function holderOfBareNames(routed: readonly RoutedEnvironment[]): RoutedEnvironment | undefined {
  const [oldest] = routed;
  if (!oldest?.environment.names) return oldest;
  const { key } = oldest.environment;
  return routed.find(({ environment }) => environment.names?.of === key) ?? oldest;
}

const goalOf = ({ releases, goal }: RoutedEnvironment): RoutedRelease | undefined =>
  releases.find(({ number }) => number === goal);

function domainsOf(each: RoutedEnvironment): readonly string[] {
  const { application, name, names } = each.environment;
  return names?.domains ?? goalOf(each)?.domains ?? [defaultDomain(application, name)];
}

function poolsOf(each: RoutedEnvironment): WeightedPool[] {
  const pools: WeightedPool[] = [];
  for (const release of each.releases) {
    const instances = each.instances.filter((instance) => instance.release === release.number);
    const targets = release.upstream
      ? fixedTargets(each, release, release.upstream)
      : targetsOf(instances, release.drainMs);
    if (targets.length === 0) continue;
    const key = each.environment.key;
    const pool: Pool = {
      id: poolId(key, release.number),
      environment: key,
      release: release.number,
      health: release.health,
      balancing: release.traffic.balancing,
      external: release.upstream !== null,
      targets,
    };
    pools.push({ pool, weight: weightOf(each, release, instances) });
  }
  return pools;
}

/**
 * Each pool's share is its instances in service, so that every instance gets the same; unless one
 * release has a share of its own, and the others have the rest. While nothing serves at all, the first
 * that passes its check does: the edge knows it first, and somebody waits.
 */
function weightOf(
  { share, goal, instances: all }: RoutedEnvironment,
  release: RoutedRelease,
  instances: readonly RoutedInstance[],
): number {
  if (release.upstream) return 1;
  const serving = countServing(instances);
  if (countServing(all) === 0) {
    return release.number === goal ? countState(instances, 'pending') : 0;
  }
  if (share === null) return serving;
  if (release.number === share.release) return serving === 0 ? 0 : share.percent;
  const rest = countServing(all.filter((instance) => instance.release !== share.release));
  return rest === 0 ? 0 : ((100 - share.percent) * serving) / rest;
}

const countServing = (instances: readonly RoutedInstance[]): number =>
  countState(instances, 'in-service');

const countState = (instances: readonly RoutedInstance[], wanted: Instance['state']): number =>
  instances.filter(({ state }) => state === wanted).length;

function targetsOf(instances: readonly RoutedInstance[], drainMs: number): Target[] {
  const targets: Target[] = [];
  for (const { id, zone, state, since, address, isHeldBack } of instances) {
    const routed = state === 'pending' && isHeldBack ? 'standby' : targetState(state);
    if (!address || !routed) continue;
    const drainUntil = routed === 'draining' ? since + drainMs : null;
    targets.push({ id, ...address, zone, state: routed, drainUntil });
  }
  return targets;
}

function targetState(state: Instance['state']): Target['state'] | null {
  switch (state) {
    case 'pending':
    case 'in-service':
      return 'active';
    case 'draining':
      return 'draining';
    case 'standby':
    case 'warmed':
      return 'standby';
    default:
      return null;
  }
}

function fixedTargets(
  each: RoutedEnvironment,
  release: RoutedRelease,
  upstream: string | readonly string[],
): Target[] {
  if (release.number !== each.goal && release.number !== each.fixedUntilThen) return [];
  const addresses = [upstream].flat();
  return fixedTargetIds(upstream).map((id, i) => {
    const { hostname, port } = new URL(addresses[i] ?? '');
    return {
      id,
      host: hostname.replace(/^\[|\]$/g, ''),
      port: port === '' ? 80 : Number(port),
      zone: null,
      state: 'active',
      drainUntil: null,
    };
  });
}
