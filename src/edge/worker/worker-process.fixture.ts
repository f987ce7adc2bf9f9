import { silentLog } from '../../kernel/log.ts';
import { runWorker } from './worker.ts';

/**
 * A worker in a process of its own, started as the supervisor starts one, listener on descriptor 3:
 * for the tests of `runWorker` and for the bench. Says `lost` where a real one would start a new
 * supervisor.
 */
const [, , linkPath = '', name = ''] = process.argv;

process.on('SIGTERM', () => process.exit(0));
const outcome = await runWorker({
  linkPath,
  name,
  generation: 1,
  listenFds: [3],
  onSupervisorLost: () => process.stdout.write('lost\n'),
  log: silentLog,
});
process.stdout.write(`${outcome}\n`);
process.exit(0);
