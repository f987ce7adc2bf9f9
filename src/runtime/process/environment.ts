import { homedir, tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import type { Variables } from '../../model/configuration.ts';
import type { SlotSpec } from '../driver.ts';

/** Where instances listen: only the edge may reach them. */
export const INSTANCE_HOST = '127.0.0.1';

const DEFAULT_PATH = ['/usr/local/bin', '/usr/bin', '/bin'].join(delimiter);

/**
 * The whole environment of an instance, made anew on every start. Nothing of the daemon's own comes
 * through but the few variables of the base, which a program needs to find its way on the machine.
 */
export function instanceEnvironment(
  spec: SlotSpec,
  port: number,
  own: NodeJS.ProcessEnv = process.env,
): Variables {
  return {
    ...baseEnvironment(spec.directory, own),
    ...spec.variables,
    PORT: String(port),
    HOST: INSTANCE_HOST,
    BELAY_INSTANCE: spec.id,
    BELAY_APPLICATION: spec.application,
    BELAY_ENVIRONMENT: spec.environment,
    BELAY_RELEASE: String(spec.release),
    BELAY_ZONE: spec.zone,
  };
}

/**
 * PATH begins with the version's own `node_modules/.bin`, as it would under `npm run`, and ends with
 * the folder of the Node that runs Belay, so that `node` is found on a machine that has no other.
 */
function baseEnvironment(directory: string, own: NodeJS.ProcessEnv): Variables {
  const path = [
    join(directory, 'node_modules', '.bin'),
    own.PATH || DEFAULT_PATH,
    dirname(process.execPath),
  ];
  return {
    PATH: path.join(delimiter),
    HOME: homedir(),
    LANG: own.LANG || 'C.UTF-8',
    TMPDIR: tmpdir(),
    ...(own.TZ ? { TZ: own.TZ } : {}),
  };
}
