import { lookup } from 'node:dns/promises';
import { accessSync, constants, existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Fault, messageOf } from '../kernel/fault.ts';
import type { DaemonView } from '../model/view.ts';
import type { Context } from './context.ts';
import { findDaemon } from './daemon-start.ts';
import { inspectPort } from './port-owner.ts';
import { findOnPath } from './self.ts';

/** What `belay doctor` looks at, each finding with what to do about it. */

export interface Check {
  name: string;
  /** `note`: works, with less; `problem`: something will fail. */
  state: 'ok' | 'note' | 'problem';
  says: string;
  next: string | null;
}

const LEAST_NODE = 24;
const HOME_ADVICE = 'set BELAY_HOME to a directory of your own';

const ok = (name: string, says: string): Check => ({ name, state: 'ok', says, next: null });
const note = (name: string, says: string, next: string): Check => ({
  name,
  state: 'note',
  says,
  next,
});
const problem = (name: string, says: string, next: string): Check => ({
  name,
  state: 'problem',
  says,
  next,
});

export async function checkMachine(context: Context): Promise<Check[]> {
  const home = checkHome(context);
  const daemon = home.state === 'problem' ? null : await findDaemon(context);
  return [
    checkNode(),
    home,
    checkDaemon(context, daemon),
    await checkPort('edge port', context.environment.BELAY_HTTP, 8080, daemon, 'BELAY_HTTP'),
    await checkPort(
      'console port',
      context.environment.BELAY_CONSOLE,
      7070,
      daemon,
      'BELAY_CONSOLE',
    ),
    checkProc(),
    checkCgroup(),
    checkFallocate(context),
    await checkNames(),
  ];
}

function checkNode(): Check {
  const { node } = process.versions;
  if (Number(node.split('.')[0]) >= LEAST_NODE) return ok('node', `Node.js ${node}`);
  return problem('node', `Node.js ${node} is too old`, `install Node.js ${LEAST_NODE} or newer`);
}

function checkHome(context: Context): Check {
  try {
    const { root } = context.home();
    const nearest = nearestExisting(root);
    if (!statSync(nearest).isDirectory()) {
      return problem('home', `${nearest} is no directory`, HOME_ADVICE);
    }
    accessSync(nearest, constants.W_OK | constants.X_OK);
    return ok('home', nearest === root ? `${root} is writable` : `${root} will be made`);
  } catch (thrown) {
    if (thrown instanceof Fault) return problem('home', thrown.message, thrown.hint ?? HOME_ADVICE);
    return problem('home', `it cannot be written (${messageOf(thrown)})`, HOME_ADVICE);
  }
}

function nearestExisting(path: string): string {
  return existsSync(path) || dirname(path) === path ? path : nearestExisting(dirname(path));
}

function checkDaemon(context: Context, daemon: DaemonView | null): Check {
  if (!daemon)
    return note('daemon', 'no daemon runs', 'belay up starts it, or: belay daemon start');
  const says = `process ${daemon.pid}, Belay ${daemon.version}`;
  if (daemon.version === context.version) return ok('daemon', says);
  return note('daemon', `${says}; this is Belay ${context.version}`, 'belay daemon restart');
}

async function checkPort(
  name: string,
  asked: string | undefined,
  usual: number,
  daemon: DaemonView | null,
  variable: string,
): Promise<Check> {
  const port = asked ? Number(asked) : usual;
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    return problem(
      name,
      `${variable}=${asked} is not a port`,
      `set ${variable} to 0 to 65535, or unset it`,
    );
  }
  const own = variable === 'BELAY_HTTP' ? daemon?.edge?.listeners[0]?.port : undefined;
  if (port === 0 && own !== undefined) return ok(name, `${own} is Belay's own edge`);
  if (port === 0) return ok(name, `${variable}=0 takes any that is free`);
  if (daemon?.edge?.listeners.some((listener) => listener.port === port)) {
    return ok(name, `${port} is Belay's own edge`);
  }
  const state = await inspectPort(port);
  if (state.kind === 'free') return ok(name, `${port} is free`);
  if (state.kind === 'forbidden') {
    return problem(
      name,
      `this user may not listen on ${port}`,
      `set ${variable} to a port above 1023`,
    );
  }
  const { holder } = state;
  const by = holder ? `${holder.command}, process ${holder.pid}` : 'another user';
  // An edge that has to start fails on it only when it was asked for; else it takes the next one.
  const found = asked && !daemon?.edge ? problem : note;
  return found(
    name,
    `${port} is taken by ${by}`,
    `stop it, or set ${variable} to another port; 0 takes any`,
  );
}

function checkProc(): Check {
  try {
    readFileSync('/proc/self/stat', 'utf8');
    return ok('/proc', 'readable');
  } catch {
    if (process.platform !== 'linux') {
      return note(
        '/proc',
        `there is none on ${process.platform}`,
        'use Linux for anything but development',
      );
    }
    return problem(
      '/proc',
      'not readable, so processes cannot be watched',
      'mount it: mount -t proc proc /proc',
    );
  }
}

const CGROUP_ROOT = '/sys/fs/cgroup';

/** Version 2 has this file at its root; version 1 has a directory for each controller. */
function checkCgroup(): Check {
  const unified = existsSync(join(CGROUP_ROOT, 'cgroup.controllers'));
  const directory = unified ? CGROUP_ROOT : join(CGROUP_ROOT, 'memory');
  try {
    accessSync(directory, constants.W_OK);
    return ok('cgroup', `version ${unified ? 2 : 1}, writable: limits are held by the kernel`);
  } catch {
    return note(
      'cgroup',
      'not writable: limits on memory and CPU are watched, not enforced',
      'nothing, or run as a user to whom a cgroup is delegated',
    );
  }
}

function checkFallocate(context: Context): Check {
  const path = findOnPath('fallocate', context.environment.PATH ?? '');
  if (path) return ok('fallocate', path);
  return note(
    'fallocate',
    'not found: logs of instances cannot be cut short while they run',
    'install util-linux',
  );
}

async function checkNames(): Promise<Check> {
  const name = 'doctor.localhost';
  try {
    const { address } = await lookup(name);
    return ok('names', `${name} is ${address}`);
  } catch {
    return note(
      'names',
      `programs on this machine do not resolve ${name}; browsers and curl do it themselves`,
      'send the Host header to 127.0.0.1, or install libnss-myhostname',
    );
  }
}
