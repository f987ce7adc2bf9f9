import { BodyReader } from '../http/body-reader.ts';
import { latin1 } from '../http/latin1.ts';
import type { MessageWriter } from '../http/message-writer.ts';
import { type Refusal, refusals } from '../http/refusal.ts';
import type { RequestReader } from '../http/request-reader.ts';
import type { Limits } from '../limits.ts';

/** A request's body on its way from a client to a target. One per connection, used in turn. */
export class RequestBody {
  /** Nothing of it is left to come: the target has it, or gets it with the head. */
  sent = false;
  /** The whole body while it may be sent again; null when it is streamed. */
  replay: string | null = null;
  private begun = false;
  private mostBytes = 0;
  private readonly reader = new BodyReader();
  private readonly limits: Limits;

  constructor(limits: Limits) {
    this.limits = limits;
  }

  /**
   * Begins with the next body. A small one that is all here goes with the head, and again.
   *
   * @param mostBytes what its environment takes
   */
  start(framing: number, source: RequestReader, mostBytes: number): void {
    this.mostBytes = mostBytes;
    this.sent = false;
    this.replay = null;
    this.begun = false;
    if (framing === 0) {
      this.sent = true;
      this.replay = '';
      return;
    }
    const { held } = source;
    if (framing > 0 && framing <= this.limits.replayBytes && held && held.length >= framing) {
      this.sent = true;
      this.replay = latin1(held, 0, framing);
      source.consume(framing);
    } else {
      this.reader.start(framing);
    }
  }

  /** Lets go of what was kept of it. */
  clear(): void {
    this.replay = null;
  }

  /** A target can get all of it, from the beginning. */
  get whole(): boolean {
    return this.replay !== null || !this.begun;
  }

  /** Hands on what has come of it. */
  pump(source: RequestReader, writer: MessageWriter): Refusal | null {
    const { reader } = this;
    if (source.held !== null) {
      this.begun = true;
      const stopped = reader.read(source.held, 0, writer);
      if (reader.malformed) return refusals.badChunk;
      if (reader.receivedBytes > this.mostBytes) return refusals.bodyTooLarge;
      source.consume(stopped);
    }
    if (reader.done) {
      writer.end(reader.trailers);
      this.sent = true;
    }
    writer.flush();
    return null;
  }
}
