import { isDeepStrictEqual } from 'node:util';
import { Fault } from '../kernel/fault.ts';
import { limitsOf, type Release } from '../model/release.ts';
import type { SizeName } from '../model/size.ts';

/** `belay scale --size`: the same version with instances of another size, as a new release. */

/** @param size null: the configuration's own again */
export function resized(release: Release, size: SizeName | null): Release {
  const { size: before, ...configured } = release;
  return size === null ? configured : { ...configured, size };
}

/** What was set by command stays over a deploy, as variables do. */
export const keptSize = (release: Release | null | undefined): Pick<Release, 'size'> =>
  release?.size === undefined ? {} : { size: release.size };

/** @throws `size-has-no-say` */
export function refuseIdleSize({ environment, configuration }: Release): void {
  const { web } = configuration;
  const smallest = limitsOf({ configuration, size: 'nano' });
  const largest = limitsOf({ configuration, size: 'xlarge' });
  if (web.upstream === null && !isDeepStrictEqual(smallest, largest)) return;
  const why =
    web.upstream === null
      ? 'web.memory and web.cpu are written in its configuration, and win over a size'
      : 'Belay did not start what it leads to';
  throw new Fault({
    code: 'size-has-no-say',
    message: `a size changes nothing for ${environment}: ${why}`,
    subject: environment,
    hint:
      web.upstream === null
        ? 'change them there and deploy, or leave them out'
        : 'resize it where it runs',
  });
}
