import type { Readable } from 'node:stream';
import type { BundleCondition, BundleStore } from '../bundle/driver.ts';
import { Fault } from '../kernel/fault.ts';
import { sizeText } from '../kernel/size-text.ts';
import type { DiskFloor } from '../model/disk-floor.ts';
import type { EnvironmentKey } from '../model/environment.ts';
import type { DeploymentRequest } from '../model/ticket.ts';
import type { Version } from '../model/version.ts';
import { floorBytes, missingRoom, roomFor } from '../plan/disk-floor.ts';
import type { Housekeeping } from './housekeeping.ts';
import type { Records } from './records.ts';
import { wantedDigest } from './version-use.ts';

/** A damaged bundle is told by so many of its files. */
const SHOWN_DAMAGE = 3;

export interface BundleCareParts {
  records: Records;
  bundles: BundleStore;
  housekeeping: Housekeeping;
  /** Null: the default. */
  diskFloor: DiskFloor | null;
}

interface Size {
  files: number;
  sizeBytes: number;
}

/** Stands between deployments and the bundles they use: whole ones only, and room for new ones. */
export class BundleCare {
  readonly #parts: BundleCareParts;

  constructor(parts: BundleCareParts) {
    this.#parts = parts;
  }

  /**
   * Whether a bundle is here and whole, so that it need not be sent.
   *
   * @param size of what would be sent otherwise; null when nobody says
   * @throws `disk-floor` when it would have to be sent, and there is no room
   */
  async has(digest: string, size: Size | null): Promise<boolean> {
    this.#parts.housekeeping.noteUse(digest);
    if (await this.#parts.bundles.has(digest)) return true;
    if (size) await this.requireRoom(size);
    return false;
  }

  /** @throws `disk-floor`, and what the store throws */
  async receive(digest: string, tar: Readable, size: Size): Promise<void> {
    this.#parts.housekeeping.noteUse(digest);
    await this.requireRoom(size);
    await this.#parts.bundles.receive(digest, tar, size);
  }

  /**
   * Checks the bundle that a deployment would use, before anything is written down. It stays until
   * it is let go of: once that is written down, the records say who needs it.
   *
   * @returns what to call to let go of it
   * @throws `unknown-bundle`, `bundle-gone`, `bundle-damaged`
   */
  async requireWhole(key: EnvironmentKey, request: DeploymentRequest): Promise<() => void> {
    const { housekeeping } = this.#parts;
    const digest = this.#digestOf(key, request);
    if (digest) housekeeping.noteUse(digest);
    const flaw = await this.flawOf(key, request);
    if (flaw) throw flaw;
    return () => {
      if (digest) housekeeping.endUse(digest);
    };
  }

  /** What is wrong with the bundle that a deployment would use; null when nothing. */
  async flawOf(key: EnvironmentKey, request: DeploymentRequest): Promise<Fault | null> {
    const { records, bundles } = this.#parts;
    const digest = this.#digestOf(key, request);
    if (!digest) return null;
    const condition = await bundles.inspect(digest);
    if (condition.state === 'whole') return null;
    const [application = ''] = key.split('/');
    const known = records.versions(application).find((version) => version.digest === digest);
    if (condition.state === 'gone') return known ? bundleGone(known) : unknownBundle(digest);
    return bundleDamaged(known?.label ?? digest, known, condition);
  }

  #digestOf(key: EnvironmentKey, request: DeploymentRequest): string | null {
    const { records } = this.#parts;
    const environment = records.find(key);
    if (request.kind === 'deploy') return request.version?.digest ?? null;
    return environment ? wantedDigest(environment, request, records) : null;
  }

  /** @throws `disk-floor` */
  async requireRoom(size: Size): Promise<void> {
    const { bundles, diskFloor } = this.#parts;
    const room = await bundles.room();
    const neededBytes = roomFor(size);
    if (missingRoom(diskFloor, room, neededBytes) === 0) return;
    const { freeBytes, totalBytes } = room;
    const keptBytes = floorBytes(diskFloor, totalBytes);
    const kept = keptBytes === 0 ? '' : `, ${sizeText(keptBytes)} of which stay free`;
    throw new Fault({
      code: 'disk-floor',
      message: `this needs ${sizeText(neededBytes)}, and ${sizeText(freeBytes)} are free on the disk${kept}`,
      hint: 'make room there: belay versions --prune --keep 5 removes older versions that nobody needs',
      retryable: true,
      details: { neededBytes, freeBytes, floorBytes: keptBytes },
    });
  }
}

/** A version that was removed can only come back from where it came from. */
export const bundleGone = (version: Version): Fault =>
  new Fault({
    code: 'bundle-gone',
    message: `the files of ${version.label} are no longer on the disk`,
    subject: version.label,
    hint: `send them again with: ${sendingAgain(version)}`,
    details: { version: version.label, commit: version.commit },
  });

const unknownBundle = (digest: string): Fault =>
  new Fault({
    code: 'unknown-bundle',
    message: 'the bundle of this version is not here',
    subject: digest,
    hint: 'send it again with: belay deploy',
  });

function bundleDamaged(
  name: string,
  version: Version | undefined,
  { damage }: Extract<BundleCondition, { state: 'damaged' }>,
): Fault {
  const shown = damage.slice(0, SHOWN_DAMAGE).map(({ path, why }) => `${path} ${why}`);
  const more = damage.length - shown.length;
  return new Fault({
    code: 'bundle-damaged',
    message: `the files of ${name} are not as they were deployed: ${shown.join(', ')}${more > 0 ? `, and ${more} more` : ''}`,
    subject: name,
    hint: `sending the same content again puts them right: ${version ? sendingAgain(version) : 'belay deploy'}`,
    details: { damage: damage.slice(0, 100) },
  });
}

/** A working tree that differed from its commit is nowhere but where it was. */
const sendingAgain = ({ commit }: Version): string =>
  commit === null || commit.endsWith('+')
    ? 'belay deploy, in the directory as it was then'
    : `belay deploy --commit ${commit.slice(0, 9)}`;
