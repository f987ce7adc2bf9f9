import { statSync } from 'node:fs';
import type { HeldSlot } from './held-slot.ts';

/**
 * Runs an instance's bootstrap and then becomes its program, under the process id that the runtime
 * knows from the start. Like the shim, it sees no word as text: it is told how many of its arguments
 * are the program's, which come first, and which the bootstrap's. Between the two it leaves an empty
 * file, whose time says how long the bootstrap took.
 */
const SCRIPT = [
  'BELAY_SHIM_DONE=$1',
  'BELAY_SHIM_PROGRAM=$2',
  'shift 2',
  '(shift "$BELAY_SHIM_PROGRAM"; exec "$@") || exit',
  ': >"$BELAY_SHIM_DONE"',
  'BELAY_SHIM_BOOTSTRAP=$(($# - BELAY_SHIM_PROGRAM))',
  'while [ "$BELAY_SHIM_PROGRAM" -gt 0 ]; do',
  '  set -- "$@" "$1"',
  '  shift',
  '  BELAY_SHIM_PROGRAM=$((BELAY_SHIM_PROGRAM - 1))',
  'done',
  'shift "$BELAY_SHIM_BOOTSTRAP"',
  'exec "$@"',
].join('\n');

/** The vector that runs the one and then the other. */
export const afterBootstrap = (
  bootstrap: readonly string[],
  program: readonly string[],
  doneFile: string,
): string[] => [
  ...['/bin/sh', '-c', SCRIPT, 'belay', doneFile, `${program.length}`],
  ...program,
  ...bootstrap,
];

/** How long the bootstrap took; null while it has not passed, and where there is none. */
export function readBootstrapMs({ record, bootstrapFile }: HeldSlot): number | null {
  if (record.spec.bootstrap === null) return null;
  const done = statSync(bootstrapFile, { throwIfNoEntry: false });
  return done ? Math.max(0, Math.round(done.mtimeMs) - record.startedAt) : null;
}
