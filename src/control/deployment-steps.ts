import type { Clock } from '../kernel/clock.ts';
import { type CachePurges, EVERYTHING, withPurge } from '../model/cache-purges.ts';
import {
  type BootCost,
  type Deployment,
  deploymentMachine,
  type Verdict,
} from '../model/deployment.ts';
import { type Environment, environmentMachine } from '../model/environment.ts';
import type { Instance } from '../model/instance.ts';
import type { LedgerReading } from '../model/ledger.ts';
import { type Receipt, receiptBetween } from '../model/receipt.ts';
import type { Step } from '../model/step.ts';
import type { EventFeed } from './event-feed.ts';
import type { Slots } from './observe.ts';
import { type Prepared, recordOnly } from './prepared.ts';
import type { Records } from './records.ts';

/** What the steps of a deployment, and of the end of an environment, change on record. */

type StepOf<Kind extends Step['kind']> = Extract<Step, { kind: Kind }>;

export interface DeploymentStepParts {
  records: Records;
  feed: EventFeed;
  clock: Clock;
}

export class DeploymentSteps {
  readonly #parts: DeploymentStepParts;

  constructor(parts: DeploymentStepParts) {
    this.#parts = parts;
  }

  shift(environment: Environment, { percent, reason }: StepOf<'shift'>): Prepared {
    const { records, clock, feed } = this.#parts;
    const deployment = this.#deployment(environment);
    records.saveDeployment({ ...deployment, stage: { percent, since: clock.now() } });
    feed.publish({
      ...about(environment, deployment, null),
      severity: 'info',
      type: 'deployment-shifted',
      message: `release ${deployment.to} gets ${percent} % of the traffic: ${reason}`,
    });
    return recordOnly;
  }

  turnBack(environment: Environment, step: StepOf<'turn-back'>, logTail: string[]): Prepared {
    const { records, clock, feed } = this.#parts;
    const deployment = this.#deployment(environment);
    const state = deploymentMachine.move(nameOf(deployment), deployment.state, 'rolling-back');
    const cause = deployment.aborted ? 'aborted on request' : step.reason;
    records.saveDeployment({ ...deployment, state, cause, logTail, turnedAt: clock.now() });
    records.saveEnvironment({ ...environment, capacity: deployment.capacityBefore });
    const where =
      deployment.from === null
        ? 'there is no earlier release to go back to'
        : `going back to release ${deployment.from}`;
    feed.publish({
      ...about(environment, deployment, step.instance),
      severity: 'warning',
      type: 'deployment-turned-back',
      message: `${cause}; ${where}`,
    });
    return recordOnly;
  }

  settle(
    environment: Environment,
    step: StepOf<'settle'>,
    ledger: LedgerReading | null,
    slots: Slots,
  ): Prepared {
    const { records } = this.#parts;
    const running = this.#deployment(environment);
    const boot = slowestBoot(running, records.instances(environment.key), slots);
    const deployment = { ...running, boot };
    const receipt = receiptOf(deployment, ledger, environment.key);
    this.#endDeployment(environment, deployment, step.verdict, step.reason, receipt);
    const status = environmentMachine.allows(environment.status, 'ready')
      ? 'ready'
      : environment.status;
    const release = step.verdict === 'succeeded' ? deployment.to : environment.release;
    const cachePurges = this.#purgesAfter(deployment, environment, release);
    records.saveEnvironment({ ...environment, status, release, cachePurges });
    return recordOnly;
  }

  terminated(environment: Environment): Prepared {
    const { records, feed, clock } = this.#parts;
    const deployment = records.runningDeployment(environment.key);
    if (deployment) this.#endCutShort(environment, deployment);
    const status = environmentMachine.move(environment.key, environment.status, 'terminated');
    const terminatedAt = clock.now();
    records.saveEnvironment({ ...environment, status, release: null, terminatedAt });
    feed.publish({
      ...about(environment, null, null),
      severity: 'info',
      type: 'environment-terminated',
      message: `${environment.key} is terminated`,
    });
    return recordOnly;
  }

  /** Whatever it came to: instances of both releases may have answered. */
  #purgesAfter(
    deployment: Deployment,
    environment: Environment,
    release: number | null,
  ): CachePurges {
    const { records, feed } = this.#parts;
    const { key, cachePurges } = environment;
    const configuration = release === null ? null : records.release(key, release)?.configuration;
    if (configuration?.traffic.cache?.onDeploy !== 'purge') return cachePurges;
    feed.publish({
      ...about(environment, deployment, null),
      severity: 'info',
      type: 'cache-purged',
      message: `purged everything from the cache, because ${deployment.kind} ${deployment.number} has ended`,
    });
    return withPurge(cachePurges, EVERYTHING);
  }

  #endDeployment(
    environment: Environment,
    deployment: Deployment,
    verdict: Verdict,
    reason: string,
    receipt: Receipt | null,
  ): void {
    const { records, clock, feed } = this.#parts;
    const state = deploymentMachine.move(nameOf(deployment), deployment.state, verdict);
    const cause = verdict === 'succeeded' ? null : reason;
    // The reading at the start has served its purpose, and is large.
    records.saveDeployment({
      ...deployment,
      state,
      cause,
      receipt,
      endedAt: clock.now(),
      ledgerAtStart: null,
    });
    const lost = receipt ? `; ${receipt.requests} requests, ${receipt.lost} lost` : '';
    feed.publish({
      ...about(environment, deployment, null),
      severity: verdict === 'succeeded' ? 'info' : 'warning',
      type: `deployment-${verdict}`,
      message: `${deployment.kind} ${deployment.number} ${verdict.replace('-', ' ')}${cause === null ? '' : `: ${cause}`}${lost}`,
    });
  }

  /** The environment was terminated under a running deployment. */
  #endCutShort(environment: Environment, deployment: Deployment): void {
    const turned: Deployment =
      deployment.state === 'running' ? { ...deployment, state: 'rolling-back' } : deployment;
    this.#endDeployment(environment, turned, 'aborted', 'the environment was terminated', null);
  }

  #deployment(environment: Environment): Deployment {
    const deployment = this.#parts.records.runningDeployment(environment.key);
    if (!deployment) throw new Error(`no deployment of ${environment.key} is running`);
    return deployment;
  }
}

/** Of those instances of the new release that came into service. */
function slowestBoot(
  { to, startedAt }: Deployment,
  instances: readonly Instance[],
  slots: Slots,
): BootCost | null {
  const costs = instances.flatMap(({ id, release, createdAt, ...instance }): BootCost[] => {
    const upAt = instance.passedAt ?? instance.inServiceAt;
    if (release !== to || createdAt < startedAt || upAt === null) return [];
    const bootstrapMs = slots.get(id)?.bootstrapMs ?? null;
    return [{ bootMs: upAt - createdAt, bootstrapMs }];
  });
  return costs.sort((a, b) => b.bootMs - a.bootMs)[0] ?? null;
}

function receiptOf(
  deployment: Deployment,
  ledger: LedgerReading | null,
  environment: string,
): Receipt | null {
  if (!ledger || !deployment.ledgerAtStart) return null;
  return receiptBetween(deployment.ledgerAtStart, ledger, environment);
}

const nameOf = ({ environment, number }: Deployment): string => `${environment} ${number}`;

const about = (
  environment: Environment,
  deployment: Deployment | null,
  instance: string | null,
) => ({
  environment: environment.key,
  deployment: deployment?.number ?? null,
  instance,
});
