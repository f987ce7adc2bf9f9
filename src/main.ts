import { spawn, spawnSync } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { homeFrom } from './model/home.ts';

/**
 * The program: the daemon when told to run it (or only to load and keep its code), the command line
 * otherwise.
 */

const VERSION = '0.1.0';
/** V8's own choice grows to 16 MB at the start and never shrinks; an idle daemon has no use for it. */
const YOUNG_HEAP_MB = 1;
const [family, command] = process.argv.slice(2);

enableCompileCache();
if (family === 'daemon' && command === 'run') {
  const { runDaemon } = await import('./daemon.ts');
  await runDaemon(VERSION);
} else if (family === 'daemon' && command === 'compile') {
  await import('./daemon.ts');
} else {
  const { runCli } = await import('./cli/cli.ts');
  // A reader that has seen enough, such as `head`, is not an error.
  process.stdout.on('error', (fault: NodeJS.ErrnoException) => {
    if (fault.code === 'EPIPE') process.exit();
    throw fault;
  });
  process.exitCode = await runCli({
    argv: process.argv.slice(2),
    environment: process.env,
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    home: () => homeFrom(process.env),
    version: VERSION,
    spawnDaemon,
  });
}

/** A daemon of its own session, which outlives the terminal; what it says before it has a log is kept. */
function spawnDaemon(): void {
  const home = homeFrom(process.env);
  mkdirSync(home.root, { recursive: true, mode: 0o700 });
  const output = openSync(home.daemonLog, 'a', 0o600);
  const self = fileURLToPath(import.meta.url);
  // From the first file on: `enableCompileCache` comes too late for this one, and one is enough to
  // load the stripper of types, which takes more memory than all else that the daemon loads.
  const code = join(home.root, 'code');
  const env = { NODE_COMPILE_CACHE: code, ...process.env };
  if (!existsSync(code)) {
    spawnSync(process.execPath, [self, 'daemon', 'compile'], { env, stdio: 'ignore' });
  }
  spawn(process.execPath, [`--max-semi-space-size=${YOUNG_HEAP_MB}`, self, 'daemon', 'run'], {
    detached: true,
    cwd: home.root,
    env,
    stdio: ['ignore', output, output],
  }).unref();
  closeSync(output);
}
