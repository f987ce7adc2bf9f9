import type { Clock } from '../../kernel/clock.ts';
import { latin1 } from '../http/latin1.ts';
import type { DiskResponse, DiskStore, DiskWriter } from './disk/disk-store.ts';
import { type KeptHead, keptHead, readDiskHead, variedHead } from './disk-head.ts';
import { type Kept, KeptResponse, TEXT_BODY_BYTES } from './kept-response.ts';
import { WritePace } from './write-pace.ts';

/** What is gone so soon is not worth a file. */
const LEAST_LIFETIME_MS = 30_000;

/** What a worker and its disk say to each other: what memory has not, and what is to outlive it. */
export class KeptOnDisk {
  private readonly store: DiskStore;
  private readonly clock: Clock;
  private readonly random: () => number;
  /** Told of a key that was not written when it was asked for: it may be asked for again. */
  onTurn: ((key: string) => void) | null = null;
  private readonly pace: WritePace;

  constructor(store: DiskStore, clock: Clock, random: () => number) {
    this.store = store;
    this.clock = clock;
    this.random = random;
    this.pace = new WritePace(clock, (key) => this.onTurn?.(key));
  }

  get isOn(): boolean {
    return this.store.state !== 'off';
  }

  get sizeBytes(): number {
    return this.store.sizeBytes;
  }

  setBound(boundBytes: number): void {
    this.store.setBound(boundBytes);
  }

  /**
   * What is kept under a key: with its body where that is small enough for memory, or the names of the
   * fields by which it varies; null: nothing.
   */
  async read(key: string, mostBodyBytes: number): Promise<KeptResponse | readonly string[] | null> {
    const found = await this.store.open(key);
    if (found === null) return null;
    try {
      const head = readDiskHead(found.head, this.clock);
      if (head === null) return null;
      if ('varies' in head) return head.varies;
      const isSmall = found.sizeBytes <= mostBodyBytes;
      const body = isSmall ? await this.wholeBody(found) : null;
      return new KeptResponse({ ...head, body, diskId: found.id }, this.random());
    } catch {
      // It was damaged, which has been told.
      return null;
    } finally {
      found.close();
    }
  }

  /** The body of one that is there alone; null when it is not there any more. */
  async open(key: string, id: string | null): Promise<DiskResponse | null> {
    const found = await this.store.open(key);
    if (found === null || found.id === id) return found;
    found.close();
    return null;
  }

  /** Writes one that memory has whole, now or in its turn. @param replaces what lies there */
  keep(key: string, kept: Kept, replaces: boolean): void {
    const { body } = kept;
    if (body === null || kept.lifetimeMs < LEAST_LIFETIME_MS) return;
    // What is older must not come back when memory has forgotten this one.
    if (!this.pace.admit(key) && !replaces) return;
    const writer = this.store.create(key, keptHead(kept, this.clock), kept.bodyBytes);
    if (writer === null) return;
    kept.diskId = writer.id;
    writer.write(typeof body === 'string' ? Buffer.from(body, 'latin1') : body);
    void writer.finish().then(() => writer.close());
  }

  /** Says by what answers under the key vary. */
  keepNames(key: string, names: readonly string[]): void {
    if (!this.pace.admit(key)) return;
    const writer = this.store.create(key, variedHead(names), 0);
    void writer?.finish().then(() => writer.close());
  }

  headOf(kept: Kept): string {
    return keptHead(kept, this.clock);
  }

  /** Begins to write what is too large for memory; null where the disk does not take it. */
  create(key: string, head: KeptHead, sizeBytes: number | null): DiskWriter | null {
    const kept = { ...head, body: null, diskId: null };
    return this.store.create(key, keptHead(kept, this.clock), sizeBytes);
  }

  /** The body is as it was; the rest is newer. */
  refresh(key: string, kept: Kept): void {
    if (kept.diskId === null) return;
    void this.store.updateHead(key, kept.diskId, keptHead(kept, this.clock));
  }

  delete(key: string): void {
    this.store.delete(key);
  }

  /** It is written out; whoever has read it may give it back. */
  recycle(bytes: Buffer): void {
    this.store.recycle(bytes);
  }

  async close(): Promise<void> {
    this.pace.close();
    await this.store.close();
  }

  private async wholeBody(found: DiskResponse): Promise<string | Buffer> {
    const { sizeBytes } = found;
    const bytes = Buffer.allocUnsafeSlow(sizeBytes);
    for (let at = 0; at < sizeBytes; ) {
      const piece = await found.read(at, sizeBytes - at);
      at += piece.copy(bytes, at);
      this.store.recycle(piece);
    }
    return sizeBytes <= TEXT_BODY_BYTES ? latin1(bytes, 0, sizeBytes) : bytes;
  }
}
