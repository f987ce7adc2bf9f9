import type { Socket } from 'node:net';
import { encodeLine, lineDecoder } from '../kernel/json-lines.ts';

/** One end of a conversation in JSON lines. */
export interface LinePeer {
  send(message: unknown): void;
  /** Sends what is queued, then ends. */
  end(): void;
  destroy(): void;
}

export interface LinePeerHandlers {
  onMessage(message: unknown): void;
  /** Once, whichever side ended it and however. */
  onClose(cause: Error | null): void;
}

/** Larger than a snapshot of ten thousand targets; a limit against a peer that is not one of ours. */
const MAX_LINE_BYTES = 64 * 1024 * 1024;

export function linePeer(socket: Socket, handlers: LinePeerHandlers): LinePeer {
  const decode = lineDecoder(MAX_LINE_BYTES);
  let failure: Error | null = null;
  socket.on('data', (chunk) => {
    try {
      for (const message of decode(chunk)) handlers.onMessage(message);
    } catch (thrown) {
      socket.destroy(thrown instanceof Error ? thrown : new Error(String(thrown)));
    }
  });
  socket.on('error', (error) => {
    failure = error;
  });
  socket.on('close', () => handlers.onClose(failure));
  return {
    send(message) {
      if (socket.writable) socket.write(encodeLine(message));
    },
    end: () => socket.end(),
    destroy: () => socket.destroy(),
  };
}
