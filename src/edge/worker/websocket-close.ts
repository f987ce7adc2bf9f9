/** RFC 6455 section 5.5: a control frame carries at most 125 bytes, behind two of header. */
const MAX_FRAME_BYTES = 127;
const CLOSE_FRAME = 0x88;

/**
 * Tells whether the last thing a WebSocket server said was a close frame, without reading the
 * frames before it: a server's frames are not masked, so one has to end where its length says.
 */
export class CloseFrameWatch {
  private tail: Buffer = Buffer.alloc(0);

  see(bytes: Buffer): void {
    this.tail =
      bytes.length >= MAX_FRAME_BYTES
        ? Buffer.from(bytes.subarray(bytes.length - MAX_FRAME_BYTES))
        : Buffer.concat([this.tail, bytes]).subarray(-MAX_FRAME_BYTES);
  }

  get seen(): boolean {
    const { tail } = this;
    for (let at = tail.length - 2; at >= 0; at -= 1) {
      if (tail[at] === CLOSE_FRAME && tail[at + 1] === tail.length - at - 2) return true;
    }
    return false;
  }
}
