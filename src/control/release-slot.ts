import type { BundleStore, ImageKey, ImageStore } from '../bundle/driver.ts';
import type { Environment } from '../model/environment.ts';
import type { Release } from '../model/release.ts';
import type { Records } from './records.ts';

/** What a release gives to the slots it runs in: its code and its variables. */

/** Where the code of a release lies: its golden image where it has a build, else its bundle. */
export function directoryOf(
  environment: Environment,
  release: Release,
  parts: { records: Records; bundles: BundleStore; images: ImageStore },
): string {
  const image = imageOf(environment, release, parts.records);
  if (image) return parts.images.directory(image);
  return parts.bundles.directory(digestOf(environment, release, parts.records));
}

/** What the build of a release makes; null where it has none. */
export function imageOf(
  environment: Environment,
  release: Release,
  records: Records,
): ImageKey | null {
  const { build } = release.configuration.hooks;
  if (build === null) return null;
  const { command, variables } = build;
  return { digest: digestOf(environment, release, records), command, variables };
}

function digestOf({ application }: Environment, release: Release, records: Records): string {
  const version = release.version && records.version(application, release.version);
  if (!version) throw new Error(`version ${release.version} is not on record`);
  return version.digest;
}
