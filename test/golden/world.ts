import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/**
 * The states of the world that a golden case of the command line can ask for. Each has a home of
 * its own but `a daemon`, whose home is shared because starting one takes longer than all else.
 */
export interface World {
  /** `$BELAY_HOME` of the commands. */
  home: string;
  /** What else the commands get. */
  environment: Record<string, string>;
  /** What stands before the command, to run it as somebody else or somewhere else. */
  prefix: string[];
  /** The directory of the home as this process sees it. */
  visibleHome: string;
  /** What differs from run to run. */
  names: Record<string, string>;
  close(): Promise<void> | void;
}

/** Why a world cannot be made here. */
export class NotHere extends Error {}

const repository = dirname(dirname(import.meta.dirname));
export const program = join(repository, 'bin/belay');

/** A uid that owns nothing; `nobody` on most systems. */
const NOBODY = '65534';
/** Room for a daemon and its edge, and not for a bundle of 20 MB. */
const SMALL_DISK = '12m';
const A_NEWER_SCHEMA = 999;

/** @param place an empty directory of the case, of a path short enough for sockets */
export async function makeWorld(given: string, place: string, sharedHome: string): Promise<World> {
  const home = join(place, 'home');
  switch (given) {
    case 'a daemon':
      return worldOf(sharedHome);
    case '':
      return worldOf(home);
    case 'a home with a long path': {
      const long = join(place, 'x'.repeat(120));
      return {
        ...worldOf(long),
        names: { [long]: '<home>', [`${long.length} bytes`]: '<n> bytes' },
      };
    }
    case 'a file in place of the home':
      writeFileSync(home, '');
      return worldOf(home);
    case 'a home of somebody else':
      return worldOfSomebodyElse(place, home);
    case 'a home on a read-only disk':
      return worldOnDisk(home, 'ro');
    case 'a home on a small disk':
      return worldOnDisk(home, `size=${SMALL_DISK}`);
    case 'a home from a newer version':
      mkdirSync(home);
      raiseSchema(join(home, 'belay.db'));
      return worldOf(home);
    case 'a port that is taken':
      return worldWithTakenPort(home);
    default:
      throw new Error(`no golden case can be given '${given}'`);
  }
}

const worldOf = (home: string): World => ({
  home,
  environment: {},
  prefix: [],
  visibleHome: home,
  names: { [home]: '<home>' },
  close: () => {},
});

function raiseSchema(path: string): void {
  using database = new DatabaseSync(path);
  database.exec(`pragma user_version = ${A_NEWER_SCHEMA}`);
}

async function worldWithTakenPort(home: string): Promise<World> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address ? String(address.port) : '';
  return {
    ...worldOf(home),
    environment: { BELAY_HTTP: port },
    names: { [home]: '<home>', [port]: '<port>' },
    close: () => void server.close(),
  };
}

/** Permissions do not hold root back, so root becomes somebody whom they do. */
function worldOfSomebodyElse(place: string, home: string): World {
  const isRoot = process.getuid?.() === 0;
  const prefix = isRoot
    ? ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups', '--']
    : [];
  chmodSync(place, 0o755);
  mkdirSync(home, { mode: 0o555 });
  tryOut([...prefix, program, '--version']);
  return { ...worldOf(home), prefix };
}

/** A file system of its own, in a mount namespace that ends with the process that holds it. */
async function worldOnDisk(home: string, options: string): Promise<World> {
  mkdirSync(home);
  const mount = `mount -t tmpfs -o ${options} tmpfs "$1" && echo ready && exec cat`;
  const apart = ['unshare', '--map-root-user', '--mount'];
  tryOut([...apart, 'mount', '-t', 'tmpfs', 'tmpfs', home]);
  const [unshare = '', ...words] = apart;
  const holder = spawn(unshare, [...words, 'sh', '-c', mount, 'sh', home], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  await once(holder.stdout, 'data');
  const enter = [
    'nsenter',
    `--target=${holder.pid}`,
    '--user',
    '--mount',
    '--preserve-credentials',
  ];
  return {
    ...worldOf(home),
    prefix: [...enter, 'sh', '-c', 'cd "$0" && exec "$@"', join(dirname(home), 'my-app')],
    visibleHome: join('/proc', String(holder.pid), 'root', home),
    async close() {
      const gone = once(holder, 'exit');
      holder.stdin.end();
      await gone;
    },
  };
}

/** @throws `NotHere` when the command fails */
function tryOut([command = '', ...words]: string[]): void {
  try {
    execFileSync(command, words, { stdio: 'pipe' });
  } catch (thrown) {
    throw new NotHere(`${command} cannot do this here: ${String(thrown).split('\n')[0]}`);
  }
}

/** What a home holds of versions and slots: nothing may be left behind by what was refused. */
export function holdings({ visibleHome }: World): string[] {
  return ['versions', 'run'].flatMap((room) => {
    const path = join(visibleHome, room);
    return existsSync(path) ? readdirSync(path).map((name) => `${room}/${name}`) : [];
  });
}

/** The processes that were started for a home, by their environment. */
export function processesOf({ home }: World): number[] {
  const mark = `BELAY_HOME=${home}\0`;
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => Number.isInteger(pid) && pid !== process.pid)
    .filter((pid) => readEnvironment(pid).includes(mark));
}

function readEnvironment(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'latin1');
  } catch {
    return '';
  }
}
