import { hash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { randomHex } from '../../../kernel/random.ts';
import { identityOf, isAlive, type ProcessIdentity } from '../../process-identity.ts';

/**
 * What lies where in the shared directory:
 *
 *     3f/a27b…          kept responses, named by a hash of their keys
 *     writing/812-99-…/ what one store of one process is writing; named so that nobody takes it from
 *                       a living one, and says who there is
 *     account           how much there is
 */

const WRITING = 'writing';
const ACCOUNT = 'account';
/** Of 256 bits: nobody finds two keys with the same, and who did would gain nothing. */
const NAME_DIGITS = 40;
export const OWNER_ONLY = 0o700;

/** Of one store in one process. */
export class Places {
  readonly directory: string;
  readonly account: string;
  /** Its own, for what it writes. */
  readonly writing: string;
  readonly #name: string;
  #written = 0;

  constructor(directory: string) {
    const { pid, startTicks } = identityOf(process.pid);
    this.directory = directory;
    this.#name = `${pid}-${startTicks ?? ''}-${randomHex(8)}`;
    this.account = join(directory, ACCOUNT);
    this.writing = join(directory, WRITING, this.#name);
  }

  /** Makes what has to be there. */
  async prepare(): Promise<void> {
    await mkdir(this.writing, { recursive: true, mode: OWNER_ONLY });
  }

  ofKey(key: string): string {
    const name = hash('sha256', key).slice(0, NAME_DIGITS);
    return join(this.directory, name.slice(0, 2), name.slice(2));
  }

  /** A name that nothing has had. */
  nextWritten(): string {
    this.#written += 1;
    return join(this.writing, String(this.#written));
  }

  /** Removes what processes that are gone have left half written. */
  async sweep(): Promise<void> {
    for (const name of writersIn(this.directory)) {
      if (isAlive(ownerOf(name))) continue;
      await rm(join(this.directory, WRITING, name), { recursive: true, force: true });
    }
  }

  /** Of all stores, this is the one whose process has run for longest: all come to the same answer. */
  isEldest(): boolean {
    const living = writersIn(this.directory).filter((name) => isAlive(ownerOf(name)));
    return living.sort(byAge)[0] === this.#name;
  }

  async leave(): Promise<void> {
    await rm(this.writing, { recursive: true, force: true });
  }
}

/** The directories of responses, by path. */
export function shardsIn(directory: string): string[] {
  return namesIn(directory)
    .filter((name) => /^[0-9a-f]{2}$/.test(name))
    .map((name) => join(directory, name));
}

/** The directories of what is being written, by path. */
export function writingIn(directory: string): string[] {
  return writersIn(directory).map((name) => join(directory, WRITING, name));
}

const writersIn = (directory: string): string[] => namesIn(join(directory, WRITING));

/** Empty where there is no such directory, or none that can be read. */
export function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

function ownerOf(name: string): ProcessIdentity {
  const [pid, startTicks] = name.split('-');
  return { pid: Number(pid), startTicks: startTicks ? Number(startTicks) : null };
}

function byAge(one: string, other: string): number {
  const [left, right] = [ownerOf(one), ownerOf(other)];
  return (
    (left.startTicks ?? 0) - (right.startTicks ?? 0) ||
    left.pid - right.pid ||
    (one < other ? -1 : 1)
  );
}
