import { rmSync } from 'node:fs';
import { unlink } from 'node:fs/promises';
import { Fault, systemCode } from '../../../kernel/fault.ts';
import { Account } from './account.ts';
import { Cleaner } from './cleaner.ts';
import type {
  DiskResponse,
  DiskState,
  DiskStore,
  DiskStoreOptions,
  DiskWriter,
} from './disk-store.ts';
import { updateHead } from './head-update.ts';
import { KeptFiles } from './kept-files.ts';
import { OpenResponse } from './open-response.ts';
import { Places } from './places.ts';
import { READ_BYTES, ReadBuffers } from './read-buffers.ts';
import type { Room } from './room.ts';
import { Standing } from './standing.ts';
import { Writers } from './writers.ts';

/** Kept responses in a directory of the machine's own. */
export class DirectoryStore implements DiskStore {
  readonly #places: Places;
  readonly #account: Account;
  readonly #standing: Standing;
  readonly #cleaner: Cleaner;
  readonly #buffers = new ReadBuffers();
  readonly #files: KeptFiles;
  readonly #writers: Writers;
  #boundBytes: number;
  #isClosed = false;

  constructor(options: DiskStoreOptions) {
    const { clock, directory, boundBytes } = options;
    this.#boundBytes = boundBytes;
    const places = new Places(directory);
    const account = new Account(places.account);
    const standing = new Standing(options);
    const buffers = this.#buffers;
    const onKept = (key: string): void => this.#files.forget(key);
    this.#files = new KeptFiles({ clock, buffers });
    this.#writers = new Writers({ places, account, standing, buffers, onKept }, boundBytes);
    const onRoom = (room: Room): void => standing.room(room);
    const onLimit = (limitBytes: number): void => this.#writers.setLimit(limitBytes);
    const cleaning = { clock, directory, places, account, onRoom, onLimit };
    this.#cleaner = new Cleaner(cleaning, boundBytes);
    this.#places = places;
    this.#account = account;
    this.#standing = standing;
  }

  /** Makes the directories, and looks after them from now on. Never rejects. */
  async start(): Promise<void> {
    this.#cleaner.start();
    try {
      await this.#writers.prepare();
      await this.#places.sweep();
    } catch (thrown) {
      this.#standing.failed(`make ${this.#places.writing}`, thrown);
    }
  }

  get state(): DiskState {
    return this.#isClosed || this.#boundBytes === 0 ? 'off' : this.#standing.state;
  }

  get sizeBytes(): number {
    return this.#account.totalBytes;
  }

  async open(key: string): Promise<DiskResponse | null> {
    if (this.state === 'off') return null;
    const path = this.#places.ofKey(key);
    try {
      const file = await this.#files.open(path, key);
      return new OpenResponse(file, (thrown) => this.#onReadFailed(key, path, thrown));
    } catch (thrown) {
      this.#onReadFailed(key, path, thrown);
      return null;
    } finally {
      if (this.#isClosed) this.#files.close();
    }
  }

  create(key: string, head: string, sizeBytes: number | null): DiskWriter | null {
    return this.state === 'on' ? this.#writers.begin(key, head, sizeBytes ?? 0) : null;
  }

  async updateHead(key: string, id: string, head: string): Promise<void> {
    if (this.state !== 'on') return;
    const path = this.#places.ofKey(key);
    try {
      const outcome = await updateHead(path, key, id, head);
      if (outcome === 'too-long') await this.#writeAgain(key, id, head);
    } catch (thrown) {
      // What is damaged is found by whoever opens it next.
      if (thrown instanceof Fault || systemCode(thrown) === 'ENOENT') return;
      this.#standing.failed(`write ${path}`, thrown);
    }
  }

  delete(key: string): void {
    this.#files.forget(key);
    this.#writers.abandon(key);
    const path = this.#places.ofKey(key);
    unlink(path).catch((thrown) => {
      if (systemCode(thrown) !== 'ENOENT') this.#standing.failed(`delete ${path}`, thrown);
    });
  }

  recycle(buffer: Buffer): void {
    this.#buffers.giveBack(buffer);
  }

  setBound(boundBytes: number): void {
    this.#boundBytes = boundBytes;
    this.#writers.setLimit(boundBytes);
    this.#cleaner.setBound(boundBytes);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#cleaner.close();
    await this.#writers.close();
    await this.#places.leave();
    this.#files.close();
    this.#account.close();
  }

  /** With its body, because the new head does not fit into its file. */
  async #writeAgain(key: string, id: string, head: string): Promise<void> {
    const response = await this.open(key);
    if (response === null) return;
    const { sizeBytes } = response;
    const writer = response.id === id ? this.#writers.begin(key, head, sizeBytes, id) : null;
    try {
      for (let position = 0; writer !== null && position < sizeBytes; ) {
        const bytes = await response.read(position, READ_BYTES);
        writer.write(bytes);
        position += bytes.length;
      }
      await writer?.finish();
    } finally {
      writer?.close();
      response.close();
    }
  }

  #onReadFailed(key: string, path: string, thrown: unknown): void {
    this.#files.forget(key);
    if (systemCode(thrown) === 'ENOENT') return;
    if (thrown instanceof Fault) {
      // At once, so that nobody else finds it: it does not happen often.
      rmSync(path, { force: true });
      if (thrown.code === 'cache-damaged') this.#standing.damaged(thrown.message);
    } else {
      this.#standing.failed(`read ${path}`, thrown);
    }
  }
}
