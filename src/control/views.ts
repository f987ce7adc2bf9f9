import type { Machine } from '../kernel/machine.ts';
import type { BootCost, Deployment } from '../model/deployment.ts';
import { defaultDomain, type Environment } from '../model/environment.ts';
import type { Freeze } from '../model/freeze.ts';
import type { InstanceWish } from '../model/instance.ts';
import { limitsOf, sizeOf } from '../model/release.ts';
import type { ScalingGlance } from '../model/scaling-view.ts';
import { poolId } from '../model/snapshot.ts';
import type { TargetHealth, TargetStatus } from '../model/target.ts';
import type { Ticket } from '../model/ticket.ts';
import type {
  AllowanceView,
  DeploymentView,
  EnvironmentView,
  FixedView,
  InstanceView,
  TicketView,
  TrafficView,
  WaitView,
} from '../model/view.ts';
import { startProblem } from '../plan/fleet.ts';
import { diagnose } from '../plan/health.ts';
import { patienceEndsAt } from '../plan/lifecycle-waits.ts';
import type { Observation, ObservedInstance } from '../plan/observation.ts';
import { overcommitment } from '../plan/overcommitment.ts';
import { poolSize } from '../plan/warm-pool.ts';
import { domainsOf } from './names.ts';
import type { Slots } from './observe.ts';
import type { Records } from './records.ts';

/** What people see, made from what is observed. */

interface ViewContext {
  traffic: TrafficView | null;
  scaling: ScalingGlance | null;
  /** The edge's; null while it cannot be asked. */
  port: number | null;
  /** As the edge tells them now; what it does not name is told without. */
  targets: readonly TargetStatus[];
  /** Null where nobody can say. */
  machine: Machine | null;
  now: number;
}

export function environmentView(
  observation: Observation,
  records: Records,
  slots: Slots,
  context: ViewContext,
): EnvironmentView {
  const { environment } = observation;
  const { key } = environment;
  const deployment = records.lastDeployment(key);
  return {
    application: environment.application,
    environment: environment.name,
    status: environment.status,
    ...diagnose(observation, context.traffic, context.now),
    release: environment.release,
    version: versionOf(records, key, environment.release),
    url: urlOf(environment, records, context.port),
    domains: [...domainsOf(environment, records)],
    namesOf: environment.names?.of ?? null,
    capacity: environment.capacity,
    asleepSince: environment.capacity.desired === 0 ? (environment.asleep?.since ?? null) : null,
    allowance: allowanceOf(environment, records, context.machine),
    scaling: context.scaling,
    warm: warmFor(observation),
    instances: observation.instances.map((instance) => {
      const pool = poolId(key, instance.release);
      const told = context.targets.find((each) => each.id === instance.id && each.pool === pool);
      return instanceView(instance, observation, records, slots, told);
    }),
    fixed: fixedView(observation),
    traffic: context.traffic,
    deployment: deployment && deploymentView(deployment, records),
    waiting: records.waiting(key).map(ticketView),
    freeze: freezeAt(environment, context.now),
  };
}

function allowanceOf(
  { key, release: number, capacity }: Environment,
  records: Records,
  machine: Machine | null,
): AllowanceView | null {
  const release = number === null ? undefined : records.release(key, number);
  if (!release || release.configuration.web.upstream !== null) return null;
  const limits = limitsOf(release);
  const size = sizeOf(release);
  const { warm } = release.configuration.web.group;
  const concerns = machine ? overcommitment({ ...capacity, warm, size, limits }, machine) : [];
  return { ...limits, size, byCommand: release.size !== undefined, concerns };
}

function fixedView({ fixed }: Observation): FixedView | null {
  if (fixed === null) return null;
  const { health, description, ejection, deep } = fixed;
  return { health, reason: description, ejection, deep };
}

function warmFor({ environment, releases }: Observation): number {
  const needs = environment.release === null ? undefined : releases.get(environment.release);
  return needs ? poolSize(needs.group, environment.capacity.desired) : 0;
}

function instanceView(
  instance: ObservedInstance,
  observation: Observation,
  records: Records,
  slots: Slots,
  told: TargetStatus | undefined,
): InstanceView {
  const slot = slots.get(instance.id);
  return {
    id: instance.id,
    state: instance.state,
    zone: instance.zone,
    release: instance.release,
    version: versionOf(records, instance.environment, instance.release),
    health: healthOf(instance) ?? (instance.state === 'pending' ? 'initial' : 'unknown'),
    reason: reasonOf(instance),
    pid: slot?.pid ?? null,
    port: slot?.port ?? null,
    startedAt: slot?.startedAt ?? instance.createdAt,
    isProtected: instance.isProtected ?? false,
    wish: instance.wish?.kind ?? null,
    cpuPercent: slot?.usage?.cpuPercent ?? null,
    // 0 is what a process has that has not begun.
    rssBytes: slot?.usage?.rssBytes || null,
    limit: slot?.limit ?? 'none',
    boot: bootOf(instance),
    ejection: told?.ejection ?? null,
    deep: told?.deep ?? null,
    wait: waitView(instance, observation),
  };
}

/** Of one that is held back, what it would be in service. */
function healthOf({ state, target }: ObservedInstance): TargetHealth | undefined {
  const isHeldBack = state === 'warmed' || state === 'pending';
  return (isHeldBack && target?.standby?.condition) || target?.health;
}

function waitView(instance: ObservedInstance, observation: Observation): WaitView | null {
  const endsAt = patienceEndsAt(instance, observation);
  if (!instance.wait || endsAt === null) return null;
  const { turn, since } = instance.wait;
  const settings = observation.releases.get(instance.release)?.group[turn];
  return { turn, since, endsAt, otherwise: settings?.otherwise ?? 'abandon' };
}

function bootOf({ createdAt, inServiceAt, passedAt, slot }: ObservedInstance): BootCost | null {
  const upAt = passedAt ?? inServiceAt;
  if (upAt === null) return null;
  return { bootMs: upAt - createdAt, bootstrapMs: slot?.bootstrapMs ?? null };
}

/** What it still serves for. */
const WISHES: Readonly<Record<InstanceWish['kind'], string>> = {
  standby: 'goes on standby when its place is filled',
  replace: 'goes when another serves in its place',
  resume: '',
};

function reasonOf(instance: ObservedInstance): string {
  if (instance.wait?.answer === null) return 'waits to be told to go on';
  if (instance.state === 'pending') return startProblem(instance);
  if (instance.state !== 'in-service') return instance.reason;
  if (instance.wish) return WISHES[instance.wish.kind];
  return instance.target?.health === 'healthy' ? '' : (instance.target?.description ?? '');
}

export function ticketView({ request, ...shown }: Ticket): TicketView {
  return { ...shown, kind: request.kind };
}

/** One that has ended by itself is as none. */
const freezeAt = ({ freeze }: Environment, now: number): Freeze | null =>
  !freeze || (freeze.until !== null && freeze.until <= now) ? null : freeze;

export function deploymentView(deployment: Deployment, records: Records): DeploymentView {
  const { ledgerAtStart, rollout, capacityBefore, ...shown } = deployment;
  return {
    ...shown,
    policy: rollout.policy,
    fromVersion: versionOf(records, deployment.environment, deployment.from),
    toVersion: versionOf(records, deployment.environment, deployment.to),
    ...originOf(deployment, records),
  };
}

/** Who wrote what it leads to, and where that lies. */
function originOf(
  { environment, to }: Deployment,
  records: Records,
): { author: string | null; commit: string | null } {
  const label = versionOf(records, environment, to);
  const application = environment.slice(0, environment.lastIndexOf('/'));
  const version = label === null ? undefined : records.version(application, label);
  return { author: version?.author ?? null, commit: version?.commit ?? null };
}

const versionOf = (records: Records, key: string, release: number | null): string | null =>
  release === null ? null : (records.release(key, release)?.version ?? null);

function urlOf(environment: Environment, records: Records, port: number | null): string {
  const { application, name } = environment;
  const domains = domainsOf(environment, records);
  const named = domains.find((domain) => !domain.includes('*'));
  const host = named ?? (domains.includes('*') ? 'localhost' : defaultDomain(application, name));
  return `http://${host}${port === null || port === 80 ? '' : `:${port}`}/`;
}
