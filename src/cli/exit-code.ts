import { Fault } from '../kernel/fault.ts';

/** What the program ends with. Part of the interface: scripts branch on these. */
export const exitCodes = {
  ok: 0,
  failed: 1,
  /** `diff` found differences; `status` or `doctor` found something unhealthy. */
  differs: 2,
  timedOut: 3,
  rolledBack: 4,
  daemonUnreachable: 5,
  badUsage: 64,
  interrupted: 130,
} as const;

/** Faults of other rooms that mean: what was asked for, or configured, cannot be. */
const badUsage = new Set([
  'ambiguous-application',
  'bad-capacity',
  'bad-disk-floor',
  'bad-metric',
  'bad-name',
  'bad-port',
  'bad-purge',
  'bad-request',
  'bad-usage',
  'bundle-empty',
  'bundle-too-large',
  'domain-taken',
  'environment-exists',
  'names-swapped',
  'saved-configuration-exists',
  'swap-with-itself',
  'unknown-saved-configuration',
  'home-newer',
  'home-not-writable',
  'home-too-long',
  'hook-never-ran',
  'no-home',
  'no-repository',
  'not-in-commit',
  'symlink-escapes',
  'unknown-deployment',
  'unknown-environment',
  'unknown-instance',
  'unknown-release',
  'unknown-ticket',
  'unknown-version',
  'until-is-past',
]);

const others: Readonly<Record<string, number>> = {
  'daemon-unreachable': exitCodes.daemonUnreachable,
  'daemon-did-not-start': exitCodes.daemonUnreachable,
  'timed-out': exitCodes.timedOut,
  interrupted: exitCodes.interrupted,
};

/** A fault in what the user wrote: arguments or configuration. Ends with 64 whatever its code. */
export class InputFault extends Fault {}

export function exitCodeOf(fault: Fault): number {
  if (fault instanceof InputFault || badUsage.has(fault.code)) return exitCodes.badUsage;
  return others[fault.code] ?? exitCodes.failed;
}
