import { KeptFile, type KeptFileContext } from './kept-file.ts';

/** So many stay open for whoever asks next: a descriptor is cheaper than to open and to check anew. */
const MOST_OPEN = 512;

/**
 * What is read over and over stays open: files by their keys, the one used last at the end. Not the
 * small ones, which are read whole when they are opened.
 */
export class KeptFiles {
  readonly #context: KeptFileContext;
  readonly #open = new Map<string, KeptFile>();

  constructor(context: KeptFileContext) {
    this.#context = context;
  }

  /**
   * The one under the key; whoever gets it uses it.
   *
   * @throws `cache-damaged`, the system's error
   */
  async open(path: string, key: string): Promise<KeptFile> {
    const known = this.#open.get(key);
    if (known !== undefined) {
      this.#open.delete(key);
      if (known.isCurrent) {
        this.#open.set(key, known);
        known.use();
        return known;
      }
      known.release();
    }
    const file = await KeptFile.open(path, key, this.#context);
    if (!file.isReadWhole) this.#keep(key, file);
    return file;
  }

  /** It is not what lies there, or of no use. */
  forget(key: string): void {
    this.#open.get(key)?.release();
    this.#open.delete(key);
  }

  close(): void {
    for (const key of [...this.#open.keys()]) this.forget(key);
  }

  #keep(key: string, file: KeptFile): void {
    // Another who asked for it meanwhile may have opened it as well.
    this.forget(key);
    file.use();
    this.#open.set(key, file);
    for (const oldest of this.#open.keys()) {
      if (this.#open.size <= MOST_OPEN) break;
      this.forget(oldest);
    }
  }
}
