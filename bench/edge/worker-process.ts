import { runWorker } from '../../src/edge/worker/worker.ts';
import { silentLog } from '../../src/kernel/log.ts';

/** A worker in a process of its own, started as the supervisor starts one: listener on fd 3. */
const linkPath = process.argv[2] ?? '';

await runWorker({
  linkPath,
  name: '0000000000000001',
  generation: 1,
  listenFds: [3],
  onSupervisorLost: () => process.exit(0),
  log: silentLog,
});
process.exit(0);
