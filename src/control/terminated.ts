import type { Environment } from '../model/environment.ts';
import type { Release } from '../model/release.ts';
import type { TerminatedView } from '../model/view.ts';
import type { Records } from './records.ts';

/** What is left of an environment that ended: enough to bring it back. */

/** What it runs, or last ran with success; null where that never was. */
export function lastRelease({ key, release }: Environment, records: Records): Release | null {
  const succeeded = records.deployments(key, 1_000).find(({ state }) => state === 'succeeded');
  const number = release ?? succeeded?.to ?? null;
  return number === null ? null : (records.release(key, number) ?? null);
}

export function terminatedView(environment: Environment, records: Records): TerminatedView {
  const { application, name, terminatedAt } = environment;
  const last = lastRelease(environment, records);
  return {
    application,
    environment: name,
    terminatedAt,
    release: last?.number ?? null,
    version: last?.version ?? null,
  };
}
