import type { Clock } from '../../kernel/clock.ts';
import { inheritedListeners, launchSupervisor, type SupervisorArguments } from '../launch.ts';

/** The next supervisor of an upgrade: the code that is on disk now, on the same listeners. */

const START_TIMEOUT_MS = 15_000;
/** The log, where a supervisor's own output goes. */
const STDERR = 2;

export interface Successor {
  /** It has asked for the home. */
  take(): void;
  outcome: Promise<'took-over' | 'failed'>;
}

export function launchSuccessor(
  program: string,
  args: SupervisorArguments,
  clock: Clock,
): Successor {
  const { promise, resolve } = Promise.withResolvers<'took-over' | 'failed'>();
  const taking = { ...args, takeOver: true };
  const next = launchSupervisor(program, taking, inheritedListeners(args), STDERR);
  next.on('error', () => resolve('failed'));
  next.on('exit', () => resolve('failed'));
  const deadline = clock.after(START_TIMEOUT_MS, () => {
    next.kill('SIGKILL');
    resolve('failed');
  });
  return {
    take: () => resolve('took-over'),
    outcome: promise.finally(() => deadline.cancel()),
  };
}
