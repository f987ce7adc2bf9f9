import { Fault } from '../kernel/fault.ts';
import type { Capacity } from '../model/configuration.ts';
import type { Environment } from '../model/environment.ts';
import type { Release } from '../model/release.ts';
import type { Records } from './records.ts';

/** What an operation may not do, each refusal with its reason and the next command. */

export function refuseIfBusy(environment: Environment, records: Records): void {
  if (environment.status === 'terminating') throw terminating(environment);
  const running = records.runningDeployment(environment.key);
  if (!running) return;
  // One that was asked to abort is as good as turned back.
  const goesBack = running.aborted || running.state === 'rolling-back';
  const doing = goesBack ? 'going back' : 'running';
  throw new Fault({
    code: 'operation-in-progress',
    message: `${running.kind} ${running.number} of ${environment.key} is ${doing} since ${new Date(running.startedAt).toISOString()}`,
    subject: environment.key,
    hint: goesBack
      ? `wait for it with: ${command('belay deploy --attach', environment)}`
      : `watch it with: ${command('belay deploy --attach', environment)}, or stop it with: ${command('belay deploy --abort', environment)}`,
    retryable: true,
    details: { deployment: running.number, kind: running.kind, state: running.state },
  });
}

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
