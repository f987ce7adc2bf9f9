import { join } from 'node:path';
import { Fault } from '../kernel/fault.ts';

/** Where the edge keeps what it must find again: `$BELAY_HOME/edge`. */
export interface EdgeHome {
  directory: string;
  /** Control plane to supervisor. */
  controlSocket: string;
  /** Workers to supervisor. */
  workersSocket: string;
  /** Locked by the one supervisor that owns this home, for as long as it lives. */
  lock: string;
  /** The supervisor's process and what it was started for. */
  supervisor: string;
  snapshot: string;
  health: string;
  /** What ended workers have counted. */
  ledger: string;
  /** What living workers have counted, as of the last second. */
  living: string;
  /** What each worker writes down itself. */
  workers: string;
  log: string;
  /** Requests, where the settings ask for it. Not in `logs/`: an application may be called `edge`. */
  accessLog: string;
  /** Kept responses, shared by all workers. */
  cache: string;
  /** Compiled code: an edge process starts in two thirds of the time, and takes 30 MB less. */
  code: string;
}

/** `sun_path` holds 108 bytes, the last of them NUL. */
const MAX_SOCKET_PATH_BYTES = 107;

/** @throws `path-too-long` when a socket could not be made there */
export function edgeHome(home: string): EdgeHome {
  const directory = join(home, 'edge');
  const workersSocket = join(directory, 'workers.sock');
  const sizeBytes = Buffer.byteLength(workersSocket);
  if (sizeBytes > MAX_SOCKET_PATH_BYTES) {
    throw new Fault({
      code: 'path-too-long',
      message: `the socket ${workersSocket} would have a path of ${sizeBytes} bytes; the system allows ${MAX_SOCKET_PATH_BYTES}`,
      subject: workersSocket,
      hint: 'set BELAY_HOME to a shorter path',
    });
  }
  return {
    directory,
    controlSocket: join(directory, 'control.sock'),
    workersSocket,
    lock: join(directory, 'owner.lock'),
    supervisor: join(directory, 'supervisor.json'),
    snapshot: join(directory, 'snapshot.json'),
    health: join(directory, 'health.json'),
    ledger: join(directory, 'ledger.json'),
    living: join(directory, 'living.json'),
    workers: join(directory, 'workers'),
    log: join(directory, 'edge.log'),
    accessLog: join(directory, 'access.log'),
    cache: join(directory, 'cache'),
    code: join(directory, 'code'),
  };
}
