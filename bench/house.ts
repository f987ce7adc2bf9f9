import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** A Belay of the measurement's own, asked through its command line as people ask it. */

const BELAY = join(import.meta.dirname, '../bin/belay');
/** Nothing here takes longer, unless it hangs. */
const COMMAND_TIMEOUT_MS = 120_000;

export interface House {
  /** Runs `belay ARGUMENTS --json`; the last line of what it says. */
  belay(...args: string[]): Promise<unknown>;
  /** A folder of an application, with these files. */
  folder(name: string, files: Record<string, string>): string;
  /** Stops all of it and removes what it kept. */
  close(): Promise<void>;
}

export function openHouse(): House {
  const root = mkdtempSync(join(tmpdir(), 'bb-'));
  const env = { ...process.env, BELAY_HOME: join(root, 'home'), BELAY_HTTP: '0' };
  const belay = async (...args: string[]): Promise<unknown> => {
    const { stdout } = await promisify(execFile)(BELAY, [...args, '--json'], {
      env,
      cwd: root,
      timeout: COMMAND_TIMEOUT_MS,
      maxBuffer: 64 * 1024 * 1024,
    });
    return JSON.parse(stdout.trim().split('\n').at(-1) ?? 'null');
  };
  return {
    belay,
    folder(name, files) {
      const folder = join(root, name);
      mkdirSync(folder, { recursive: true });
      for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, file), text);
      return folder;
    },
    async close() {
      await belay('down', '--all', '--yes').catch(() => undefined);
      await belay('daemon', 'stop').catch(() => undefined);
      rmSync(root, { recursive: true, force: true });
    },
  };
}
