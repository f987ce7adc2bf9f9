import { Fault } from '../kernel/fault.ts';
import type { Verdict } from '../model/deployment.ts';
import type { DeploymentDetail, DeploymentView } from '../model/view.ts';
import { answer, type Context } from './context.ts';
import { exitCodes } from './exit-code.ts';
import { followDeployment } from './follow.ts';
import { defaultTimeoutMs, type FollowOptions } from './options.ts';
import { changeOf } from './receipt-text.ts';
import { renderVerdict } from './verdict-text.ts';
import { commandFor, type Where } from './where.ts';

const verdictCodes: Readonly<Record<Verdict, number>> = {
  succeeded: exitCodes.ok,
  'rolled-back': exitCodes.rolledBack,
  aborted: exitCodes.rolledBack,
  failed: exitCodes.failed,
};

/**
 * Follows a deployment that has started, ends with its verdict and receipt, and returns the exit
 * code. Leaving early leaves the deployment alone.
 *
 * @throws `timed-out`, `daemon-unreachable`
 */
export async function conclude(
  context: Context,
  where: Where,
  started: DeploymentView,
  options: Partial<FollowOptions>,
  tellEnd: (deployment: DeploymentDetail) => number | Promise<number> = (deployment) =>
    tellVerdict(context, where, deployment),
): Promise<number> {
  announce(context, where, started);
  if (options.detach) return tellDetached(context, where, started, exitCodes.ok);
  const timeoutMs = options.timeout ?? defaultTimeoutMs;
  try {
    const outcome = await followDeployment(context, where, started.number, timeoutMs);
    if (outcome.kind === 'interrupted') {
      return tellDetached(context, where, started, exitCodes.interrupted);
    }
    if (outcome.kind === 'timed-out') throw timedOut(where, started);
    context.stderr.line();
    return await tellEnd(outcome.deployment);
  } catch (thrown) {
    if (!(thrown instanceof Fault) || thrown.code !== 'daemon-unreachable') throw thrown;
    throw new Fault({
      code: thrown.code,
      message: thrown.message,
      subject: thrown.subject,
      hint: `the deployment is in the journal and goes on with the daemon: belay daemon start, then ${attachCommand(where)}`,
      retryable: true,
      cause: thrown,
    });
  }
}

/** The end of a deployment, and the exit code it means. */
export function tellVerdict(
  context: Context,
  where: Where,
  deployment: DeploymentDetail,
  value: object = verdictJson(where, deployment),
): number {
  answer(context, value, () => renderVerdict(deployment, context.stdout.paint));
  return verdictCodes[deployment.state as Verdict];
}

/** The last line of `deploy --json` and its like: an interface. */
export function verdictJson(where: Where, deployment: DeploymentDetail) {
  const { kind, number, state, cause, receipt, steps, hooks, boot } = deployment;
  const { to, toVersion, logTail } = deployment;
  return {
    verdict: state,
    cause,
    receipt,
    steps,
    hooks,
    boot,
    ...where,
    deployment: number,
    kind,
    release: to,
    version: toVersion,
    logTail,
  };
}

function announce(context: Context, where: Where, started: DeploymentView): void {
  const { paint } = context.stderr;
  const key = `${where.application}/${where.environment}`;
  context.stderr.line(
    `${paint.bold(`${started.kind} ${started.number}`)} of ${key}: ${changeOf(started)}, ${started.policy}`,
  );
}

function tellDetached(
  context: Context,
  where: Where,
  started: DeploymentView,
  code: number,
): number {
  const { kind, number } = started;
  if (context.json) {
    const detached = { detached: true, ...where, deployment: number, kind };
    context.stdout.line(JSON.stringify(detached));
    return code;
  }
  context.stderr.line(`Detached: ${kind} ${number} goes on without you.`);
  context.stderr.line(`  Come back:  ${attachCommand(where)}`);
  context.stderr.line(`  Stop it:    ${commandFor('deploy --abort', where)}`);
  return code;
}

function timedOut(where: Where, { kind, number }: DeploymentView): Fault {
  return new Fault({
    code: 'timed-out',
    message: `${kind} ${number} did not end in time; it goes on`,
    subject: `${where.application}/${where.environment}`,
    hint: `come back with: ${attachCommand(where)}`,
    retryable: true,
  });
}

const attachCommand = (where: Where): string => commandFor('attach', where);
