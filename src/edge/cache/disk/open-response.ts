import { Fault, messageOf } from '../../../kernel/fault.ts';
import type { DiskResponse } from './disk-store.ts';
import type { KeptFile } from './kept-file.ts';

/** A kept response in the hands of one who asked for it. */
export class OpenResponse implements DiskResponse {
  readonly #file: KeptFile;
  readonly #onFailed: (thrown: unknown) => void;
  #isOpen = true;

  constructor(file: KeptFile, onFailed: (thrown: unknown) => void) {
    this.#file = file;
    this.#onFailed = onFailed;
  }

  get id(): string {
    return this.#file.layout.id;
  }

  get head(): string {
    return this.#file.head;
  }

  get sizeBytes(): number {
    return this.#file.layout.bodyBytes;
  }

  async read(position: number, mostBytes: number): Promise<Buffer> {
    // While it is read it stays open, whoever closes it.
    if (this.#isOpen) this.#file.use();
    else throw failed(this.#file.path, 'it has been closed');
    try {
      return await this.#file.read(position, mostBytes);
    } catch (thrown) {
      this.#onFailed(thrown);
      throw thrown instanceof Fault ? thrown : failed(this.#file.path, messageOf(thrown), thrown);
    } finally {
      this.#file.release();
    }
  }

  close(): void {
    if (this.#isOpen) this.#file.release();
    this.#isOpen = false;
  }
}

const failed = (path: string, why: string, cause?: unknown): Fault =>
  new Fault({
    code: 'cache-disk-failed',
    message: `cannot read the kept response in ${path}: ${why}`,
    subject: path,
    cause,
  });
