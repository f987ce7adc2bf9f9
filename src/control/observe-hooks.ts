import type { ImageStore } from '../bundle/driver.ts';
import type { Deployment } from '../model/deployment.ts';
import type { Environment } from '../model/environment.ts';
import type { ObservedHook } from '../plan/observation.ts';
import type { Slots } from './observe.ts';
import type { Records } from './records.ts';
import { imageOf } from './release-slot.ts';

/** The hooks of a running deployment: what is on record, and what has become of them. */
export function observeHooks(
  environment: Environment,
  deployment: Deployment,
  records: Records,
  slots: Slots,
  images: ImageStore,
): ObservedHook[] {
  return deployment.hooks.map((run) => {
    const slot = slots.get(run.id);
    const image =
      run.hook === 'build' ? imageState(environment, deployment, records, images) : null;
    return {
      ...run,
      slot: slot ? { running: slot.state === 'running', exit: slot.exit } : null,
      image,
    };
  });
}

function imageState(
  environment: Environment,
  deployment: Deployment,
  records: Records,
  images: ImageStore,
): ObservedHook['image'] {
  const directory = imageDirectory(environment, deployment, records, images);
  if (directory === null || directory.isThere) return 'there';
  const isMadeElsewhere = records.environments().some((other) => {
    const theirs = other.key === environment.key ? null : records.runningDeployment(other.key);
    const builds = theirs?.hooks.some(({ hook, state }) => hook === 'build' && state === 'running');
    if (!theirs || !builds) return false;
    return imageDirectory(other, theirs, records, images)?.path === directory.path;
  });
  return isMadeElsewhere ? 'elsewhere' : 'missing';
}

function imageDirectory(
  environment: Environment,
  { to }: Deployment,
  records: Records,
  images: ImageStore,
): { path: string; isThere: boolean } | null {
  const release = records.release(environment.key, to);
  const image = release ? imageOf(environment, release, records) : null;
  return image && { path: images.directory(image), isThere: images.isThere(image) };
}
