import type { Variables } from '../model/configuration.ts';
import type { Environment } from '../model/environment.ts';
import { needsSigning } from '../model/guard.ts';
import type { Release } from '../model/release.ts';
import type { SigningKey } from '../model/signed-token.ts';
import { signingVariables } from '../model/signing-keys.ts';
import type { Records } from './records.ts';

/** Who is given the keys of tokens: the edge, to check them, and instances, to sign. */

/**
 * Whose tokens the edge takes. Where names were swapped, addresses that go by a name were signed by
 * the environment that had it before, and go on working.
 *
 * @param goal the release that counts now
 */
export function tokenKeys(
  { key, names }: Environment,
  goal: number | null,
  records: Records,
): readonly SigningKey[] {
  const release = goal === null ? undefined : records.release(key, goal);
  if (!needsSigning(release?.configuration.traffic.guards ?? [])) return [];
  const own = records.signingKeys(key).keys;
  return names === null || names.of === key ? own : [...own, ...records.signingKeys(names.of).keys];
}

/** Of what runs a release that guards anything by tokens. */
export function signingVariablesOf(release: Release, records: Records): Variables {
  if (!needsSigning(release.configuration.traffic.guards)) return {};
  return signingVariables(records.signingKeys(release.environment).keys);
}
