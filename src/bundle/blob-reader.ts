import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { PassThrough, Readable } from 'node:stream';
import { type Fault, messageOf } from '../kernel/fault.ts';
import { gitFault, gitStream } from './git.ts';

const NEWLINE = 0x0a;

/**
 * Reads the contents of blobs, one after the other in the order they were named, through one git.
 * Never more than a chunk is held.
 */
export class BlobReader implements AsyncDisposable {
  readonly #directory: string;
  readonly #git: ChildProcess;
  readonly #ended: Promise<unknown>;
  readonly #chunks: AsyncIterator<Buffer>;
  #told = '';
  #failure: unknown = null;
  #held: Buffer = Buffer.alloc(0);

  constructor(directory: string, blobs: readonly string[]) {
    this.#directory = directory;
    this.#git = gitStream(directory, 'cat-file', '--batch');
    // Whatever goes wrong shows in what it answers; both only say why.
    this.#git.on('error', (cause) => {
      this.#failure = cause;
    });
    this.#ended = once(this.#git, 'close').catch(() => undefined);
    this.#git.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#told += text;
    });
    this.#git.stdin?.on('error', () => undefined);
    this.#git.stdin?.end(blobs.map((blob) => `${blob}\n`).join(''));
    // Read from the start: what nobody reads of a child that has ended is thrown away.
    const answers = this.#git.stdout?.pipe(new PassThrough()) ?? Readable.from([]);
    this.#chunks = answers[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  }

  /** The next blob's content, which has to be read to its end. */
  async *next(): AsyncGenerator<Buffer> {
    const line = await this.#line();
    const [, size] = /^[0-9a-f]+ blob (\d+)$/.exec(line) ?? [];
    if (size === undefined) throw this.#fault(`it answered '${line}'`);
    let leftBytes = Number(size);
    while (leftBytes > 0) {
      if (this.#held.length === 0) await this.#more();
      const chunk = this.#held.subarray(0, leftBytes);
      this.#held = this.#held.subarray(chunk.length);
      leftBytes -= chunk.length;
      yield chunk;
    }
    await this.#line();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#git.kill();
    await this.#ended;
  }

  async #line(): Promise<string> {
    while (!this.#held.includes(NEWLINE)) await this.#more();
    const end = this.#held.indexOf(NEWLINE);
    const line = this.#held.subarray(0, end).toString();
    this.#held = this.#held.subarray(end + 1);
    return line;
  }

  async #more(): Promise<void> {
    const { value, done } = await this.#chunks.next();
    if (done) {
      await this.#ended;
      throw this.#fault('it ended before it had told everything');
    }
    this.#held = this.#held.length === 0 ? value : Buffer.concat([this.#held, value]);
  }

  #fault(otherwise: string): Fault {
    const cause = this.#failure ?? new Error(otherwise);
    return gitFault(this.#directory, this.#told || messageOf(cause), cause);
  }
}
