import type { Clock } from '../kernel/clock.ts';
import { Fault } from '../kernel/fault.ts';
import type { Variables } from '../model/configuration.ts';
import type { Asked } from '../model/deployment.ts';
import { type Environment, environmentKey } from '../model/environment.ts';
import type { Concern } from '../model/forecast.ts';
import type { LedgerReading } from '../model/ledger.ts';
import { limitsOf, type Release, sameContent, sizeOf } from '../model/release.ts';
import type { DeploymentRequest } from '../model/ticket.ts';
import type { DeploymentView } from '../model/view.ts';
import { type Circumstances, concernsOf } from '../plan/suitability.ts';
import type { DeploymentStart } from './deployment-start.ts';
import type { EventFeed } from './event-feed.ts';
import type { Records } from './records.ts';
import { command, nothingToGoBackTo } from './refusals.ts';
import { keptSize, refuseIdleSize, resized } from './resizing.ts';
import { requireVersion } from './unknown-version.ts';

/**
 * From what somebody asks for to the deployment that does it: the release it leads to, whether the
 * policy suits, and the start. Everything here is done within one transaction.
 */

export interface Where {
  application: string;
  environment: string;
}

/** What was read before the transaction began. */
export interface Readings {
  ledger: LedgerReading | null;
  circumstances: Circumstances;
}

type RequestOf<Kind extends DeploymentRequest['kind']> = Extract<DeploymentRequest, { kind: Kind }>;

/** A deployment that has started, and what is worth knowing of it. */
interface Begun {
  started: DeploymentView;
  advice: Concern[];
}

interface DeploymentRequestParts {
  records: Records;
  starts: DeploymentStart;
  feed: EventFeed;
  clock: Clock;
}

export class DeploymentRequests {
  readonly #parts: DeploymentRequestParts;

  constructor(parts: DeploymentRequestParts) {
    this.#parts = parts;
  }

  /**
   * @param force start it although the policy does not suit
   * @returns null when there is nothing to change
   */
  begin(
    where: Where,
    request: DeploymentRequest,
    asked: Asked,
    force: boolean,
    { ledger, circumstances }: Readings,
  ): Begun | null {
    const { starts } = this.#parts;
    const environment = this.#environmentFor(where, request);
    const release = this.#releaseFor(environment, request, asked.message);
    if (release === null) return null;
    const concerns = this.concerns(environment, request, release, circumstances);
    const grave = concerns.filter((concern) => concern.grave);
    if (!force) refuseUnsuitable(environment, release, grave);
    const overrides = [...asked.overrides, ...grave.map(({ what }) => what)];
    const all = { ...asked, overrides };
    const started = starts.start(environment, request.kind, release, ledger, all);
    const advice = concerns.filter((concern) => !concern.grave);
    for (const { what, instead } of advice) {
      this.#parts.feed.publish({
        environment: environment.key,
        deployment: started.number,
        severity: 'warning',
        type: 'deployment-advice',
        message: `${what}; better: ${instead}`,
      });
    }
    return { started, advice };
  }

  /** What runs is what is asked for, and whoever asks wants no more than that. */
  changesNothing(where: Where, request: DeploymentRequest): boolean {
    const { records, starts } = this.#parts;
    const environment = records.find(environmentKey(where.application, where.environment));
    const current = environment && starts.currentRelease(environment);
    if (!current) return false;
    if (request.kind === 'env') {
      return sameContent(current, { ...current, variables: variablesAfter(current, request) });
    }
    if (request.kind === 'resize') return sameContent(current, resized(current, request.size));
    if (request.kind !== 'deploy' || request.unchanged !== 'skip') return false;
    const label = current.version;
    const version = label === null ? undefined : records.version(where.application, label);
    const sameVersion = (version?.digest ?? null) === (request.version?.digest ?? null);
    return (
      sameVersion && sameContent(current, { ...current, configuration: request.configuration })
    );
  }

  /**
   * What speaks against this policy here and now. A way back is never held up, and neither is a
   * restart: its release has been taken with its policy before.
   */
  concerns(
    environment: Environment,
    request: Pick<DeploymentRequest, 'kind'>,
    release: Release,
    circumstances: Circumstances,
  ): Concern[] {
    if (request.kind === 'rollback' || request.kind === 'restart') return [];
    const { records, starts } = this.#parts;
    const from = starts.currentRelease(environment);
    const { web, rollout } = release.configuration;
    const limits = limitsOf(release);
    const { desired, max } = starts.capacityAfter(environment, release);
    return concernsOf(
      {
        rollout,
        desired,
        max,
        running: records
          .instances(environment.key)
          .filter(({ state, warming }) => state !== 'warmed' && !(state === 'pending' && warming))
          .length,
        from: from && { upstream: from.configuration.web.upstream !== null },
        to: {
          upstream: web.upstream !== null,
          warm: web.group.warm,
          size: sizeOf(release),
          limits,
        },
      },
      circumstances,
    );
  }

  #environmentFor(where: Where, request: DeploymentRequest): Environment {
    const { records, starts } = this.#parts;
    if (request.kind !== 'deploy') {
      return records.environment(environmentKey(where.application, where.environment));
    }
    return starts.environmentFor({ ...where, configuration: request.configuration });
  }

  #releaseFor(
    environment: Environment,
    request: DeploymentRequest,
    message: string | null,
  ): Release | null {
    switch (request.kind) {
      case 'deploy':
        return this.#deployed(environment, request, message);
      case 'rollback':
        return this.#wentBackTo(environment, request.to);
      case 'restart': {
        const { starts } = this.#parts;
        const current = starts.runningRelease(environment);
        return starts.successor(current, 'restart', current.variables);
      }
      case 'env':
        return this.#withVariables(environment, request);
      case 'resize':
        return this.#withSize(environment, request);
    }
  }

  #deployed(
    environment: Environment,
    { configuration, version: source, unchanged }: RequestOf<'deploy'>,
    message: string | null,
  ): Release | null {
    const { records, starts, clock } = this.#parts;
    const { key, application } = environment;
    const current = starts.currentRelease(environment);
    const version = source && starts.versionFor(application, source, message);
    const release: Release = {
      environment: key,
      number: starts.nextReleaseNumber(key),
      version: version?.label ?? null,
      configuration,
      variables: current?.variables ?? records.releases(key)[0]?.variables ?? {},
      ...keptSize(current ?? records.releases(key)[0]),
      reason: 'deploy',
      message,
      createdAt: clock.now(),
    };
    if (unchanged === 'skip' && current && sameContent(current, release)) return null;
    records.saveRelease(release);
    return release;
  }

  #withVariables(environment: Environment, request: RequestOf<'env'>): Release | null {
    const { starts } = this.#parts;
    const current = starts.runningRelease(environment);
    const variables = variablesAfter(current, request);
    if (sameContent(current, { ...current, variables })) return null;
    return starts.successor(current, 'env', variables);
  }

  #withSize(environment: Environment, { size }: RequestOf<'resize'>): Release | null {
    const { starts } = this.#parts;
    const current = starts.runningRelease(environment);
    refuseIdleSize(current);
    const release = resized(current, size);
    if (sameContent(current, release)) return null;
    return starts.successor(release, 'resize', current.variables);
  }

  #wentBackTo(environment: Environment, to: string | number | null): Release {
    const { records, starts } = this.#parts;
    const current = starts.runningRelease(environment);
    const proven = this.#provenReleases(environment);
    const number = typeof to === 'string' && /^\d+$/.test(to) ? Number(to) : to;
    const goal =
      number === null
        ? proven.find(
            (release) => release.number < current.number && !sameContent(release, current),
          )
        : typeof number === 'number'
          ? records.release(environment.key, number)
          : proven.find(({ version }) => version === number);
    if (!goal && typeof number === 'string') {
      requireVersion(environment.application, number, records);
    }
    if (!goal) throw nothingToGoBackTo(environment, current, to, proven);
    if (goal.number === current.number) {
      throw new Fault({
        code: 'already-there',
        message: `${environment.key} runs release ${goal.number} (${goal.version ?? 'no version'}) already`,
        subject: String(to),
        hint: `to replace its instances, use: ${command('belay restart', environment)}`,
      });
    }
    return goal;
  }

  /** Releases that were deployed with success, newest first. */
  #provenReleases({ key }: Environment): Release[] {
    const { records } = this.#parts;
    const proven = new Set(
      records
        .deployments(key, 1_000)
        .filter(({ state }) => state === 'succeeded')
        .map(({ to }) => to),
    );
    return records.releases(key).filter(({ number }) => proven.has(number));
  }
}

function variablesAfter(current: Release, { set, unset }: RequestOf<'env'>): Variables {
  const variables = { ...current.variables, ...set };
  for (const name of unset) delete variables[name];
  return variables;
}

function refuseUnsuitable(
  environment: Environment,
  { configuration }: Release,
  concerns: readonly Concern[],
): void {
  const [first] = concerns;
  if (!first) return;
  const subject =
    first.code === 'memory-overcommitted'
      ? `the machine does not hold ${environment.key}`
      : `'${configuration.rollout.policy}' does not suit ${environment.key} now`;
  throw new Fault({
    code: first.code === 'memory-overcommitted' ? 'overcommitted' : 'unsuitable-policy',
    message: `${subject}: ${concerns.map(({ what }) => what).join('; and ')}`,
    subject: environment.key,
    hint: `${concerns.map(({ instead }) => instead).join('; ')}. To start it all the same, add --force`,
    details: { concerns },
  });
}
