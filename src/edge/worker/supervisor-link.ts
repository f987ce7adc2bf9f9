import { connect, type Socket } from 'node:net';
import type { Clock, Timer } from '../../kernel/clock.ts';
import { encodeLine, lineDecoder } from '../../kernel/json-lines.ts';
import type { ToSupervisor, ToWorker } from '../link.ts';
import type { SupervisorWatch } from '../supervisor-watch.ts';

/** How often a worker looks for a new supervisor. */
const RECONNECT_MS = 50;
/** A snapshot of ten thousand targets is about 1.5 MB. */
const MAX_LINE_BYTES = 64 * 1024 * 1024;
/** How long a last message may take to leave. */
const CLOSE_MS = 1_000;
/** What waits to be heard by a supervisor that may hang; beyond it, it would only take memory. */
const MAX_UNHEARD_BYTES = 4 * 1024 * 1024;

export interface SupervisorLinkOptions {
  path: string;
  clock: Clock;
  /** The first message on every connection. */
  hello: () => ToSupervisor;
  onMessage: (message: ToWorker) => void;
  /** Called once for each supervisor that had answered and is gone. */
  onLost: () => void;
  /** Called on every connection. @param ask makes the supervisor say something */
  watch: (ask: () => void) => SupervisorWatch;
}

export interface SupervisorLink {
  /** A hello has been sent, the connection stands, and what was said is being taken. */
  readonly hears: boolean;
  start(): void;
  /** Sends, if there is anybody to hear it. */
  send(message: ToSupervisor): void;
  /** Says a last thing and leaves. */
  close(lastMessage: ToSupervisor): Promise<void>;
}

/** The worker's end of its link: it connects, and connects again for as long as it lives. */
export function supervisorLink(options: SupervisorLinkOptions): SupervisorLink {
  let socket: Socket | null = null;
  let connected = false;
  let closed = false;
  let retry: Timer | null = null;

  const open = (): void => {
    const decode = lineDecoder(MAX_LINE_BYTES);
    let answered = false;
    let watch: SupervisorWatch | null = null;
    const current = connect({ path: options.path });
    socket = current;
    const messagesIn = (chunk: Buffer): ToWorker[] => {
      try {
        return decode(chunk) as ToWorker[];
      } catch {
        // What cannot be read is no supervisor of ours; the close leads to a new connection.
        current.destroy();
        return [];
      }
    };
    current.on('connect', () => {
      connected = true;
      watch = options.watch(() => send({ kind: 'ping' }));
      current.write(encodeLine(options.hello()));
    });
    current.on('data', (chunk: Buffer) => {
      answered = true;
      watch?.heard();
      for (const message of messagesIn(chunk)) options.onMessage(message);
    });
    current.on('error', () => {
      // The close that follows says all there is to do.
    });
    current.on('close', () => {
      connected = false;
      watch?.close();
      if (closed) return;
      if (answered) options.onLost();
      retry = options.clock.after(RECONNECT_MS, open);
    });
  };

  const send = (message: ToSupervisor): void => {
    if (connected) socket?.write(encodeLine(message));
  };

  return {
    get hears() {
      return connected && (socket?.writableLength ?? 0) < MAX_UNHEARD_BYTES;
    },
    start: open,
    send,
    async close(lastMessage) {
      closed = true;
      retry?.cancel();
      const current = socket;
      if (!current || !connected) {
        current?.destroy();
        return;
      }
      await new Promise<void>((resolve) => {
        const timer = options.clock.after(CLOSE_MS, resolve);
        current.end(encodeLine(lastMessage), () => {
          timer.cancel();
          resolve();
        });
      });
      current.destroy();
    },
  };
}
