/** What one read takes at most: few reads, and both it and what is done to it stay in the processor's cache. */
export const READ_BYTES = 256 * 1024;
/** Beyond so many, those that come back are let go. */
const MOST_KEPT = 32;

/**
 * The buffers that reads go into. A fresh one of this size costs the system more than the reading,
 * because it has to clear its pages first; so those that are done with are used again.
 */
export class ReadBuffers {
  readonly #kept: Buffer[] = [];
  readonly #lent = new WeakMap<ArrayBufferLike, Buffer>();

  /** At most `READ_BYTES`. */
  take(bytes: number): Buffer {
    if (bytes <= READ_BYTES / 4) return Buffer.allocUnsafeSlow(bytes);
    const whole = this.#kept.pop() ?? Buffer.allocUnsafeSlow(READ_BYTES);
    this.#lent.set(whole.buffer, whole);
    return whole.subarray(0, bytes);
  }

  /** One that was taken, or a part of it. Others, and those that came back already, are left alone. */
  giveBack(buffer: Buffer): void {
    const whole = this.#lent.get(buffer.buffer);
    if (whole === undefined) return;
    this.#lent.delete(buffer.buffer);
    if (this.#kept.length < MOST_KEPT) this.#kept.push(whole);
  }
}
