import type { Clock } from '../kernel/clock.ts';
import type { Log } from '../kernel/log.ts';
import { killProcess, type ProcessIdentity } from './process-identity.ts';
import { readState } from './state-file.ts';

/**
 * A supervisor that hangs holds the lock of the home, so nobody can take its place while it lives.
 * Whoever is connected to it and has heard nothing from it for long, although it is spoken to, ends
 * it: traffic does not need it, and another takes over from what it kept
 * (docs/adr/0001-inherited-listeners.md).
 */

const TICK_PERIOD_MS = 1_000;
/** From so many silent ticks on, it is asked … */
const ASK_TICKS = 2;
/** … and after so many, it hangs. */
const HANG_TICKS = 10;

export interface SupervisorWatch {
  /** It has said something. */
  heard(): void;
  close(): void;
}

/**
 * From the moment a connection stands: its owner then is who the record names. Silence is counted in
 * the watcher's own ticks and not in time, so that a watcher, or a machine, that was itself
 * suspended takes nobody for hung.
 *
 * @param record the file in which the owner of the home names itself
 * @param ask makes it say something
 */
export function watchSupervisor(
  record: string,
  clock: Clock,
  log: Log,
  ask: () => void,
): SupervisorWatch {
  const owner = readState<ProcessIdentity>(record);
  let silentTicks = 0;
  const ticks = clock.every(TICK_PERIOD_MS, () => {
    silentTicks += 1;
    if (silentTicks >= ASK_TICKS) ask();
    if (silentTicks < HANG_TICKS || owner === null) return;
    log.warn({ supervisor: owner.pid }, 'the supervisor hangs; killing it');
    killProcess(owner);
  });
  return {
    heard() {
      silentTicks = 0;
    },
    close: () => ticks.cancel(),
  };
}
