import { request } from 'node:http';
import type { Readable } from 'node:stream';
import type { z } from 'zod';
import { Fault, type FaultJson, systemCode } from '../kernel/fault.ts';
import { addresses } from './addresses.ts';
import type { AnswerOf, RouteName, routes } from './routes.ts';

/** The typed client: HTTP over the daemon's unix socket, one method for every route of the table. */

type Input<Name extends RouteName> = {
  params?: z.input<(typeof routes)[Name]['params']>;
  query?: z.input<(typeof routes)[Name]['query']>;
  body?: (typeof routes)[Name]['body'] extends z.ZodType
    ? z.input<(typeof routes)[Name]['body']>
    : Readable;
};

export interface Client {
  /**
   * @throws the daemon's own Fault, or `daemon-unreachable`
   */
  call<Name extends RouteName>(name: Name, input?: Input<Name>): Promise<AnswerOf<Name>>;
  /** Server-sent events, parsed. Ends when the signal does; throws `daemon-unreachable` when cut. */
  stream<T>(
    path: string,
    options: { query?: Record<string, string>; lastEventId?: number; signal: AbortSignal },
  ): AsyncIterable<T>;
}

export function createClient(socketPath: string): Client {
  return {
    async call(name, input = {}) {
      const route = addresses[name];
      const path = fillPath(route.path, input.params ?? {}) + queryString(input.query ?? {});
      const response = await send(socketPath, route.method, path, input.body);
      const text = await textOf(response.body);
      const value: unknown = text === '' ? {} : JSON.parse(text);
      if (response.status >= 400) throw faultOf(value, response.status);
      return value as AnswerOf<typeof name>;
    },
    async *stream<T>(
      path: string,
      options: { query?: Record<string, string>; lastEventId?: number; signal: AbortSignal },
    ) {
      const headers =
        options.lastEventId === undefined ? {} : { 'last-event-id': String(options.lastEventId) };
      const target = path + queryString(options.query ?? {});
      const response = await send(
        socketPath,
        'GET',
        target,
        undefined,
        headers,
        options.signal,
      ).catch((thrown: unknown) => {
        if (options.signal.aborted) return null;
        throw thrown;
      });
      if (response === null) return;
      if (response.status >= 400) {
        throw faultOf(JSON.parse(await textOf(response.body)), response.status);
      }
      yield* eventsOf<T>(response.body, options.signal);
    },
  };
}

interface Response {
  status: number;
  body: Readable;
}

function send(
  socketPath: string,
  method: string,
  path: string,
  body: unknown,
  headers: Record<string, string> = {},
  signal?: AbortSignal,
): Promise<Response> {
  const stream = isStream(body);
  const json = body === undefined || stream ? undefined : JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const outgoing = request({
      socketPath,
      method,
      path,
      agent: false,
      ...(signal && { signal }),
      headers: {
        host: 'belay',
        ...(json === undefined
          ? {}
          : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(json) }),
        ...(stream ? { 'content-type': 'application/x-tar' } : {}),
        ...headers,
      },
    });
    outgoing.on('response', (incoming) => {
      resolve({ status: incoming.statusCode ?? 500, body: incoming });
    });
    outgoing.on('error', (cause) => reject(unreachable(cause, socketPath)));
    if (stream) {
      body.on('error', (cause) => {
        outgoing.destroy();
        reject(cause);
      });
      body.pipe(outgoing);
    } else outgoing.end(json);
  });
}

const isStream = (body: unknown): body is Readable =>
  typeof body === 'object' && body !== null && 'pipe' in body;

function fillPath(path: string, params: Record<string, unknown>): string {
  return path.replace(/:([a-zA-Z]+)/g, (_, name: string) =>
    encodeURIComponent(String(params[name])),
  );
}

function queryString(query: Record<string, unknown>): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) search.set(name, String(value));
  }
  return search.size === 0 ? '' : `?${search}`;
}

async function textOf(body: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of body) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

async function* eventsOf<T>(body: Readable, signal: AbortSignal): AsyncIterable<T> {
  let held = '';
  try {
    for await (const chunk of body.setEncoding('utf8')) {
      held += chunk as string;
      for (let end = held.indexOf('\n\n'); end !== -1; end = held.indexOf('\n\n')) {
        const data = held
          .slice(0, end)
          .split('\n')
          .filter((line) => line.startsWith('data:'))
          .map((line) => line.slice(5).trimStart())
          .join('\n');
        held = held.slice(end + 2);
        if (data !== '') yield JSON.parse(data) as T;
      }
    }
  } catch (cause) {
    if (!signal.aborted) throw unreachable(cause, 'the daemon');
    return;
  }
  if (!signal.aborted) throw unreachable(undefined, 'the daemon');
}

function faultOf(value: unknown, status: number): Fault {
  const json = (value as { fault?: FaultJson }).fault;
  if (json) return new Fault(json);
  return new Fault({
    code: 'bad-answer',
    message: `the daemon answered ${status} without a reason`,
  });
}

function unreachable(cause: unknown, subject: string): Fault {
  const code = systemCode(cause);
  return new Fault({
    code: 'daemon-unreachable',
    message:
      code === 'ENOENT' || code === 'ENOTDIR' || code === 'ECONNREFUSED'
        ? 'no daemon is running'
        : 'the connection to the daemon was lost',
    subject,
    hint: 'start it with: belay daemon start',
    retryable: true,
    cause,
  });
}
