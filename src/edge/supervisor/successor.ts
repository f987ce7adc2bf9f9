import type { Clock } from '../../kernel/clock.ts';
import { inheritedListeners, launchSupervisor, type SupervisorArguments } from '../launch.ts';

/** The next supervisor of an upgrade: the code that is on disk now, on the same listeners. */

const START_TIMEOUT_MS = 15_000;
/** The log, where a supervisor's own output goes. */
const STDERR = 2;

export interface Successor {
  /** It is given the home. `late`: nobody waits for it any more, or it has ended. */
  take(): 'in-time' | 'late';
  outcome: Promise<'took-over' | 'failed'>;
}

export function launchSuccessor(
  program: string,
  args: SupervisorArguments,
  clock: Clock,
): Successor {
  const { promise, resolve } = Promise.withResolvers<'took-over' | 'failed'>();
  let hasFailed = false;
  const fail = () => {
    hasFailed = true;
    resolve('failed');
  };
  const taking = { ...args, takeOver: true };
  const next = launchSupervisor(program, taking, inheritedListeners(args), STDERR);
  next.on('error', fail);
  next.on('exit', fail);
  const deadline = clock.after(START_TIMEOUT_MS, () => {
    next.kill('SIGKILL');
    fail();
  });
  return {
    take() {
      resolve('took-over');
      return hasFailed ? 'late' : 'in-time';
    },
    outcome: promise.finally(() => deadline.cancel()),
  };
}
