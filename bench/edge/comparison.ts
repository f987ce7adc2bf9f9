import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Row, report } from '../report.ts';
import type { Contender } from './contender.ts';
import type { Measure } from './measure.ts';
import { type BenchOptions, parseOptions } from './options.ts';
import { type Peer, startPeer } from './peers.ts';
import { isInstalled } from './processes.ts';

/** Ours beside its peers: who stands there, before which origin, and what is measured. */
export interface Comparison {
  /** What `npm run` calls it. */
  command: string;
  /** What its rows begin with. */
  title: string;
  /** Programs without which nothing is measured. */
  needs: readonly string[];
  measures: readonly Measure[];
  peers: readonly Peer[];
  /** Names of those that `--short` takes. */
  shortPeers: readonly string[];
  startOrigin(folder: string): Promise<Contender>;
  startOurs(folder: string, originPort: number): Promise<Contender>;
  /** Whoever answers wrongly is not measured: throws. */
  check(contender: Contender, origin: Contender): Promise<void>;
}

const INTERRUPTED = 130;
/** Debian's, where they are not named after the program. */
const PACKAGES: Record<string, string> = { taskset: 'util-linux' };

/** Takes the measures that the command line asks for, all in one run and in turn, and reports. */
export async function compare(comparison: Comparison): Promise<void> {
  const options = parseOptions(process.argv.slice(2), {
    command: comparison.command,
    measures: comparison.measures.map(({ name }) => name),
    peers: comparison.peers.map(({ name }) => name),
    shortPeers: comparison.shortPeers,
  });
  const { measures, needs, peers } = comparison;
  const asked = measures
    .filter(({ name }) => options.only.includes(name))
    .filter((measure) => hasItsNeeds(measure, needs));
  const present = peers.filter(({ name }) => options.peers.includes(name)).filter(isPresent);
  report(asked.length === 0 ? [] : await run(comparison, asked, present, options));
}

async function run(
  { title, startOrigin, startOurs, check }: Comparison,
  asked: readonly Measure[],
  present: readonly Peer[],
  { seconds, rounds }: BenchOptions,
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
    const ours = keep(await startOurs(folder, origin.port));
    const rivals: Contender[] = [];
    for (const peer of present) rivals.push(keep(await startPeer(peer, folder, origin.port)));
    for (const contender of [ours, ...rivals]) await check(contender, origin);
    const rows: Row[] = [];
    for (const measure of asked) {
      process.stderr.write(`${measure.name} …\n`);
      const bench = { folder, origin, ours, rivals, peers: present, seconds, rounds };
      rows.push(...(await measure.run(bench)));
    }
    return rows.map((each) => ({ ...each, name: `${title}: ${each.name}` }));
  } finally {
    for (const contender of running.reverse()) await contender.stop();
  }
}

function hasItsNeeds({ name, needs }: Measure, more: readonly string[]): boolean {
  const missing = [...more, ...needs].filter((program) => !isInstalled(program));
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
