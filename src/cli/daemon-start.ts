import { accessSync, constants, existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { Fault, messageOf, systemCode } from '../kernel/fault.ts';
import type { DaemonView } from '../model/view.ts';
import type { Context } from './context.ts';
import { InputFault } from './exit-code.ts';

/** Finding the daemon, and starting one where there is none. */

const START_TIMEOUT_MS = 15_000;
const POLL_MS = 50;
const LOG_LINES = 20;

export interface RunningDaemon {
  view: DaemonView;
  /** It was started by this call. */
  started: boolean;
}

/** @throws `home-not-writable`, `daemon-did-not-start` with the end of its log */
export async function ensureDaemon(context: Context): Promise<RunningDaemon> {
  const running = await findDaemon(context);
  if (running) return { view: running, started: false };
  prepareHome(context.home().root);
  const logStart = sizeOf(context.home().daemonLog);
  context.spawnDaemon();
  return { view: await waitForDaemon(context, logStart), started: true };
}

/** The daemon that answers, or null. */
export async function findDaemon(context: Context): Promise<DaemonView | null> {
  try {
    return await context.client().call('daemon');
  } catch (thrown) {
    if (thrown instanceof Fault && thrown.code === 'daemon-unreachable') return null;
    throw thrown;
  }
}

/** Told here, where somebody reads it, and not in a log of a program that never came up. */
function prepareHome(root: string): void {
  try {
    mkdirSync(root, { recursive: true, mode: 0o700 });
    accessSync(root, constants.W_OK | constants.X_OK);
  } catch (cause) {
    throw new InputFault({
      code: 'home-not-writable',
      message: `Belay's home cannot be written: ${whyNot(cause)}`,
      subject: root,
      hint: 'set BELAY_HOME to a directory that this user may write',
      cause,
    });
  }
}

/** The system's codes, as far as people meet them, in words. */
function whyNot(cause: unknown): string {
  const code = systemCode(cause);
  if (code === 'EEXIST') return 'there is a file in its place';
  if (code === 'ENOTDIR') return 'a directory above it is a file';
  if (code === 'EACCES' || code === 'EPERM') return 'this user has no permission';
  if (code === 'EROFS') return 'its file system is read-only';
  if (code === 'ENOSPC' || code === 'EDQUOT') return 'the disk is full';
  return messageOf(cause);
}

async function waitForDaemon(context: Context, logStart: number): Promise<DaemonView> {
  const { clock, interrupt } = context;
  const deadline = clock.monotonic() + START_TIMEOUT_MS;
  for (;;) {
    const view = await findDaemon(context);
    if (view) return view;
    const failure = startFailure(context.home().daemonLog, logStart);
    if (failure) throw failedWith(context, failure);
    if (clock.monotonic() >= deadline) {
      throw didNotStart(context, `it did not answer within ${START_TIMEOUT_MS / 1000} s`, logStart);
    }
    if ((await clock.sleep(POLL_MS, interrupt)) === 'aborted') {
      throw new Fault({
        code: 'interrupted',
        message: 'interrupted while the daemon was starting',
      });
    }
  }
}

/** pino's number for a program that cannot go on. */
const FATAL_LEVEL = 60;

interface LogEntry {
  level: number;
  msg: string;
  code: string | null;
  subject: string | null;
  hint: string | null;
}

/** What a daemon that cannot start ends with, so that nobody waits for nothing. */
function startFailure(path: string, from: number): LogEntry | null {
  const lines = linesOf(path, from).reverse();
  const entry = lines.map(parseEntry).find((each) => each && each.level >= FATAL_LEVEL);
  // Of two daemons that start at once, one finds the home in use; the other will answer.
  if (entry) return entry.code === 'home-in-use' ? null : entry;
  // Node's own last line, after an exception that nobody caught.
  if (!/^Node\.js v\d/.test(lines[0] ?? '')) return null;
  const error = lines.find((line) => /^\w*Error\b/.test(line)) ?? 'it ended with an exception';
  return { level: FATAL_LEVEL, msg: error, code: null, subject: null, hint: null };
}

function parseEntry(line: string): LogEntry | null {
  try {
    const entry = JSON.parse(line) as Partial<LogEntry> | null;
    if (typeof entry?.level !== 'number') return null;
    const { level, msg = 'no reason was given', code = null, subject = null, hint = null } = entry;
    return { level, msg, code, subject, hint };
  } catch {
    return null;
  }
}

function failedWith(context: Context, { msg, code, subject, hint }: LogEntry): Fault {
  return new Fault({
    code: code ?? 'daemon-did-not-start',
    message: `the daemon did not start: ${msg}`,

    subject: subject ?? context.home().daemonLog,
    hint: hint ?? 'see what is wrong with: belay doctor',
  });
}

function didNotStart(context: Context, why: string, logStart: number): Fault {
  const { daemonLog } = context.home();
  const tail = linesOf(daemonLog, logStart).slice(-LOG_LINES);
  return new Fault({
    code: 'daemon-did-not-start',
    message: [`the daemon did not start: ${why}`, ...tail].join('\n'),
    subject: daemonLog,
    hint: 'see what is wrong with: belay doctor',
    details: { log: tail },
  });
}

function linesOf(path: string, from: number): string[] {
  if (!existsSync(path)) return [];
  return readFileSync(path).subarray(from).toString('utf8').split('\n').filter(Boolean);
}

const sizeOf = (path: string): number => (existsSync(path) ? statSync(path).size : 0);
