import { createServer, type Socket } from 'node:net';
import type { HealthEntry, ToSupervisor, ToWorker } from '../../src/edge/link.ts';
import { encodeLine, lineDecoder } from '../../src/kernel/json-lines.ts';
import type { Snapshot } from '../../src/model/snapshot.ts';

/** The smallest supervisor that workers serve under: it welcomes them and asks for reports. */
export interface SmallSupervisor {
  /** Resolves when so many workers serve. */
  ready(workers: number): Promise<void>;
  /** Requests that each worker has accepted so far, in the same order every time. */
  accepted(): Promise<number[]>;
  close(): void;
}

const MAX_LINE_BYTES = 1024 * 1024;

export async function superviseWorkers(
  path: string,
  snapshot: Snapshot,
  health: HealthEntry[],
): Promise<SmallSupervisor> {
  /** What each worker has told that was asked last; null until then. */
  const links = new Map<Socket, number | null>();
  const names = new Map<Socket, string>();
  let serving = 0;
  let onChange = (): void => undefined;
  const take = (message: ToSupervisor, socket: Socket): void => {
    if (message.kind === 'hello') {
      names.set(socket, message.worker);
      tell(socket, { kind: 'welcome', accept: true, snapshot, health });
    } else if (message.kind === 'ready') {
      serving += 1;
      for (const [each, own] of names) {
        tell(each, { kind: 'peers', names: [...names.values()].filter((name) => name !== own) });
      }
    } else if (message.kind === 'report' && message.report.request !== null) {
      links.set(socket, message.report.accepted);
    }
  };
  const server = createServer((socket) => {
    const decode = lineDecoder(MAX_LINE_BYTES);
    links.set(socket, null);
    socket.on('data', (chunk: Buffer) => {
      for (const message of decode(chunk) as ToSupervisor[]) take(message, socket);
      onChange();
    });
    socket.on('error', () => {
      // The worker was ended.
    });
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  const until = (isSo: () => boolean): Promise<void> =>
    new Promise((resolve) => {
      onChange = () => {
        if (isSo()) resolve();
      };
      onChange();
    });
  return {
    ready: (workers) => until(() => serving >= workers),
    async accepted() {
      for (const socket of links.keys()) {
        links.set(socket, null);
        tell(socket, { kind: 'report-now', request: 1 });
      }
      await until(() => ![...links.values()].includes(null));
      return [...links.values()].map(Number);
    },
    close: () => server.close(),
  };
}

function tell(socket: Socket, message: ToWorker): void {
  socket.write(encodeLine(message));
}
