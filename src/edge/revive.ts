import type { ChildProcess } from 'node:child_process';
import { existsSync, fstatSync } from 'node:fs';
import { connect } from 'node:net';
import { type Clock, systemClock } from '../kernel/clock.ts';
import type { Log } from '../kernel/log.ts';
import { type EdgeHome, edgeHome } from './home.ts';
import { type EdgeSetup, inheritedListeners, launchSupervisor } from './launch.ts';

/** Whoever starts a supervisor ends it, if it has not come to answer by then. */
const START_TIMEOUT_MS = 15_000;
/** A supervisor that hands over is followed by the next within it. */
const SUCCESSION_MS = 50;
/**
 * How often a worker looks whether there is a supervisor at all: one that was never welcomed loses
 * none, yet it holds the port, and must not be what keeps everybody else from it.
 */
const LOOK_PERIOD_MS = 2_000;

/**
 * What a worker does when it has lost its supervisor: it starts another and gives it the listeners.
 * Every worker does; the lock on the home lets one of those supervisors live. Returns what to call
 * when a supervisor is lost, so that the next look need not be waited for.
 */
export function supervisorReviver(
  setup: EdgeSetup,
  program: string,
  log: Log,
  clock: Clock = systemClock,
): () => void {
  const home = edgeHome(setup.home);
  const descriptors = inheritedListeners(setup);
  const sockets = descriptors.map(socketBehind);
  /** The supervisor that was started here, until it has answered or ended. */
  let started: ChildProcess | null = null;
  let startDeadlineMs = 0;

  const revive = async (): Promise<void> => {
    await clock.sleep(SUCCESSION_MS);
    if (!existsSync(home.directory)) {
      log.error({ home: setup.home }, 'the home is gone; ending');
      process.exit(0);
    }
    if (await answers(home)) {
      started = null;
      return;
    }
    if (started) {
      if (clock.monotonic() > startDeadlineMs) started.kill('SIGKILL');
      return;
    }
    // A worker that retires has closed its listeners, and their numbers may be anything by now.
    if (descriptors.some((descriptor, index) => socketBehind(descriptor) !== sockets[index]))
      return;
    log.warn({}, 'the supervisor is gone; starting another');
    const { home: homePath, listeners } = setup;
    const args = { home: homePath, listeners, takeOver: false };
    const supervisor = launchSupervisor(program, args, descriptors, 2);
    started = supervisor;
    startDeadlineMs = clock.monotonic() + START_TIMEOUT_MS;
    supervisor.on('error', (error) =>
      log.error({ error: error.message }, 'cannot start a supervisor'),
    );
    supervisor.on('exit', () => {
      if (started === supervisor) started = null;
    });
  };
  clock.every(LOOK_PERIOD_MS, () => void revive());
  return () => void revive();
}

/** Which socket a descriptor stands for; null when it is closed. */
function socketBehind(descriptor: number): number | null {
  try {
    return fstatSync(descriptor).ino;
  } catch {
    return null;
  }
}

function answers(home: EdgeHome): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(home.controlSocket);
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}
