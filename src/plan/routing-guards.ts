import { needsSigning, type RoutedGuards } from '../model/guard.ts';
import type { RoutedEnvironment, RoutedRelease } from './routing.ts';

/** The guards of one environment as the edge is told of them; null where there are none. */
export function routedGuards(
  { signingKeys = [] }: Pick<RoutedEnvironment, 'signingKeys'>,
  { traffic: { guards } }: Pick<RoutedRelease, 'traffic'>,
): RoutedGuards | null {
  if (guards.length === 0) return null;
  const keys = signingKeys.map(({ id, secret }) => ({ id, secret }));
  return { rules: guards, keys: needsSigning(guards) ? keys : [] };
}
