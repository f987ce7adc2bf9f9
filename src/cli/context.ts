import type { Readable } from 'node:stream';
import { type Client, createClient } from '../api/client.ts';
import { type Clock, systemClock } from '../kernel/clock.ts';
import type { Home } from '../model/home.ts';
import { type Output, type OutputStream, output } from './output.ts';

/** What the program hands to the command line: everything it may touch of the world. */
export interface CliInput {
  /** Arguments without the program's own two: `process.argv.slice(2)`. */
  argv: readonly string[];
  environment: Readonly<Record<string, string | undefined>>;
  stdin: Readable & { isTTY?: boolean; setRawMode?(raw: boolean): unknown };
  stdout: OutputStream;
  stderr: OutputStream;
  /** Called by commands that need it, so that help works without a home. */
  home: () => Home;
  /** Belay's own version. */
  version: string;
  /** Starts a daemon, detached, its log in `home().daemonLog`; returns at once. */
  spawnDaemon: () => void;
  /** Where relative paths start; the process's own directory when left out. */
  directory?: string;
  clock?: Clock;
  /** Aborted when the user interrupts; SIGINT and SIGTERM of the process when left out. */
  interrupt?: AbortSignal;
}

/** What every command works with. */
export interface Context {
  readonly environment: CliInput['environment'];
  readonly directory: string;
  readonly version: string;
  readonly clock: Clock;
  readonly interrupt: AbortSignal;
  readonly stdin: CliInput['stdin'];
  /** Data. */
  readonly stdout: Output;
  /** Progress, questions and faults. */
  readonly stderr: Output;
  readonly json: boolean;
  home(): Home;
  client(): Client;
  spawnDaemon(): void;
}

export function createContext(input: CliInput, interrupt: AbortSignal, json: boolean): Context {
  let client: Client | null = null;
  return {
    environment: input.environment,
    directory: input.directory ?? process.cwd(),
    version: input.version,
    clock: input.clock ?? systemClock,
    interrupt,
    stdin: input.stdin,
    stdout: output(input.stdout, input.environment),
    stderr: output(input.stderr, input.environment),
    json,
    home: input.home,
    client() {
      client ??= createClient(input.home().socket);
      return client;
    },
    spawnDaemon: input.spawnDaemon,
  };
}

/** The one answer of a command: a line of JSON for scripts, or text for people. */
export function answer(context: Context, value: unknown, lines: () => readonly string[]): void {
  if (context.json) context.stdout.line(JSON.stringify(value));
  else for (const line of lines()) context.stdout.folded(line);
}
