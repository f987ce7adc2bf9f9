import { type Clock, systemClock } from '../../kernel/clock.ts';
import type { Log } from '../../kernel/log.ts';
import { DirectoryStore } from '../cache/disk/directory-store.ts';
import { completed } from '../earlier-snapshot.ts';
import type { SupervisorWatch } from '../supervisor-watch.ts';
import type { WorkerRecordFile } from '../worker-record.ts';
import { AccessLogFile } from './access-log-file.ts';
import { createEdgeWorker } from './edge-worker.ts';
import type { ReportExtent } from './report.ts';
import { type SupervisorLink, supervisorLink } from './supervisor-link.ts';

/** How often a worker reports on its own, when something has changed. */
const REPORT_MS = 100;

export interface RunWorkerOptions {
  /** The unix socket on which the supervisor waits for its workers. */
  linkPath: string;
  /** Unique among all workers that ever were: 16 hexadecimal digits. */
  name: string;
  generation: number;
  /** Listening sockets, inherited. */
  listenFds: number[];
  /** What it writes down for the time after it. */
  record: WorkerRecordFile;
  /** Called once for each supervisor that had answered and is gone; the worker serves on. */
  onSupervisorLost: () => void;
  /** Called on every connection to one. @param ask makes it say something */
  watchSupervisor: (ask: () => void) => SupervisorWatch;
  /** The file, shared by all workers. */
  accessLogPath: string;
  /** Of kept responses, shared by all workers. */
  cacheDirectory: string;
  log: Log;
  clock?: Clock;
}

/**
 * The life of a worker process: hello → welcome → it listens → ready → it serves → retire → it
 * drains → bye. Resolves after the bye, when the process may exit; rejects when it cannot listen.
 */
export async function runWorker(options: RunWorkerOptions): Promise<'drained' | 'cut-off'> {
  const clock = options.clock ?? systemClock;
  let link: SupervisorLink | null = null;
  let reportIsDue = false;

  const reportSoon = (): void => {
    if (reportIsDue) return;
    reportIsDue = true;
    // Behind the callback that ended the request, so that the report has its outcome.
    queueMicrotask(() => {
      reportIsDue = false;
      reportChanges(null);
    });
  };
  const { accessLogPath: path, log } = options;
  const worker = createEdgeWorker({
    clock,
    accessLog: new AccessLogFile({ path, clock, log }),
    cacheDisk(boundBytes) {
      const store = new DirectoryStore({
        directory: options.cacheDirectory,
        boundBytes,
        clock,
        onTrouble(trouble, detail) {
          log.warn({ trouble, detail }, 'the disk of the cache');
          link?.send({ kind: 'cache-disk', trouble, detail });
        },
      });
      void store.start();
      return store;
    },
    onCeiling(accepted) {
      options.record.raise(accepted);
      link?.send({ kind: 'ceiling', accepted });
    },
    onDrained: reportSoon,
    onWanted: reportSoon,
    onShare: (share) => options.record.share(share),
  });
  const reportChanges = (request: number | null, extent: ReportExtent = 'changes'): void => {
    // A report that nobody hears would take its changes with it.
    if (!link?.hears) return;
    link.send({ kind: 'report', report: worker.report(request, extent) });
  };

  let lastReported = '';
  const timer = clock.every(REPORT_MS, () => {
    const state = worker.activity();
    if (state === lastReported || !link?.hears) return;
    lastReported = state;
    reportChanges(null);
  });

  try {
    return await new Promise<'drained' | 'cut-off'>((resolve, reject) => {
      let welcomed = false;
      const listen = async (): Promise<void> => {
        for (const fd of options.listenFds) await worker.listen({ fd });
        link?.send({ kind: 'ready' });
        options.log.info({ generation: options.generation }, 'worker serves');
      };
      link = supervisorLink({
        path: options.linkPath,
        clock,
        hello: () => ({
          kind: 'hello',
          worker: options.name,
          pid: process.pid,
          generation: options.generation,
          snapshot: worker.snapshot,
          accepting: worker.accepting,
          report: worker.report(null, 'everything'),
          ceiling: worker.ceiling,
        }),
        onLost: options.onSupervisorLost,
        watch: options.watchSupervisor,
        onMessage(message) {
          switch (message.kind) {
            case 'welcome':
              if (message.snapshot !== null) worker.apply(completed(message.snapshot));
              worker.updateHealth(message.health);
              if (message.snapshot !== null) acknowledge();
              if (message.accept && !welcomed) {
                welcomed = true;
                listen().catch(reject);
              }
              return;
            case 'snapshot':
              worker.apply(completed(message.snapshot));
              acknowledge();
              return;
            case 'health':
              worker.updateHealth(message.health);
              return;
            case 'report-now':
              reportChanges(message.request, message.traffic ? 'changes-and-traffic' : 'changes');
              return;
            case 'merge':
              worker.merge(message.pools, message.environments);
              return;
            case 'peers':
              worker.setPeers(message.names.map((name) => options.record.peer(name)));
              return;
            case 'pong':
              return;
            case 'retire':
              worker.retire(message.drainMs, message.early).then(resolve, reject);
              return;
          }
        },
      });
      // What is inside each target comes first: who hears the ack may count on it.
      const acknowledge = (): void => {
        reportChanges(null);
        link?.send({ kind: 'ack', number: worker.snapshot });
      };
      link.start();
    });
  } finally {
    timer.cancel();
    const report = worker.report(null, 'everything');
    // Written as well as said, because nobody may be there to hear it.
    options.record.leave(report);
    await (link as SupervisorLink | null)?.close({ kind: 'bye', report });
    await worker.close();
  }
}
