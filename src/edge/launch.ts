import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { edgeHome } from './home.ts';

/** What every process of one edge is told on its command line. */
export interface EdgeSetup {
  /** `$BELAY_HOME`. */
  home: string;
  /** In the order of the descriptors, which begin at 3. */
  listeners: { host: string; port: number }[];
}

export interface SupervisorArguments extends EdgeSetup {
  /** Take the home over from the supervisor that owns it: an upgrade. */
  takeOver: boolean;
}

export interface WorkerArguments extends EdgeSetup {
  name: string;
  generation: number;
}

/** 0 to 2 are the standard streams. */
const FIRST_LISTEN_DESCRIPTOR = 3;
const COMPILE_TIMEOUT_MS = 10_000;
/** The edge needs nothing else from where it is started, and must not leak it to a log. */
const INHERITED_VARIABLES = ['PATH', 'HOME', 'TMPDIR', 'TZ', 'LANG'];

/**
 * Loads all code of the edge once and keeps it compiled, before a first start in a home: a process
 * that finds even one file uncompiled loads Node's type stripper, and never gives its 30 MB back.
 * Resolves when it is done, or was not to be done: the edge starts without it too.
 */
export async function compileCode(program: string, home: string): Promise<void> {
  const { code } = edgeHome(home);
  if (existsSync(code)) return;
  const child = spawn(process.execPath, [program, 'compile'], {
    stdio: 'ignore',
    timeout: COMPILE_TIMEOUT_MS,
    ...surroundings({ home }),
  });
  await once(child, 'exit').catch(() => {});
}

/** The descriptors of the listeners in a process that was started here. */
export function inheritedListeners({ listeners }: EdgeSetup): number[] {
  return listeners.map((_, index) => FIRST_LISTEN_DESCRIPTOR + index);
}

/**
 * Starts a supervisor in a session of its own, which outlives the caller.
 *
 * @param logDescriptor where its output goes
 */
export function launchSupervisor(
  program: string,
  args: SupervisorArguments,
  listenDescriptors: number[],
  logDescriptor: number,
): ChildProcess {
  const child = spawn(process.execPath, [program, 'supervisor', JSON.stringify(args)], {
    stdio: ['ignore', logDescriptor, logDescriptor, ...listenDescriptors],
    detached: true,
    ...surroundings(args),
  });
  child.unref();
  return child;
}

export function launchWorker(
  program: string,
  args: WorkerArguments,
  listenDescriptors: number[],
): ChildProcess {
  const child = spawn(process.execPath, [program, 'worker', JSON.stringify(args)], {
    stdio: ['ignore', 'inherit', 'inherit', ...listenDescriptors],
    ...surroundings(args),
  });
  child.unref();
  return child;
}

function surroundings({ home }: Pick<EdgeSetup, 'home'>): { cwd: string; env: NodeJS.ProcessEnv } {
  const env: NodeJS.ProcessEnv = { NODE_COMPILE_CACHE: edgeHome(home).code };
  for (const name of INHERITED_VARIABLES) {
    if (process.env[name] !== undefined) env[name] = process.env[name];
  }
  return { cwd: '/', env };
}
