import { mkdirSync } from 'node:fs';
import { createMetricsApi, listenMetrics, parseMetricsAddress } from './api/metrics-server.ts';
import { createApi, listenApi } from './api/server.ts';
import { openBundles } from './bundle/bundles.ts';
import { openImages } from './bundle/images.ts';
import { parseSize } from './config/size.ts';
import { Control } from './control/control.ts';
import type { Boundary } from './control/performer.ts';
import { createEdgeClient } from './edge/client.ts';
import { httpProber } from './edge/prober.ts';
import { systemClock } from './kernel/clock.ts';
import { Fault, messageOf } from './kernel/fault.ts';
import { fileLog, type Log } from './kernel/log.ts';
import { readMachine } from './kernel/machine.ts';
import type { DiskFloor } from './model/disk-floor.ts';
import { type Home, homeFrom } from './model/home.ts';
import { readBootId } from './runtime/process/process-table.ts';
import { createProcessRuntime } from './runtime/process/runtime.ts';
import { openSqliteStore } from './store/sqlite.ts';

/**
 * The daemon's composition root: the one place that names the concrete drivers.
 */

/** What people type into a browser; loopback until they say otherwise. */
const EDGE_HOSTS = ['127.0.0.1', '::1'];
const DEFAULT_HTTP_PORT = 8080;

export async function runDaemon(version: string): Promise<void> {
  const home = homeFrom(process.env);
  mkdirSync(home.root, { recursive: true, mode: 0o700 });
  const log = fileLog(home.daemonLog, 'daemon');
  try {
    await serve(home, version, log);
  } catch (thrown) {
    // Whoever started it reads these from the log, and tells them as its own fault.
    const { code, subject, hint } = thrown instanceof Fault ? thrown.toJSON() : {};
    log.fatal({ code, subject, hint }, messageOf(thrown));
    process.exitCode = 1;
  }
}

async function serve(home: Home, version: string, log: Log): Promise<void> {
  const clock = systemClock;
  const metricsAddress = parseMetricsAddress(process.env.BELAY_METRICS);
  const store = openSqliteStore(home.database);
  const control = new Control({
    store,
    runtime: createProcessRuntime({ home: home.root, clock, log }),
    edge: createEdgeClient({
      home: home.root,
      hosts: EDGE_HOSTS,
      ...httpPort(process.env.BELAY_HTTP),
      clock,
      log,
    }),
    prober: httpProber(clock),
    bundles: await openBundles(home.versions),
    images: openImages(home.versions),
    clock,
    log,
    version,
    home: home.root,
    diskFloor: diskFloor(process.env.BELAY_DISK_FLOOR),
    bootId: readBootId(),
    freeMemoryBytes: () => process.availableMemory(),
    machine: () => readMachine(),
    boundary: crashDrill(process.env.BELAY_CRASH_AT, log),
  });
  let stop: () => void = () => {};
  const stopped = new Promise<void>((resolve) => {
    stop = resolve;
  });
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stop());
  process.on('SIGHUP', () => {});

  const metrics =
    metricsAddress && (await listenMetrics(createMetricsApi(control), metricsAddress));
  await control.start();
  const api = createApi({ control, clock, log, stop: () => stop() });
  const server = await listenApi(api, home.socket);
  log.info({ version, home: home.root, metrics: metrics?.address() }, 'ready');
  await stopped;
  log.info('stopping; the edge and the instances go on');
  await control.close();
  metrics?.close();
  // The socket last: who sees it dead may start another daemon on this home.
  server.close();
  process.exit(0);
}

/** @throws `bad-port` */
function httpPort(value: string | undefined): { port: number; fallback: boolean } {
  if (value === undefined || value === '') return { port: DEFAULT_HTTP_PORT, fallback: true };
  const port = Number(value);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new Fault({
      code: 'bad-port',
      message: `BELAY_HTTP is '${value}', which is not a port`,
      subject: 'BELAY_HTTP',
      hint: 'give it a number from 1 to 65535, or 0 for any free port',
    });
  }
  return { port, fallback: false };
}

/**
 * `5gb` or `10%`; null when it is not set.
 *
 * @throws `bad-disk-floor`
 */
function diskFloor(value: string | undefined): DiskFloor | null {
  if (value === undefined || value === '') return null;
  if (value === '0') return { unit: 'bytes', amount: 0 };
  const percent = /^(\d{1,2})%$/.exec(value)?.[1];
  if (percent !== undefined) return { unit: 'percent', amount: Number(percent) };
  try {
    return { unit: 'bytes', amount: parseSize(value) };
  } catch (cause) {
    throw new Fault({
      code: 'bad-disk-floor',
      message: `BELAY_DISK_FLOOR ${messageOf(cause)}`,
      subject: 'BELAY_DISK_FLOOR',
      hint: "give it a size, as in '2gb', a share of the disk, as in '5%', or 0 for none",
      cause,
    });
  }
}

/**
 * `BELAY_CRASH_AT=n` ends the daemon with SIGKILL at the n-th point where a crash could fall between
 * two writes. For drills: whatever n, the next life must carry on as if nothing had happened.
 */
function crashDrill(value: string | undefined, log: Log): Boundary {
  const crashAt = Number(value ?? 0);
  if (!Number.isInteger(crashAt) || crashAt < 1) return () => {};
  let passed = 0;
  return (point) => {
    passed += 1;
    if (passed !== crashAt) return;
    log.warn({ point, passed }, 'crash drill');
    process.kill(process.pid, 'SIGKILL');
  };
}
