import { Fault } from '../kernel/fault.ts';
import type { Capacity } from '../model/configuration.ts';
import type { Deployment } from '../model/deployment.ts';
import type { Environment } from '../model/environment.ts';
import type { Release } from '../model/release.ts';
import type { Ticket } from '../model/ticket.ts';
import type { Records } from './records.ts';

/** What an operation may not do, each refusal with its reason and the next command. */

/** @throws `environment-terminating`, `operation-in-progress` */
export function refuseIfBusy(environment: Environment, records: Records): void {
  if (environment.status === 'terminating') throw terminating(environment);
  const fault = busyFault(environment, records);
  if (fault) throw fault;
}

/**
 * Who holds the environment: the deployment that runs, or one whose turn it is.
 *
 * @param next what is about to start by itself
 */
export function busyFault(environment: Environment, records: Records, next?: Ticket): Fault | null {
  const running = records.runningDeployment(environment.key);
  if (running) return runningFault(environment, running);
  if (!next) return null;
  const { request, number, by, askedAt } = next;
  return new Fault({
    code: 'operation-in-progress',
    message: `queued ${request.kind} ${number} of ${environment.key} is about to start; it waits since ${new Date(askedAt).toISOString()}${byWhom(by)}`,
    subject: environment.key,
    hint: `wait for it with: ${command('belay attach', environment)}, or come after it with --queue`,
    retryable: true,
  });
}

function runningFault(environment: Environment, running: Deployment): Fault {
  // One that was asked to abort is as good as turned back.
  const goesBack = running.aborted || running.state === 'rolling-back';
  const doing = goesBack ? 'going back' : 'running';
  return new Fault({
    code: 'operation-in-progress',
    message: `${running.kind} ${running.number} of ${environment.key} is ${doing} since ${new Date(running.startedAt).toISOString()}${byWhom(running.by)}`,
    subject: environment.key,
    hint: goesBack
      ? `wait for it with: ${command('belay attach', environment)}, or come after it with --queue`
      : `watch it with: ${command('belay attach', environment)}, stop it with: ${command('belay deploy --abort', environment)}, or come after it with --queue`,
    retryable: true,
    details: {
      deployment: running.number,
      kind: running.kind,
      state: running.state,
      by: running.by,
    },
  });
}

const byWhom = (by: string | null): string => (by === null ? '' : `, asked for by ${by}`);

export function refuseBadCapacity(environment: Environment, { min, desired, max }: Capacity): void {
  if (min > max) {
    throw new Fault({
      code: 'bad-capacity',
      message: `min ${min} is greater than max ${max}`,
      subject: environment.key,
      hint: 'give both: --min N --max M',
    });
  }
  if (desired < min || desired > max) {
    const bound = desired < min ? `--min ${desired}` : `--max ${desired}`;
    throw new Fault({
      code: 'bad-capacity',
      message: `${desired} is outside min ${min} and max ${max} of ${environment.key}`,
      subject: environment.key,
      hint: `to move the bound too, use: ${command(`belay scale ${desired} ${bound}`, environment)}`,
    });
  }
}

export function nothingToGoBackTo(
  environment: Environment,
  current: Release,
  to: string | number | null,
  proven: readonly Release[],
): Fault {
  const others = proven.filter(({ number }) => number !== current.number);
  const known = others.map(({ number, version }) => `${number} (${version ?? 'no version'})`);
  return new Fault({
    code: to === null ? 'nothing-to-roll-back-to' : 'unknown-release',
    message:
      to === null
        ? `${environment.key} has no earlier release that differs from the running one, release ${current.number}`
        : `${environment.key} never ran ${typeof to === 'number' ? `release ${to}` : to} with success`,
    subject: environment.key,
    hint:
      known.length === 0
        ? `deploy another version with: ${command('belay deploy', environment)}`
        : `there is release ${known.join(', ')}`,
  });
}

export const terminating = ({ key }: Environment): Fault =>
  new Fault({
    code: 'environment-terminating',
    message: `${key} is being terminated`,
    subject: key,
    hint: 'wait until it is gone, then: belay up',
    retryable: true,
  });

/** A command line for a hint, naming the environment only where it must. */
export const command = (line: string, { application, name }: Environment): string =>
  `${line} --app ${application}${name === 'production' ? '' : ` --environment ${name}`}`;
