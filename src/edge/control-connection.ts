import { connect } from 'node:net';
import { Fault } from '../kernel/fault.ts';
import {
  type ControlMethod,
  type ControlMethods,
  type FromSupervisor,
  faultFromJson,
} from './control-protocol.ts';
import type { EdgeEvent } from './driver.ts';
import { linePeer } from './line-peer.ts';

/** A conversation with one supervisor, until either side ends. */
export interface ControlConnection {
  /** @throws the supervisor's fault, or `edge-unreachable` when it went before it answered */
  request<Method extends ControlMethod>(
    method: Method,
    params: ControlMethods[Method]['params'],
  ): Promise<ControlMethods[Method]['result']>;
  close(): void;
}

export interface ControlListener {
  /** Something was said, whatever it was. */
  onHeard(): void;
  onEvent(event: EdgeEvent): void;
  onClose(): void;
}

interface Pending {
  resolve(result: unknown): void;
  reject(fault: Fault): void;
}

/** Rejects with the system's error when nobody answers there. */
export function connectControl(
  path: string,
  handlers: ControlListener,
): Promise<ControlConnection> {
  const socket = connect(path);
  const pending = new Map<number, Pending>();
  let requests = 0;
  const receive = (message: FromSupervisor) => {
    handlers.onHeard();
    if ('event' in message) return handlers.onEvent(message.event);
    const asked = pending.get(message.id);
    pending.delete(message.id);
    if ('fault' in message) asked?.reject(faultFromJson(message.fault));
    else asked?.resolve(message.result);
  };

  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.off('error', reject);
      let open = true;
      const peer = linePeer(socket, {
        onMessage: (message) => receive(message as FromSupervisor),
        onClose() {
          open = false;
          for (const asked of pending.values()) asked.reject(unreachable());
          pending.clear();
          handlers.onClose();
        },
      });
      resolve({
        request: (method, params) =>
          new Promise((answer, refuse) => {
            if (!open) return refuse(unreachable());
            requests += 1;
            pending.set(requests, { resolve: answer as Pending['resolve'], reject: refuse });
            peer.send({ id: requests, method, params });
          }),
        close: () => peer.end(),
      });
    });
  });
}

/** Thrown when the supervisor went away before it answered; it is worth asking the next one. */
export function unreachable(): Fault {
  return new Fault({
    code: 'edge-unreachable',
    message: 'the edge does not answer',
    hint: 'run `belay doctor`',
    retryable: true,
  });
}
