import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { systemClock } from '../../../src/kernel/clock.ts';
import { beside, held, median, type Row, row } from '../../report.ts';
import { startBelay } from '../belay.ts';
import { type Contender, freePort, started } from '../contender.ts';
import { wrk } from '../load.ts';
import type { Bench, Measure } from '../measure.ts';
import { startPeer } from '../peers.ts';
import { memoryBytes, ownChild, start, stop } from '../processes.ts';

/** Added memory for each of ten thousand connections that have made a request and are kept open. */

const CONNECTIONS = 10_000;
/** Descriptors that whoever holds them needs beside them. */
const SPARE_DESCRIPTORS = 600;
const MAX_BYTES = 8 * 1024;
/** A process that has just started grows whatever it does: so each has served for a while first. */
const WARM_UP_SECONDS = 2;
/** Connections to the origin have gone by then, and what is collected at leisure is. */
const SETTLE_MS = 6_000;
const MAX_ROUNDS = 3;
const BARE_SOCKETS = 'bare Node sockets';

export const idleConnections: Measure = {
  name: 'idle',
  needs: ['wrk'],
  async run(bench) {
    const descriptors = descriptorLimit();
    if (descriptors < CONNECTIONS + SPARE_DESCRIPTORS) {
      process.stderr.write(
        `SKIPPED idle: a process may open ${descriptors} files here; \`ulimit -n 20000\` first\n`,
      );
      return [];
    }
    const figures = new Map<string, number[]>();
    for (let round = 0; round < Math.min(MAX_ROUNDS, bench.rounds); round += 1) {
      for (const [name, bytes] of await bytesPerConnection(bench)) {
        figures.set(name, [...(figures.get(name) ?? []), bytes]);
      }
    }
    return rowsOf(figures);
  },
};

function rowsOf(figures: ReadonlyMap<string, number[]>): Row[] {
  const title = '10,000 idle connections: memory for each';
  const [[, ours] = ['', []], ...others] = figures;
  return others.map(([name, values]) => {
    process.stderr.write(`  ${name}: ${values.map(Math.round).join(', ')} B\n`);
    const compared = beside(name, row(title, median(ours), median(values), 'B'));
    const bound = { of: 'ours', limit: 'at most', value: MAX_BYTES } as const;
    return name === BARE_SOCKETS ? held(compared, bound) : compared;
  });
}

/** Of new processes each time, ours first. */
async function bytesPerConnection(bench: Bench): Promise<Map<string, number>> {
  const { folder, origin, peers } = bench;
  const holders: Contender[] = [];
  try {
    holders.push(await startBelay(folder, origin.port));
    holders.push(await startBareSockets());
    for (const peer of peers) holders.push(await startPeer(peer, folder, origin.port));
    for (const holder of holders) await wrk(holder, { path: '/small' }, WARM_UP_SECONDS);
    await systemClock.sleep(SETTLE_MS);
    const figures = new Map<string, number>();
    for (const holder of holders) figures.set(holder.name, await addedBytes(holder));
    return figures;
  } finally {
    for (const holder of holders) await holder.stop();
  }
}

async function addedBytes(holder: Contender): Promise<number> {
  const before = memoryBytes(holder.pids);
  const client = await connectClient(holder);
  try {
    await systemClock.sleep(SETTLE_MS);
    if (client.exitCode !== null) throw new Error(`${holder.name} closed an idle connection`);
    return (memoryBytes(holder.pids) - before) / CONNECTIONS;
  } finally {
    await stop(client);
  }
}

/** What Node itself needs for a connection. */
async function startBareSockets(): Promise<Contender> {
  const port = await freePort();
  const program = join(import.meta.dirname, '../bare-sockets-process.ts');
  return started(BARE_SOCKETS, port, start(process.execPath, [program, `${port}`]));
}

/** Resolves when every connection has had its answer. */
async function connectClient({ name, port }: Contender): Promise<ChildProcess> {
  const program = join(import.meta.dirname, '../idle-client-process.ts');
  const child = ownChild(
    spawn(process.execPath, [program, `${port}`, `${CONNECTIONS}`], {
      stdio: ['ignore', 'pipe', 'inherit'],
    }),
  );
  for await (const line of createInterface({ input: child.stdout })) {
    if (line === 'open') return child;
  }
  throw new Error(`${name} does not hold ${CONNECTIONS} connections`);
}

/** Node has raised its own limit to the hard one as it started, and its children inherit it. */
function descriptorLimit(): number {
  const limits = readFileSync('/proc/self/limits', 'latin1');
  return Number(/^Max open files\s+(\d+)/m.exec(limits)?.[1] ?? 0);
}
