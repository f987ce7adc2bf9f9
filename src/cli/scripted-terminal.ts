import { PassThrough } from 'node:stream';
import { finished } from 'node:stream/promises';
import { type Clock, systemClock } from '../kernel/clock.ts';
import { runCli } from './cli.ts';
import type { ScriptedDaemon } from './scripted-daemon.ts';
import { NOW } from './scripted-views.ts';

/** For tests: runs a command line and keeps what it wrote. */

export interface Ended {
  code: number;
  out: string;
  err: string;
  /** The last line of stdout, parsed. */
  json: unknown;
}

export interface Terminal {
  isTTY?: boolean;
  environment?: Record<string, string>;
  input?: string;
  directory?: string;
  interrupt?: AbortSignal;
  /** The user leaves once this has been printed on stdout. */
  leaveAfter?: string;
  spawnDaemon?: () => void;
  /** Waiting takes no time. */
  instant?: boolean;
  /** What is on the terminal's keyboard once this has been printed. */
  keys?: { after: string; press: string };
}

/** Time goes on for waiting, and stands still for what is printed. */
const clock: Clock = { ...systemClock, now: () => NOW };

/** Waits for as long as the messages that are under way need, and no longer. */
const instantClock: Clock = {
  ...clock,
  async sleep(_, signal) {
    await new Promise((resolve) => setImmediate(resolve));
    return signal?.aborted ? 'aborted' : 'elapsed';
  },
};

export async function belay(
  daemon: Pick<ScriptedDaemon, 'home'>,
  argv: readonly string[],
  terminal: Terminal = {},
): Promise<Ended> {
  const leaving = new AbortController();
  const keyboard = { isTTY: terminal.isTTY ?? false, setRawMode() {} };
  const stdin = Object.assign(new PassThrough(), keyboard);
  const stdout = capture(terminal, (written) => {
    if (terminal.leaveAfter && written.includes(terminal.leaveAfter)) leaving.abort();
    if (terminal.keys && written.includes(terminal.keys.after)) stdin.write(terminal.keys.press);
  });
  const stderr = capture(terminal, () => {});
  if (!terminal.keys) stdin.end(terminal.input ?? '');
  const code = await runCli({
    argv,
    environment: terminal.environment ?? {},
    stdin,
    stdout: stdout.stream,
    stderr: stderr.stream,
    home: () => daemon.home,
    version: '0.1.0',
    spawnDaemon: terminal.spawnDaemon ?? (() => {}),
    directory: terminal.directory ?? daemon.home.root,
    clock: terminal.instant ? instantClock : clock,
    interrupt: terminal.interrupt ?? leaving.signal,
  });
  const [out, err] = await Promise.all([stdout.end(), stderr.end()]);
  return { code, out, err, json: lastJson(out) };
}

function capture({ isTTY = false }: Terminal, onWrite: (written: string) => void) {
  const stream = Object.assign(new PassThrough({ encoding: 'utf8' }), { isTTY, columns: 100 });
  let written = '';
  stream.on('data', (chunk: string) => {
    written += chunk;
    onWrite(written);
  });
  return {
    stream,
    async end() {
      stream.end();
      await finished(stream);
      return written;
    },
  };
}

function lastJson(out: string): unknown {
  try {
    return JSON.parse(out.trimEnd().split('\n').at(-1) ?? '');
  } catch {
    return undefined;
  }
}
