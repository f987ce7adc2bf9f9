import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type AnswerOf, type RouteName, routes } from '../api/routes.ts';
import { Fault } from '../kernel/fault.ts';
import { type Home, homeFrom } from '../model/home.ts';

/** For tests: answers the API on a real unix socket from a script, and remembers what was asked. */

interface Asked {
  route: RouteName;
  params: Record<string, string>;
  query: Record<string, string>;
  body: unknown;
}

/** What a route answers: a value, or a function that makes one or throws a Fault. */
export type Script = {
  [Name in RouteName]?: AnswerOf<Name> | ((asked: Asked) => AnswerOf<Name>);
};

export interface ScriptedDaemon {
  readonly home: Home;
  readonly asked: Asked[];
  script: Script;
  /** Events to send to whoever listens, by the path of the stream. */
  streams: Record<string, unknown[]>;
  start(): Promise<void>;
  /** Stops answering, as a daemon that died. */
  stop(): Promise<void>;
  close(): Promise<void>;
}

export function scriptedDaemon(script: Script): ScriptedDaemon {
  const root = mkdtempSync(join(tmpdir(), 'belay-cli-'));
  const home = homeFrom({ BELAY_HOME: root });
  const server = createServer((request, response) => {
    serve(daemon, request, response).catch((thrown: unknown) => {
      const fault =
        thrown instanceof Fault ? thrown : new Fault({ code: 'internal', message: String(thrown) });
      response.writeHead(409).end(JSON.stringify({ fault }));
    });
  });
  const stop = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  const daemon: ScriptedDaemon = {
    home,
    asked: [],
    script,
    streams: {},
    start: () => new Promise((resolve) => server.listen(home.socket, resolve)),
    stop,
    async close() {
      await stop();
      rmSync(root, { recursive: true, force: true });
    },
  };
  return daemon;
}

async function serve(
  daemon: ScriptedDaemon,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://belay');
  if (url.pathname.endsWith('/stream')) return sendEvents(daemon, url, response);
  const { route, params } = findRoute(request.method ?? 'GET', url.pathname);
  const sent = await text(request);
  const isJson = request.headers['content-type'] === 'application/json';
  const asked: Asked = {
    route,
    params,
    query: Object.fromEntries(url.searchParams),
    body: isJson ? JSON.parse(sent) : sent,
  };
  daemon.asked.push(asked);
  const scripted = daemon.script[route];
  if (scripted === undefined) {
    throw new Fault({ code: 'unknown-environment', message: `nothing is scripted for ${route}` });
  }
  const value = typeof scripted === 'function' ? scripted(asked) : scripted;
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}

function sendEvents(daemon: ScriptedDaemon, url: URL, response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.flushHeaders();
  for (const data of daemon.streams[url.pathname] ?? []) {
    response.write(`data: ${JSON.stringify(data)}\n\n`);
  }
}

function findRoute(
  method: string,
  path: string,
): { route: RouteName; params: Record<string, string> } {
  for (const route of Object.keys(routes) as RouteName[]) {
    const pattern = routes[route].path.replace(/:([a-zA-Z]+)/g, '(?<$1>[^/]+)');
    const match = new RegExp(`^${pattern}$`).exec(path);
    if (match && routes[route].method === method) {
      const groups = Object.entries(match.groups ?? {});
      return {
        route,
        params: Object.fromEntries(
          groups.map(([name, value]) => [name, decodeURIComponent(value)]),
        ),
      };
    }
  }
  throw new Fault({ code: 'unknown-route', message: `${method} ${path}` });
}
