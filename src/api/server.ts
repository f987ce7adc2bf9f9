import { chmodSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import type { Server } from 'node:http';
import { createConnection } from 'node:net';
import { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { createAdaptorServer } from '@hono/node-server';
import { type Context, Hono } from 'hono';
import { streamSSE } from 'hono/streaming';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import type { z } from 'zod';
import type { Control } from '../control/control.ts';
import type { Clock } from '../kernel/clock.ts';
import { Fault, messageOf } from '../kernel/fault.ts';
import type { Log } from '../kernel/log.ts';
import type { BelayEvent } from '../model/event.ts';
import { hookNames } from '../model/hook.ts';
import { streams } from './addresses.ts';
import { cacheHandlers } from './cache-handlers.ts';
import { environmentHandlers } from './environment-handlers.ts';
import { instanceHandlers } from './instance-handlers.ts';
import { lifecycleHandlers } from './lifecycle-handlers.ts';
import { metricHandlers } from './metric-handlers.ts';
import { answerMetrics } from './metrics-server.ts';
import { openApiDocument } from './openapi.ts';
import type { Route } from './route.ts';
import { type AnswerOf, type RouteName, routes } from './routes.ts';
import { signingHandlers } from './signing-handlers.ts';

/** A stream with nothing to say says so, or its reader could not tell it from a dead one. */
const STREAM_HEARTBEAT_MS = 15_000;
/** A replay longer than this begins with the newest so many. */
const REPLAY_LIMIT = 10_000;

type ParamsOf<Name extends RouteName> = z.output<(typeof routes)[Name]['params']>;
type QueryOf<Name extends RouteName> = z.output<(typeof routes)[Name]['query']>;
type BodyOf<Name extends RouteName> = (typeof routes)[Name]['body'] extends z.ZodType
  ? z.output<(typeof routes)[Name]['body']>
  : Readable;

export type Handlers = {
  [Name in RouteName]: (input: {
    params: ParamsOf<Name>;
    query: QueryOf<Name>;
    body: BodyOf<Name>;
  }) => AnswerOf<Name> | Promise<AnswerOf<Name>>;
};

export interface ApiParts {
  control: Control;
  clock: Clock;
  log: Log;
  /** Ends the daemon, after the answer is out. */
  stop: () => void;
}

/** The HTTP face of control; the app can be asked in-process, without a socket. */
export function createApi({ control, clock, log, stop }: ApiParts): Hono {
  const api = new Hono();
  const handlers = handlersOver(control, stop);
  for (const name of Object.keys(routes) as RouteName[]) addRoute(api, name, handlers);
  api.get('/v1/openapi.json', (context) => context.json(openApiDocument()));
  api.get('/metrics', (context) => answerMetrics(context, control));
  api.get(streams.events, (context) => streamEvents(context, control, clock));
  api.get(streams.logs, (context) => streamLogs(context, control));
  api.notFound((context) =>
    context.json({ fault: unknownRoute(context.req.method, context.req.path).toJSON() }, 404),
  );
  api.onError((thrown, context) => {
    if (!(thrown instanceof Fault)) {
      log.error({ path: context.req.path, fault: messageOf(thrown), stack: thrown.stack }, 'fault');
    }
    const fault = thrown instanceof Fault ? thrown : unexpected(thrown);
    return context.json({ fault: fault.toJSON() }, statusOf(fault));
  });
  return api;
}

/**
 * Listens on the unix socket, for its owner alone. A socket file nobody answers on is replaced.
 *
 * @throws `home-in-use`
 */
export async function listenApi(api: Hono, socketPath: string): Promise<Server> {
  if (await answers(socketPath)) {
    throw new Fault({
      code: 'home-in-use',
      message: 'another daemon answers on this home',
      subject: socketPath,
      hint: 'see it with: belay daemon status',
    });
  }
  await rm(socketPath, { force: true });
  const server = createAdaptorServer({ fetch: api.fetch }) as Server;
  const mask = process.umask(0o177);
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(socketPath, resolve);
    });
  } finally {
    process.umask(mask);
  }
  chmodSync(socketPath, 0o600);
  return server;
}

function answers(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(socketPath);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

function handlersOver(control: Control, stop: () => void): Handlers {
  return {
    daemon: () => control.queries.daemon(),
    async stopDaemon({ body }) {
      if (body.edge) await control.stopEdge();
      stop();
      return { stopping: true };
    },
    upgradeEdge: () => control.upgradeEdge(),
    edgeSettings: () => control.queries.edgeSettings(),
    setEdgeSettings: ({ body }) => control.setEdgeSettings(body),
    ledger: () => control.queries.ledger(),
    traffic: () => control.queries.allTraffic(),
    environments: async ({ query }) => ({
      environments: await control.queries.environments(query.application),
    }),
    environment: ({ params }) =>
      control.queries.environment(params.application, params.environment),
    bundle: async ({ params, query: { files, sizeBytes } }) => {
      const size = files === undefined || sizeBytes === undefined ? null : { files, sizeBytes };
      return { present: await control.care.has(params.digest, size) };
    },
    async putBundle({ params, query, body }) {
      try {
        await control.care.receive(params.digest, body, query);
      } finally {
        // To its end in any case: a sender whose connection breaks would never read why.
        body.resume();
        await finished(body).catch(() => undefined);
      }
      return { present: true };
    },
    async deploy({ params, body }) {
      const { configuration, version, lifecycle, unchanged, ...manner } = body;
      if (version && configuration.hooks.build) await control.care.requireRoom(version);
      const request = { kind: 'deploy', configuration, version, unchanged } as const;
      const outcome = await control.operations.ask(params, request, manner);
      if (lifecycle) control.housekeeping.follow(params.application, lifecycle);
      return outcome;
    },
    deployments: ({ params, query }) => ({
      deployments: control.queries.deployments(params.application, params.environment, query.limit),
    }),
    deployment: ({ params }) =>
      control.queries.deployment(params.application, params.environment, params.number),
    promote: ({ params }) => ({
      deployment: control.operations.promote(params.application, params.environment),
    }),
    abort: ({ params }) => ({
      deployment: control.operations.abort(params.application, params.environment),
    }),
    rollback: ({ params, body: { to, ...manner } }) =>
      control.operations.ask(params, { kind: 'rollback', to }, manner),
    restart: ({ params, body }) => control.operations.ask(params, { kind: 'restart' }, body),
    forecast: ({ params, body }) => control.forecasts.deploy(params, body.configuration),
    tickets: ({ params, query }) => ({
      tickets: control.operations.tickets(params.application, params.environment, query.limit),
    }),
    cancel: ({ params, body }) => ({
      ticket: control.operations.cancel(
        params.application,
        params.environment,
        params.number,
        body.by,
      ),
    }),
    freeze({ params, body }) {
      control.operations.freeze(params.application, params.environment, body);
      return control.queries.environment(params.application, params.environment);
    },
    unfreeze({ params, body }) {
      control.operations.unfreeze(params.application, params.environment, body.by);
      return control.queries.environment(params.application, params.environment);
    },
    scale({ params, body: { force, ...change } }) {
      const { application, environment } = params;
      control.operations.scale(application, environment, definedOnly(change), force);
      return control.queries.environment(params.application, params.environment);
    },
    scaling: ({ params, query }) =>
      control.queries.scaling(params.application, params.environment, query.limit),
    async terminate({ params }) {
      // Read first: with nothing to drain, it would be gone before it could be read.
      const view = await control.queries.environment(params.application, params.environment);
      control.operations.terminate(params.application, params.environment);
      return { ...view, status: 'terminating' as const };
    },
    variables: ({ params }) => ({
      variables: control.queries.variables(params.application, params.environment),
    }),
    setVariables: ({ params, body: { set, unset, ...manner } }) =>
      control.operations.ask(params, { kind: 'env', set, unset }, manner),
    versions: async ({ params: { application } }) => ({
      versions: await control.housekeeping.versions(
        application,
        control.queries.versions(application),
      ),
    }),
    prune: ({ params, body }) => control.housekeeping.prune(params.application, body),
    versionFiles: async ({ params }) => ({
      files: await control.queries.versionFiles(params.application, params.label),
    }),
    releases: ({ params }) => ({
      releases: control.queries.releases(params.application, params.environment),
    }),
    release: ({ params }) =>
      control.queries.release(params.application, params.environment, params.number),
    logs: async ({ params, query }) => ({
      instances: await control.logs.tail(params.application, params.environment, query, {
        tail: query.tail,
      }),
    }),
    events: ({ query }) => ({ events: control.queries.events(definedOnly(query)) }),
    ...cacheHandlers(control),
    ...environmentHandlers(control),
    ...instanceHandlers(control),
    ...lifecycleHandlers(control),
    ...signingHandlers(control),
    ...metricHandlers(control),
  };
}

function addRoute(api: Hono, name: RouteName, handlers: Handlers): void {
  const route: Route = routes[name];
  api.on(route.method, route.path, async (context) => {
    const input = {
      params: parse(route.params, context.req.param(), 'path'),
      query: parse(route.query, context.req.query(), 'query'),
      body: route.body
        ? parse(route.body, await jsonOf(context), 'body')
        : Readable.fromWeb(
            (context.req.raw.body ?? emptyBody()) as Parameters<typeof Readable.fromWeb>[0],
          ),
    };
    // The table ties each name to its input's type; that the two match is checked by Handlers.
    const handler = handlers[name] as unknown as (given: typeof input) => unknown;
    return context.json((await handler(input)) as object);
  });
}

const emptyBody = () => new Blob([]).stream();

async function jsonOf(context: Context): Promise<unknown> {
  const text = await context.req.text();
  try {
    return text === '' ? {} : JSON.parse(text);
  } catch (cause) {
    throw new Fault({ code: 'bad-request', message: 'the body is not JSON', cause });
  }
}

function parse<T>(schema: z.ZodType<T>, value: unknown, where: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const problems = result.error.issues.map((issue) => ({
    path: [where, ...issue.path.map(String)].join('.'),
    message: issue.message,
  }));
  throw new Fault({
    code: 'bad-request',
    message: problems.map(({ path, message }) => `${path}: ${message}`).join('; '),
    details: { problems },
  });
}

function streamEvents(context: Context, control: Control, clock: Clock): Response {
  const environment = context.req.query('environment');
  const last = context.req.header('last-event-id') ?? context.req.query('after');
  return streamSSE(context, async (stream) => {
    const pending: BelayEvent[] = [];
    let wake: () => void = () => {};
    const unsubscribe = control.subscribe((event) => {
      if (environment !== undefined && event.environment !== environment) return;
      pending.push(event);
      wake();
    });
    stream.onAbort(() => {
      unsubscribe();
      wake();
    });
    let sent = last === undefined ? Number.NaN : Number(last);
    if (Number.isFinite(sent)) {
      const query = environment === undefined ? {} : { environment };
      pending.unshift(...control.queries.events({ ...query, after: sent, limit: REPLAY_LIMIT }));
    } else sent = 0;
    const heartbeat = clock.every(STREAM_HEARTBEAT_MS, () => void stream.write(': still here\n\n'));
    await stream.write(': connected\n\n');
    while (!stream.aborted) {
      for (const event of pending.splice(0)) {
        if (event.id <= sent) continue;
        sent = event.id;
        await stream.writeSSE({ id: String(event.id), data: JSON.stringify(event) });
      }
      if (pending.length > 0 || stream.aborted) continue;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    heartbeat.cancel();
  });
}

function streamLogs(context: Context, control: Control): Response {
  const { application = '', environment = '' } = context.req.param();
  const instance = context.req.query('instance');
  const hook = hookNames.find((name) => name === context.req.query('hook'));
  const stopped = new AbortController();
  const lines = control.logs.follow(application, environment, { instance, hook }, stopped.signal);
  return streamSSE(context, async (stream) => {
    stream.onAbort(() => stopped.abort());
    await stream.write(': connected\n\n');
    for await (const line of lines) await stream.writeSSE({ data: JSON.stringify(line) });
  });
}

/** Leaves out what was not given, for callers that tell absent from undefined. */
function definedOnly<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  const defined = Object.entries(value).filter(([, each]) => each !== undefined);
  return Object.fromEntries(defined) as { [K in keyof T]: Exclude<T[K], undefined> };
}

const unknownRoute = (method: string, path: string): Fault =>
  new Fault({ code: 'unknown-route', message: `there is no ${method} ${path}`, subject: path });

const unexpected = (thrown: unknown): Fault =>
  new Fault({
    code: 'internal',
    message: `the daemon could not do that: ${messageOf(thrown)}`,
    hint: 'its log says more: daemon.log in the home',
  });

const CONFLICTS = new Set([
  'operation-in-progress',
  'already-going-back',
  'already-there',
  'nothing-to-abort',
  'nothing-to-promote',
  'nothing-to-roll-back-to',
  'environment-terminating',
  'environments-running',
  'deployments-frozen',
  'outside-window',
  'unsuitable-policy',
  'overcommitted',
  'size-has-no-say',
  'queue-full',
  'signing-key-in-use',
  'too-many-signing-keys',
  'ticket-ended',
  'not-frozen',
  'domain-taken',
  'names-swapped',
  'environment-exists',
  'saved-configuration-exists',
  'not-ready',
  'not-in-service',
  'not-on-standby',
  'not-waiting',
  'release-left',
  'no-cache',
  'no-release',
  'bundle-damaged',
]);

function statusOf(fault: Fault): ContentfulStatusCode {
  if (CONFLICTS.has(fault.code)) return 409;
  if (fault.code.startsWith('unknown-')) return 404;
  if (fault.code === 'bundle-gone') return 410;
  if (fault.code === 'internal') return 500;
  if (fault.code === 'disk-full' || fault.code === 'disk-floor') return 507;
  if (fault.code.startsWith('edge-')) return 503;
  return 400;
}
