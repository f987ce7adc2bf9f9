import { Buffer } from 'node:buffer';
import { join, resolve } from 'node:path';
import { Fault } from '../kernel/fault.ts';

/** Everything Belay keeps lies below one directory, readable by its owner alone. */
export interface Home {
  root: string;
  /** The API's unix socket. */
  socket: string;
  database: string;
  daemonLog: string;
  versions: string;
  logs: string;
}

/** What a unix socket's address can hold on Linux, without the final NUL. */
const MAX_SOCKET_PATH_BYTES = 107;
/** The longest socket path below a home, so that a home too long is refused before anything starts. */
const LONGEST_SOCKET = 'edge/workers.sock.00000000';

/**
 * `$BELAY_HOME`, else `$XDG_STATE_HOME/belay`, else `~/.local/state/belay`.
 *
 * @throws `home-too-long`, `no-home`
 */
export function homeFrom(environment: Readonly<Record<string, string | undefined>>): Home {
  const root = rootFrom(environment);
  const bytes = Buffer.byteLength(join(root, LONGEST_SOCKET));
  if (bytes > MAX_SOCKET_PATH_BYTES) {
    const allowed = MAX_SOCKET_PATH_BYTES - LONGEST_SOCKET.length - 1;
    throw new Fault({
      code: 'home-too-long',
      message: `the path of Belay's home has ${Buffer.byteLength(root)} bytes; unix sockets leave room for ${allowed}`,
      subject: root,
      hint: 'set BELAY_HOME to a shorter path',
    });
  }
  return {
    root,
    socket: join(root, 'belay.sock'),
    database: join(root, 'belay.db'),
    daemonLog: join(root, 'daemon.log'),
    versions: join(root, 'versions'),
    logs: join(root, 'logs'),
  };
}

function rootFrom(environment: Readonly<Record<string, string | undefined>>): string {
  if (environment.BELAY_HOME) return resolve(environment.BELAY_HOME);
  if (environment.XDG_STATE_HOME) return resolve(environment.XDG_STATE_HOME, 'belay');
  if (environment.HOME) return resolve(environment.HOME, '.local/state/belay');
  throw new Fault({
    code: 'no-home',
    message: 'neither BELAY_HOME nor HOME is set, so there is no place to keep anything',
    hint: 'set BELAY_HOME to a directory of your own',
  });
}
