import { Fault } from '../kernel/fault.ts';
import type { Version } from '../model/version.ts';
import type { Records } from './records.ts';

/** Of many versions, so many are named. */
const SHOWN_VERSIONS = 5;

/** @throws `unknown-version`, which names whose it is */
export function requireVersion(application: string, label: string, records: Records): Version {
  const versions = records.versions(application);
  const known = versions.find((version) => version.label === label);
  if (known) return known;
  const others = records
    .applications()
    .filter((other) => other !== application && records.version(other, label));
  const whose = others.length === 0 ? '' : `, but there is one of ${others.join(' and of ')}`;
  const shown = versions.slice(0, SHOWN_VERSIONS).map((version) => version.label);
  const more = versions.length - shown.length;
  throw new Fault({
    code: 'unknown-version',
    message: `there is no version ${label} of ${application}${whose}`,
    subject: label,
    hint:
      shown.length === 0
        ? 'make one with: belay deploy'
        : `its versions are ${shown.join(', ')}${more > 0 ? ` and ${more} older ones` : ''}; see them with: belay versions --app ${application}`,
    details: { application, version: label, applications: others },
  });
}
