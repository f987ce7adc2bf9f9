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

/** Faults of the API and of this folder that mean the user asked for something that cannot be. */
const badUsage = new Set([
  'bad-usage',
  'bad-request',
  'bad-name',
  'bad-command',
  'bad-duration',
  'bad-variable',
  'bad-directory',
  'unknown-policy',
  'ambiguous-application',
  'confirmation-needed',
  'config-exists',
  'desired-outside-capacity',
  'outside-capacity',
  'bad-capacity',
  'home-newer',
  'home-too-long',
  'home-not-writable',
  'no-home',
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
