import { Fault } from '../kernel/fault.ts';
import { movesByWeight } from '../model/configuration.ts';
import type { Deployment } from '../model/deployment.ts';
import type { DeploymentView } from '../model/view.ts';
import type { EventFeed } from './event-feed.ts';
import type { Records } from './records.ts';
import { command } from './refusals.ts';
import { deploymentView } from './views.ts';

/** What people can say to a deployment that runs. */

interface Parts {
  records: Records;
  feed: EventFeed;
  wake: (environment: string) => void;
}

/** @throws `nothing-to-abort`, `already-going-back` */
export function abortDeployment(key: string, parts: Parts): DeploymentView {
  const { records } = parts;
  const environment = records.environment(key);
  const running = records.runningDeployment(key);
  if (!running) {
    throw new Fault({
      code: 'nothing-to-abort',
      message: `no deployment of ${key} is running`,
      subject: key,
      hint: `to go back to the release before, use: ${command('belay rollback', environment)}`,
    });
  }
  if (running.state === 'rolling-back' || running.aborted) {
    throw new Fault({
      code: 'already-going-back',
      message: `${running.kind} ${running.number} of ${key} is going back already (${running.cause ?? 'aborted on request'})`,
      subject: key,
      hint: `watch it with: ${command('belay attach', environment)}`,
    });
  }
  return save({ ...running, aborted: true }, parts, {
    type: 'deployment-abort-asked',
    message: `somebody asked to abort ${running.kind} ${running.number}`,
  });
}

/** Goes on without a judgement of its traffic. @throws `nothing-to-promote` */
export function promoteDeployment(key: string, parts: Parts): DeploymentView {
  const { records } = parts;
  const environment = records.environment(key);
  const running = records.runningDeployment(key);
  if (running?.state !== 'running' || running.aborted || !movesByWeight(running.rollout.policy)) {
    throw new Fault({
      code: 'nothing-to-promote',
      message: `no canary or linear deployment of ${key} is on its way`,
      subject: key,
      hint: `see what is, with: ${command('belay status', environment)}`,
    });
  }
  return save({ ...running, promoted: true }, parts, {
    type: 'deployment-promoted',
    message: `somebody asked to go on with ${running.kind} ${running.number} without a judgement`,
  });
}

function save(
  deployment: Deployment,
  { records, feed, wake }: Parts,
  event: { type: string; message: string },
): DeploymentView {
  const { environment, number } = deployment;
  records.transaction(() => {
    records.saveDeployment(deployment);
    feed.publish({ environment, deployment: number, severity: 'info', ...event });
  });
  wake(environment);
  return deploymentView(deployment, records);
}
