import { dirname } from 'node:path';
import { systemClock } from '../../kernel/clock.ts';
import { silentLog } from '../../kernel/log.ts';
import { identityOf } from '../process-identity.ts';
import { watchSupervisor } from '../supervisor-watch.ts';
import { keepWorkerRecord } from '../worker-record.ts';
import { runWorker } from './worker.ts';

/**
 * A worker in a process of its own, started as the supervisor starts one, listener on descriptor 3:
 * for the tests of `runWorker` and for the bench. Says `lost` where a real one would start a new
 * supervisor.
 */
const [, , linkPath = '', name = ''] = process.argv;

process.on('SIGTERM', () => process.exit(0));
const identity = { name, process: identityOf(process.pid), generation: 1 };
const outcome = await runWorker({
  linkPath,
  name,
  generation: 1,
  listenFds: [3],
  record: keepWorkerRecord(dirname(linkPath), identity, silentLog),
  onSupervisorLost: () => process.stdout.write('lost\n'),
  // The supervisors of tests own no home, so there is nobody to end.
  watchSupervisor: (ask) => watchSupervisor(`${linkPath}.owner`, systemClock, silentLog, ask),
  accessLogPath: `${linkPath}.access.log`,
  cacheDirectory: `${linkPath}.cache`,
  log: silentLog,
});
process.stdout.write(`${outcome}\n`);
process.exit(0);
