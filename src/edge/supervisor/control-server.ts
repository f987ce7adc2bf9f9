import type { Socket } from 'node:net';
import { Fault, messageOf } from '../../kernel/fault.ts';
import type { Log } from '../../kernel/log.ts';
import type {
  ControlMethod,
  ControlMethods,
  ControlRequest,
  FromSupervisor,
} from '../control-protocol.ts';
import type { EdgeEvent } from '../driver.ts';
import { type LinePeer, linePeer } from '../line-peer.ts';

/** Answers the control plane's requests, and tells every control plane that listens what happens. */

export type ControlHandlers = {
  [Method in ControlMethod]: (
    params: ControlMethods[Method]['params'],
  ) => Promise<ControlMethods[Method]['result']>;
};

export interface ControlServer {
  connect(socket: Socket): void;
  broadcast(event: EdgeEvent): void;
  /** Ends every conversation once what is queued is sent. */
  end(): void;
}

export function controlServer(handlers: ControlHandlers, log: Log): ControlServer {
  const peers = new Set<LinePeer>();

  const answer = async (peer: LinePeer, request: ControlRequest): Promise<void> => {
    const say = (message: FromSupervisor) => peer.send(message);
    try {
      say({ id: request.id, result: await dispatch(handlers, request) });
    } catch (thrown) {
      const fault = toFault(thrown);
      if (fault !== thrown) log.error({ method: request.method, error: messageOf(thrown) });
      say({ id: request.id, fault: fault.toJSON() });
    }
  };

  return {
    connect(socket) {
      const peer = linePeer(socket, {
        onMessage: (message) => void answer(peer, message as ControlRequest),
        onClose: () => void peers.delete(peer),
      });
      peers.add(peer);
    },
    broadcast(event) {
      for (const peer of peers) peer.send({ event } satisfies FromSupervisor);
    },
    end() {
      for (const peer of peers) peer.end();
    },
  };
}

async function dispatch(handlers: ControlHandlers, request: ControlRequest): Promise<unknown> {
  if (!Object.hasOwn(handlers, request.method)) {
    throw new Fault({
      code: 'unknown-method',
      message: `the edge knows no request '${String(request.method)}'`,
      hint: 'the edge runs older code than its caller: run `belay daemon stop` and start again',
    });
  }
  const handle = handlers[request.method] as (params: unknown) => Promise<unknown>;
  return handle(request.params);
}

function toFault(thrown: unknown): Fault {
  if (thrown instanceof Fault) return thrown;
  return new Fault({ code: 'edge-failed', message: messageOf(thrown), cause: thrown });
}
