import { closeSync, openSync, readdirSync, readSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf, systemCode } from '../kernel/fault.ts';
import type { Log } from '../kernel/log.ts';
import type { WorkerReport } from './link.ts';
import type { ProcessIdentity } from './process-identity.ts';
import { readState, writeState } from './state-file.ts';

/**
 * What every worker keeps in a file of its own, for whoever has to account for it once it is gone:
 * nobody may have been there to hear it (docs/adr/0005-the-account-after-a-kill.md). What a process
 * has written survives it, however it ends.
 */

/** Which worker it is. */
export interface WorkerIdentity {
  /** Unique among all workers there ever were. */
  name: string;
  process: ProcessIdentity;
  generation: number;
}

/** What a worker has of all the connections, as it tells the workers beside it. */
export interface ConnectionShare {
  connections: number;
  /** It takes new ones; not so while it waits for others to catch up. */
  accepts: boolean;
  /** When it said so: milliseconds since the epoch. */
  at: number;
}

export interface WorkerRecord {
  /** Connections, 1 or 0 for whether it accepts, and when it said so. */
  share: [number, number, number];
  worker: WorkerIdentity;
  /** It has accepted no more requests than that. */
  ceiling: number;
  /** Everything it has counted; null until it has left in an orderly way. */
  last: WorkerReport | null;
}

/** The worker's own end. */
export interface WorkerRecordFile {
  /** It is about to accept more requests than it has said, up to so many. */
  raise(ceiling: number): void;
  /** What it has of the connections now. */
  share(share: ConnectionShare): void;
  /** It accepts and serves no more: this is all. */
  leave(last: WorkerReport): void;
  /** Looks at what another worker says of its share. */
  peer(name: string): PeerShare;
}

/** What another worker says of its share. */
export interface PeerShare {
  /** Null when nothing can be read. */
  read(): ConnectionShare | null;
  close(): void;
}

const SUFFIX = '.json';
/** Digits of the largest safe integer: the text keeps its length, so that it is written in place. */
const CEILING_DIGITS = 16;
/** The same for the share, which begins every record. */
const BEFORE_SHARE = '{"share":';
const SHARE_DIGITS = [8, 1, 15] as const;
const SHARE_LENGTH = `[${SHARE_DIGITS.map((digits) => ' '.repeat(digits)).join()}]`.length;

/** Begins the record of the calling process. A full disk does not keep a worker from serving. */
export function keepWorkerRecord(
  directory: string,
  worker: WorkerIdentity,
  log: Log,
): WorkerRecordFile {
  const path = join(directory, `${worker.name}${SUFFIX}`);
  let descriptor: number | null = null;
  let ceiling = 0;
  let left = false;
  let share = shareText({ connections: 0, accepts: true, at: 0 });

  const keep = (write: () => void): void => {
    try {
      write();
    } catch (thrown) {
      if (systemCode(thrown) === undefined) throw thrown;
      log.error({ path, error: messageOf(thrown) }, 'cannot keep the record of a worker');
    }
  };
  const text = (last: WorkerReport | null): string =>
    `${BEFORE_SHARE}${share},"worker":${JSON.stringify(worker)},"ceiling":${String(ceiling).padStart(CEILING_DIGITS)},"last":${JSON.stringify(last)}}`;
  const write = (): void => {
    if (descriptor === null) {
      // Whole from its first moment, for a supervisor that looks just then.
      writeState(path, text(null));
      descriptor = openSync(path, 'r+');
    } else {
      writeSync(descriptor, text(null), 0);
    }
  };

  keep(write);
  return {
    raise(next) {
      ceiling = next;
      keep(write);
    },
    share(next) {
      share = shareText(next);
      keep(() => {
        if (descriptor !== null && !left) writeSync(descriptor, share, BEFORE_SHARE.length);
      });
    },
    peer: (name) => peerShare(join(directory, `${name}${SUFFIX}`)),
    leave(last) {
      keep(() => {
        writeState(path, text(last));
        if (descriptor !== null) closeSync(descriptor);
        left = true;
      });
    },
  };
}

function shareText({ connections, accepts, at }: ConnectionShare): string {
  const numbers = [connections, accepts ? 1 : 0, at];
  return `[${numbers.map((each, i) => String(each).padStart(SHARE_DIGITS[i] ?? 0)).join()}]`;
}

function peerShare(path: string): PeerShare {
  const bytes = Buffer.alloc(SHARE_LENGTH);
  let descriptor: number | null = null;
  return {
    read() {
      try {
        descriptor ??= openSync(path, 'r');
        if (readSync(descriptor, bytes, 0, SHARE_LENGTH, BEFORE_SHARE.length) < SHARE_LENGTH) {
          return null;
        }
        const [connections, accepts, at] = JSON.parse(bytes.toString()) as WorkerRecord['share'];
        return { connections, accepts: accepts === 1, at };
      } catch {
        // It keeps no record, or an earlier release of the edge wrote it: nothing is expected of it.
        return null;
      }
    },
    close() {
      if (descriptor !== null) closeSync(descriptor);
      descriptor = null;
    },
  };
}

/** Null when it kept none. */
export function readWorkerRecord(directory: string, name: string): WorkerRecord | null {
  return readState<WorkerRecord>(join(directory, `${name}${SUFFIX}`));
}

/** Of every worker whose record has not been removed. */
export function readWorkerRecords(directory: string): WorkerRecord[] {
  return namesIn(directory).flatMap((name) => readWorkerRecord(directory, name) ?? []);
}

/** Removes the records that are not needed any more. */
export function removeWorkerRecords(directory: string, settled: (name: string) => boolean): void {
  for (const name of namesIn(directory)) {
    if (settled(name)) rmSync(join(directory, `${name}${SUFFIX}`), { force: true });
  }
}

function namesIn(directory: string): string[] {
  return readdirSync(directory)
    .filter((file) => file.endsWith(SUFFIX))
    .map((file) => file.slice(0, -SUFFIX.length));
}
