import { Fault } from '../kernel/fault.ts';
import { defaultDomain, type Environment } from '../model/environment.ts';
import type { Release } from '../model/release.ts';
import type { Records } from './records.ts';
import { command } from './refusals.ts';

/**
 * Which host names are whose. An environment answers to the names in its release, until a swap gives
 * it another's: then those stay with it whatever is deployed, until they are swapped back.
 */

/** What an environment answers to now. */
export function domainsOf(environment: Environment, records: Records): readonly string[] {
  if (environment.names) return environment.names.domains;
  const { key, application, name, release } = environment;
  const number = records.runningDeployment(key)?.to ?? release;
  const own = number === null ? undefined : records.release(key, number)?.configuration.domains;
  return own ?? [defaultDomain(application, name)];
}

/** Refuses a release whose names another environment answers to. @throws `domain-taken` */
export function refuseTakenDomains(
  environment: Environment,
  { configuration }: Release,
  records: Records,
): void {
  const wanted = environment.names?.domains ?? configuration.domains;
  for (const other of records.environments()) {
    if (other.key === environment.key || other.status === 'terminated') continue;
    const taken = claimedBy(other, records).find((domain) => wanted.includes(domain));
    if (!taken) continue;
    const swapped = other.names?.of === environment.key;
    throw new Fault({
      code: 'domain-taken',
      message: `${taken} already belongs to ${other.key}${swapped ? ' since a swap' : ''}`,
      subject: 'edge.domains',
      hint: `give this environment another domain, or terminate ${other.key} first`,
    });
  }
}

/** What it answers to, and will when its deployment ends well, or goes back. */
function claimedBy({ key, names, release }: Environment, records: Records): readonly string[] {
  if (names) return names.domains;
  const numbers = [release, records.runningDeployment(key)?.to ?? null];
  return numbers.flatMap((number) =>
    number === null ? [] : (records.release(key, number)?.configuration.domains ?? []),
  );
}

/**
 * While the names of an environment are with another, its configuration may not give it others: they
 * would be nobody's. @throws `names-swapped`
 */
export function refuseNewNames(
  environment: Environment,
  { configuration }: Release,
  records: Records,
): void {
  const holder = records.environments().find(({ names }) => names?.of === environment.key);
  if (!holder?.names) return;
  const held = holder.names.domains;
  const same =
    held.length === configuration.domains.length &&
    held.every((domain, index) => domain === configuration.domains[index]);
  if (same) return;
  throw new Fault({
    code: 'names-swapped',
    message: `${environment.key} cannot change its domains while ${holder.key} answers to them`,
    subject: 'edge.domains',
    hint: `swap the names back first, with: ${command(`belay envs swap ${environment.name} ${holder.name}`, { ...environment, name: 'production' })}`,
    details: { holder: holder.key, domains: held },
  });
}
