import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { Fault, messageOf } from '../../kernel/fault.ts';
import type { Log } from '../../kernel/log.ts';
import { DEFAULT_EDGE_SETTINGS } from '../../model/edge-settings.ts';
import { type Snapshot, snapshotSchema } from '../../model/snapshot.ts';
import type { EdgeHome } from '../home.ts';
import { identityOf, type ProcessIdentity } from '../process-identity.ts';
import { readState, writeState, writeStateDurably } from '../state-file.ts';
import type { WorkerRecord } from '../worker-record.ts';
import { readWorkerRecord, readWorkerRecords, removeWorkerRecords } from '../worker-record.ts';
import type { KeptHealth } from './checks.ts';
import type { KeptBase, KeptWorker, Ledger } from './ledger.ts';

/** What `supervisor.json` says of the owner. */
export interface SupervisorRecord extends ProcessIdentity {
  generation: number;
  startedAt: number;
  listeners: { host: string; port: number }[];
}

/** Everything a supervisor leaves on disk for the next. Only the owner of the home writes. */
export class KeptState {
  readonly #home: EdgeHome;
  readonly #log: Log;
  /** What each file holds, so that an idle edge writes nothing. */
  readonly #written = new Map<string, string>();

  constructor(home: EdgeHome, log: Log) {
    this.#home = home;
    this.#log = log;
  }

  generation(): number {
    return readState<SupervisorRecord>(this.#home.supervisor)?.generation ?? 1;
  }

  /**
   * What an older version wrote has the defaults of what it did not know. What cannot be read is as
   * good as none: the control plane publishes another.
   */
  snapshot(): Snapshot | null {
    const path = this.#home.snapshot;
    const kept = readState<unknown>(path);
    if (kept === null && !existsSync(path)) return null;
    const parsed = snapshotSchema.safeParse(withWholeSettings(kept));
    if (parsed.success) return parsed.data;
    this.#log.error({ path, error: parsed.error.message }, 'the kept snapshot cannot be read');
    return null;
  }

  health(): KeptHealth {
    return readState<KeptHealth>(this.#home.health) ?? {};
  }

  ledger(): KeptBase | null {
    return readState<KeptBase>(this.#home.ledger);
  }

  /** Workers that lived when the last supervisor wrote, and those that it never heard of. */
  workers(): KeptWorker[] {
    mkdirSync(this.#home.workers, { recursive: true });
    const living = readState<KeptWorker[]>(this.#home.living) ?? [];
    const known = new Set(living.map(({ worker }) => worker.name));
    const strangers = readWorkerRecords(this.#home.workers)
      .filter(({ worker }) => !known.has(worker.name))
      .map(({ worker, ceiling }) => ({ worker, ceiling, rows: [] }));
    return [...living, ...strangers];
  }

  /** What a worker has written down itself. */
  workerRecord(name: string): WorkerRecord | null {
    return readWorkerRecord(this.#home.workers, name);
  }

  keepRecord(record: Omit<SupervisorRecord, keyof ProcessIdentity>): void {
    writeState(this.#home.supervisor, JSON.stringify({ ...identityOf(process.pid), ...record }));
  }

  /** @throws `snapshot-not-kept` (retryable) */
  async keepSnapshot(snapshot: Snapshot): Promise<void> {
    try {
      await writeStateDurably(this.#home.snapshot, JSON.stringify(snapshot));
    } catch (cause) {
      throw new Fault({
        code: 'snapshot-not-kept',
        message: `the edge cannot write ${this.#home.snapshot}: ${messageOf(cause)}`,
        subject: this.#home.snapshot,
        hint: 'make room on the disk',
        retryable: true,
        cause,
      });
    }
  }

  keepHealth(health: KeptHealth): void {
    this.#keep(this.#home.health, health);
  }

  /**
   * Ended workers' counts first: a worker that is in both files counts once, and one that could not
   * be written into the first must not leave the second, nor lose its own record.
   */
  keepLedger(ledger: Ledger): void {
    const outcome = this.#keep(this.#home.ledger, ledger.base());
    if (outcome === 'failed') return;
    this.#keep(this.#home.living, ledger.living());
    if (outcome === 'kept') removeWorkerRecords(this.#home.workers, ledger.hasFolded);
  }

  /** After an orderly end. What was healthy may be long gone when the edge is started again. */
  forgetLiving(): void {
    const { health, living, workers, supervisor } = this.#home;
    for (const path of [health, living, workers, supervisor]) {
      rmSync(path, { recursive: true, force: true });
    }
  }

  /** Why this process is not the owner of the home any more; null when it is. */
  ownershipProblem(): string | null {
    try {
      const owner = readState<SupervisorRecord>(this.#home.supervisor);
      if (owner === null) return `${this.#home.directory} is gone`;
      return owner.pid === process.pid ? null : `${this.#home.directory} belongs to ${owner.pid}`;
    } catch (thrown) {
      return messageOf(thrown);
    }
  }

  /** A full disk stops the keeping, not the traffic. */
  #keep(path: string, state: unknown): 'kept' | 'unchanged' | 'failed' {
    const text = JSON.stringify(state);
    if (this.#written.get(path) === text) return 'unchanged';
    try {
      writeState(path, text);
      this.#written.set(path, text);
      return 'kept';
    } catch (thrown) {
      this.#log.error({ path, error: messageOf(thrown) }, 'cannot keep state');
      return 'failed';
    }
  }
}

/** Settings are written whole, so that those of an older version lack what it did not know. */
function withWholeSettings(kept: unknown): unknown {
  if (typeof kept !== 'object' || kept === null || !('settings' in kept)) return kept;
  const { settings } = kept;
  return typeof settings === 'object'
    ? { ...kept, settings: { ...DEFAULT_EDGE_SETTINGS, ...settings } }
    : kept;
}
