import { systemClock } from '../../kernel/clock.ts';
import { messageOf } from '../../kernel/fault.ts';
import { connectControl } from '../control-connection.ts';
import { edgeHome } from '../home.ts';
import type { SupervisorArguments } from '../launch.ts';
import { edgeLog } from '../log.ts';
import { type Ownership, takeOwnership } from './ownership.ts';
import { Supervisor } from './supervisor.ts';

/** The supervisor as a process: becomes the owner of the home or exits, then supervises. */

/** From the old supervisor's promise to let go until it has. */
const TAKE_OVER_TIMEOUT_MS = 5_000;
const TAKE_OVER_POLL_MS = 2;

export async function runSupervisor(args: SupervisorArguments, program: string): Promise<void> {
  const log = edgeLog('supervisor', systemClock.now);
  const exit = () => process.exit(0);
  const ownership = await becomeOwner(args);
  if (!ownership) {
    log.info({}, 'another supervisor owns this home');
    return exit();
  }
  const supervisor = new Supervisor({ args, program, ownership, log, exit });
  process.on('SIGTERM', () => void supervisor.terminate());
  process.on('uncaughtException', (error) => {
    // The workers serve on, and start another supervisor.
    log.error({ error: messageOf(error), stack: error.stack }, 'supervisor failed');
    process.exit(1);
  });
  await supervisor.start();
}

async function becomeOwner(args: SupervisorArguments): Promise<Ownership | null> {
  const home = edgeHome(args.home);
  if (!args.takeOver) return takeOwnership(home.lock);
  const old = await connectControl(home.controlSocket, {
    onHeard: () => {},
    onEvent: () => {},
    onClose: () => {},
  });
  await old.request('hand-over', null);
  old.close();
  const deadline = systemClock.monotonic() + TAKE_OVER_TIMEOUT_MS;
  for (;;) {
    const ownership = takeOwnership(home.lock);
    if (ownership || systemClock.monotonic() > deadline) return ownership;
    await systemClock.sleep(TAKE_OVER_POLL_MS);
  }
}
