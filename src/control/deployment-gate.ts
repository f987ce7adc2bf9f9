import { Fault } from '../kernel/fault.ts';
import type { DeploymentKind } from '../model/deployment.ts';
import type { Environment } from '../model/environment.ts';
import { ALWAYS } from '../model/window.ts';
import { type Gate, gateOf } from '../plan/gate.ts';
import type { Records } from './records.ts';

/** The windows are those of the release that runs: what is there says when it may be changed. */
export function gateFor(
  { key, release, freeze }: Environment,
  kind: DeploymentKind,
  records: Records,
  now: number,
): Gate {
  const current = release === null ? undefined : records.release(key, release);
  return gateOf(kind, freeze ?? null, current?.configuration.windows ?? ALWAYS, now);
}

/** What keeps a deployment from starting, in a sentence, with the time at which nothing will. */
export function closedFault({ key }: Environment, gate: Extract<Gate, { open: false }>): Fault {
  const opens =
    gate.opensAt === null
      ? gate.code === 'deployments-frozen'
        ? 'lift it with: belay unfreeze'
        : 'change deploy.windows'
      : `the next one may start at ${new Date(gate.opensAt).toISOString()}`;
  return new Fault({
    code: gate.code,
    message: `${key} may not be changed now: ${gate.why}`,
    subject: key,
    hint: `${opens}; wait for it with --queue, or start all the same with --force`,
    retryable: true,
    details: { opensAt: gate.opensAt },
  });
}
