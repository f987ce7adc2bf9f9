import type { Server } from 'node:http';
import { isIP } from 'node:net';
import { createAdaptorServer } from '@hono/node-server';
import { type Context, Hono } from 'hono';
import type { Control } from '../control/control.ts';
import { Fault, systemCode } from '../kernel/fault.ts';
import { EXPOSITION_TYPE, exposition } from './exposition.ts';
import { metricFamilies } from './metrics.ts';

/** `/metrics` for Prometheus: on the API's socket, and on a port of loopback where one is named. */

const LOOPBACK = new Set(['127.0.0.1', '::1', 'localhost']);

export async function answerMetrics(context: Context, control: Control): Promise<Response> {
  const [daemon, reading] = await Promise.all([
    control.queries.daemon(),
    control.queries.allTraffic().catch(nullIfUnreachable),
  ]);
  const environments = reading?.environments ?? (await control.queries.environments());
  const families = metricFamilies(daemon, environments, reading, control.metrics.now());
  const text = exposition(families);
  return context.body(text, 200, { 'content-type': EXPOSITION_TYPE });
}

/** An edge that cannot be reached is something to tell, not a failure to tell. */
function nullIfUnreachable(thrown: unknown): null {
  if (thrown instanceof Fault && thrown.code.startsWith('edge-')) return null;
  throw thrown;
}

export interface MetricsAddress {
  host: string;
  port: number;
}

/**
 * `9464`, `127.0.0.1:9464`, `[::1]:9464`. Only loopback: what runs here and how much is nobody
 * else's business, and there is no password.
 *
 * @returns null when nothing is named
 * @throws `bad-port`
 */
export function parseMetricsAddress(value: string | undefined): MetricsAddress | null {
  if (value === undefined || value === '') return null;
  const [, host = '127.0.0.1', port] = /^(?:(.+):)?(\d{1,5})$/.exec(value) ?? [];
  const bare = host.replace(/^\[(.*)\]$/, '$1');
  if (port === undefined || Number(port) > 65_535) {
    throw badAddress(`BELAY_METRICS is '${value}', which is not a port`);
  }
  if (!LOOPBACK.has(bare)) {
    throw badAddress(`BELAY_METRICS is '${value}', which is not an address of loopback`);
  }
  return { host: bare, port: Number(port) };
}

/** Answers `/metrics` and nothing else. A page in a browser that got here by a name of its own is refused. */
export function createMetricsApi(control: Control): Hono {
  const api = new Hono();
  api.use(async (context, next) => {
    if (!isLoopbackHost(context.req.header('host') ?? '')) return context.text('', 403);
    return await next();
  });
  api.get('/metrics', (context) => answerMetrics(context, control));
  return api;
}

/** @throws `port-in-use` */
export async function listenMetrics(api: Hono, { host, port }: MetricsAddress): Promise<Server> {
  const server = createAdaptorServer({ fetch: api.fetch }) as Server;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => reject(notListening(cause, host, port)));
    server.listen(port, host, resolve);
  });
  return server;
}

function isLoopbackHost(host: string): boolean {
  const name = host.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
  return isIP(name) !== 0 || name === 'localhost' || name.endsWith('.localhost');
}

function badAddress(message: string): Fault {
  return new Fault({
    code: 'bad-port',
    message,
    subject: 'BELAY_METRICS',
    hint: 'give it a port, as in 9464, or a port of loopback, as in 127.0.0.1:9464',
  });
}

function notListening(cause: unknown, host: string, port: number): Fault {
  const taken = systemCode(cause) === 'EADDRINUSE';
  return new Fault({
    code: taken ? 'port-in-use' : 'bad-port',
    message: taken
      ? `port ${port} of ${host}, for the metrics, is in use`
      : `the metrics cannot be served on port ${port} of ${host}`,
    subject: 'BELAY_METRICS',
    hint: 'set BELAY_METRICS to another port',
    cause,
  });
}
