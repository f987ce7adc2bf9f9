import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkAnswers } from './edge/answer-check.ts';
import { startBelay } from './edge/belay.ts';
import type { Contender } from './edge/contender.ts';
import type { Measure } from './edge/measure.ts';
import { cpuMeasures } from './edge/measures/cpu-per-request.ts';
import { download } from './edge/measures/download.ts';
import { idleConnections } from './edge/measures/idle-connections.ts';
import { latency } from './edge/measures/latency.ts';
import { workers } from './edge/measures/workers.ts';
import { type EdgeBenchOptions, parseOptions } from './edge/options.ts';
import { startOrigin } from './edge/origin.ts';
import { type Peer, peers, startPeer } from './edge/peers.ts';
import { isInstalled } from './edge/processes.ts';
import { type Row, report } from './report.ts';

/**
 * The edge beside its peers, in one run and in turn, as ratios: `npm run bench:edge [-- OPTIONS]`.
 * docs/performance.md says what each measure is; `--help` says the options.
 */

const measures: readonly Measure[] = [...cpuMeasures, download, workers, idleConnections, latency];

const INTERRUPTED = 130;
/** Debian's, where they are not named after the program. */
const PACKAGES: Record<string, string> = { taskset: 'util-linux' };

async function main(): Promise<void> {
  const options = parseOptions(
    process.argv.slice(2),
    measures.map(({ name }) => name),
    peers.map(({ name }) => name),
  );
  const asked = measures.filter(({ name }) => options.only.includes(name)).filter(hasItsNeeds);
  const present = peers.filter(({ name }) => options.peers.includes(name)).filter(isPresent);
  report(asked.length === 0 ? [] : await run(asked, present, options));
}

async function run(
  asked: readonly Measure[],
  present: readonly Peer[],
  { seconds, rounds }: EdgeBenchOptions,
): Promise<Row[]> {
  const folder = mkdtempSync(join(tmpdir(), 'belay-bench-'));
  // nginx serves as nobody when it is started by root.
  chmodSync(folder, 0o755);
  const running: Contender[] = [];
  // An interrupted measurement leaves nothing behind either.
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(INTERRUPTED));
  const keep = <Each extends Contender>(contender: Each): Each => {
    running.push(contender);
    return contender;
  };
  try {
    const origin = keep(await startOrigin(folder));
    const ours = keep(await startBelay(folder, origin.port));
    const rivals: Contender[] = [];
    for (const peer of present) rivals.push(keep(await startPeer(peer, folder, origin.port)));
    for (const contender of [ours, ...rivals]) await checkAnswers(contender);
    const rows: Row[] = [];
    for (const measure of asked) {
      process.stderr.write(`${measure.name} …\n`);
      const bench = { folder, origin, ours, rivals, peers: present, seconds, rounds };
      rows.push(...(await measure.run(bench)));
    }
    return rows.map((each) => ({ ...each, name: `edge: ${each.name}` }));
  } finally {
    for (const contender of running.reverse()) await contender.stop();
  }
}

function hasItsNeeds({ name, needs }: Measure): boolean {
  const missing = needs.filter((program) => !isInstalled(program));
  for (const program of missing) {
    const installed = PACKAGES[program] ?? program;
    process.stderr.write(`SKIPPED ${name}: no ${program} here; \`apt-get install ${installed}\`\n`);
  }
  return missing.length === 0;
}

function isPresent({ name, install, version }: Peer): boolean {
  const found = version();
  if (found === null) process.stderr.write(`SKIPPED ${name}: not here; \`${install}\`\n`);
  else process.stderr.write(`${name} ${found}\n`);
  return found !== null;
}

await main();
