import { flushCompileCache } from 'node:module';
import { systemClock } from '../kernel/clock.ts';
import { edgeHome } from './home.ts';
import { inheritedListeners, type SupervisorArguments, type WorkerArguments } from './launch.ts';
import { edgeLog } from './log.ts';
import { identityOf } from './process-identity.ts';
import { supervisorReviver } from './revive.ts';
import { watchSupervisor } from './supervisor-watch.ts';
import { keepWorkerRecord } from './worker-record.ts';

/**
 * The edge's entry: `main.ts supervisor|worker ARGUMENTS`, started by the edge itself and by its
 * driver, with listening descriptors from 3 up. Each role loads only what it needs; `compile` loads
 * all and ends.
 */

const [program = '', role, json = '{}'] = process.argv.slice(1);

// Sockets and state are for the owner alone.
process.umask(0o077);
process.title = `belay edge ${role}`;

if (role === 'supervisor') await supervise(JSON.parse(json) as SupervisorArguments);
else if (role === 'worker') await work(JSON.parse(json) as WorkerArguments);
else if (role === 'compile') await loadEverything();
else {
  process.stderr.write('usage: main.ts supervisor|worker ARGUMENTS, or compile\n');
  process.exitCode = 64;
}

async function supervise(args: SupervisorArguments): Promise<void> {
  const { runSupervisor } = await import('./supervisor/run-supervisor.ts');
  keepCompiledCode();
  await runSupervisor(args, program);
}

async function work(args: WorkerArguments): Promise<void> {
  const { runWorker } = await import('./worker/worker.ts');
  keepCompiledCode();
  const log = edgeLog('worker', systemClock.now);
  // Whoever ends the whole group at once means an orderly end, and that is the supervisor's to lead.
  process.on('SIGTERM', () => log.info({}, 'a worker ends when its supervisor says so'));
  const { name, generation } = args;
  const home = edgeHome(args.home);
  const identity = { name, process: identityOf(process.pid), generation };
  await runWorker({
    linkPath: home.workersSocket,
    name,
    generation,
    listenFds: inheritedListeners(args),
    record: keepWorkerRecord(home.workers, identity, log),
    onSupervisorLost: supervisorReviver(args, program, log),
    watchSupervisor: (ask) => watchSupervisor(home.supervisor, systemClock, log, ask),
    accessLogPath: home.accessLog,
    cacheDirectory: home.cache,
    log,
  });
  process.exit(0);
}

/** Node keeps what was loaded when the process ends. */
async function loadEverything(): Promise<void> {
  await import('./supervisor/run-supervisor.ts');
  await import('./worker/worker.ts');
}

/** Now, and not at the exit: these processes run until somebody kills them. */
function keepCompiledCode(): void {
  flushCompileCache();
}
