import type { Clock } from '../../kernel/clock.ts';
import type { Log } from '../../kernel/log.ts';
import { isAlive, killProcess } from '../process-identity.ts';
import type { FleetWorker } from './fleet-worker.ts';

/** Deadlines for workers, and finding out that they have ended. */

const DEATH_POLL_MS = 20;

export interface Patience {
  /** Kills the worker then, unless it is forgiven; replaces an earlier deadline. */
  killAfter(worker: FleetWorker, delayMs: number, cause: string): void;
  kill(worker: FleetWorker, cause: string): void;
  forgive(worker: FleetWorker): void;
  /** Looks for the end of a process that we did not start, and that nobody announces. */
  watch(worker: FleetWorker): void;
  /** The worker has a link again: its end will show there. */
  unwatch(worker: FleetWorker): void;
  /** It has ended, or is somebody else's: neither deadline nor watch. */
  forget(worker: FleetWorker): void;
}

export function patience(clock: Clock, log: Log, onEnd: (worker: FleetWorker) => void): Patience {
  const self: Patience = {
    killAfter(worker, delayMs, cause) {
      self.forgive(worker);
      worker.deadline = clock.after(delayMs, () => self.kill(worker, cause));
    },
    kill(worker, cause) {
      log.warn({ worker: worker.identity.process.pid, cause }, 'killing a worker');
      killProcess(worker.identity.process);
      self.watch(worker);
    },
    forgive(worker) {
      worker.deadline?.cancel();
      worker.deadline = null;
    },
    watch(worker) {
      // A child tells of its end itself, and how it came.
      if (worker.watch || worker.child) return;
      const look = () => {
        worker.watch = null;
        if (!isAlive(worker.identity.process)) onEnd(worker);
        else worker.watch = clock.after(DEATH_POLL_MS, look);
      };
      look();
    },
    unwatch(worker) {
      worker.watch?.cancel();
      worker.watch = null;
    },
    forget(worker) {
      self.forgive(worker);
      self.unwatch(worker);
    },
  };
  return self;
}
