import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../src/kernel/clock.ts';
import { type BelayDeployer, startBelay } from './deploys/belay.ts';
import { type Account, type Client, startClient } from './deploys/client.ts';
import { BOOT_MS, type Deployer } from './deploys/deployer.ts';
import { installPm2, startPm2 } from './deploys/pm2.ts';
import { type House, openHouse } from './house.ts';
import { beside, held, median, type Row, report, row } from './report.ts';

/**
 * What a deployment costs those who use the app, beside PM2's reload, and how long it takes:
 * `npm run bench:deploys [-- --json]`. docs/performance.md says what each figure is.
 */

const INSTANCES = 3;
const ROUNDS = 3;
const RATE_PER_SECOND = 200;
/** Before and after each deployment. */
const MARGIN_MS = 500;
/** `healthyFor` of the default policy. */
const HEALTHY_MS = 200;
/** Of the sum of what cannot be avoided. */
const OVERHEAD = 1.2;
const FLEET = 20;
const FLEET_BATCHES = 4;
const MAX_FLEET_S = 6;
const MAX_FLIP_S = 1;

interface Figures {
  lost: number;
  longestGapMs: number;
  tookMs: number;
  p99Ms: number;
}

const folder = mkdtempSync(join(tmpdir(), 'belay-bench-'));
const house = openHouse();
try {
  report([...(await besidePm2(house)), await fleet(house), ...(await flips(house))]);
} finally {
  await house.close();
  rmSync(folder, { recursive: true, force: true });
}

async function besidePm2(house: House): Promise<Row[]> {
  const deploy = '';
  const ours = await startBelay(house, { name: 'ours', instances: INSTANCES, deploy });
  const single = await startBelay(house, { name: 'single', instances: 1, deploy });
  const peers: Deployer[] = [];
  try {
    process.stderr.write('SKIPPED Docker Swarm: not measured; docs/performance.md says why\n');
    if (await installPm2(folder)) {
      peers.push(await startPm2(folder, 'cluster', INSTANCES), await startPm2(folder, 'fork', 1));
    }
    const figures = await inTurn([ours, single, ...peers]);
    return [ours, single].flatMap((our) => {
      const figuresOf = (each: Deployer): Figures | undefined => figures.get(each);
      const peer = peers.find(({ instances }) => instances === our.instances);
      const theirs = peer && { name: peer.name, figures: figuresOf(peer) };
      return rowsOf(our, figuresOf(our), theirs?.name ?? null, theirs?.figures);
    });
  } finally {
    for (const each of [ours, single, ...peers]) await each.stop();
  }
}

/** Each deploys once, then the next round begins; what is lost is added up, of the rest the median counts. */
async function inTurn(deployers: readonly Deployer[]): Promise<Map<Deployer, Figures>> {
  const rounds = new Map<Deployer, Figures[]>(deployers.map((each) => [each, []]));
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [deployer, figures] of rounds) {
      process.stderr.write(`${deployer.name}, ${deployer.instances} …\n`);
      const { account, tookMs } = await underLoad(deployer, () => deployer.deploy(round + 2));
      tellFailures(deployer, account);
      figures.push({ ...account, tookMs });
    }
  }
  return new Map(
    [...rounds].map(([deployer, figures]) => [
      deployer,
      {
        lost: figures.reduce((total, { lost }) => total + lost, 0),
        longestGapMs: Math.max(...figures.map((each) => each.longestGapMs)),
        tookMs: median(figures.map((each) => each.tookMs)),
        p99Ms: median(figures.map((each) => each.p99Ms)),
      },
    ]),
  );
}

async function underLoad(
  { port, host }: Deployer,
  act: () => Promise<void>,
): Promise<{ account: Account; tookMs: number; startedAt: number }> {
  const client: Client = startClient({ port, host, ratePerSecond: RATE_PER_SECOND });
  try {
    await client.begin();
    await systemClock.sleep(MARGIN_MS);
    const begunMs = systemClock.monotonic();
    const startedAt = systemClock.now();
    await act();
    const tookMs = systemClock.monotonic() - begunMs;
    await systemClock.sleep(MARGIN_MS);
    return { account: await client.end(), tookMs, startedAt };
  } finally {
    client.stop();
  }
}

function tellFailures({ name }: Deployer, { sent, failures }: Account): void {
  for (const [what, count] of Object.entries(failures)) {
    process.stderr.write(`${name}: ${count} of ${sent}: ${what}\n`);
  }
}

function rowsOf(
  { instances, bootMs, durationsMs }: BelayDeployer,
  ours: Figures | undefined,
  name: string | null,
  theirs: Figures | undefined,
): Row[] {
  if (ours === undefined) return [];
  const named = (what: string) =>
    `deploys: ${what}, ${instances} instance${instances === 1 ? '' : 's'}`;
  const of = (what: string, figure: (figures: Figures) => number, unit: string): Row => {
    const peer = theirs === undefined ? null : figure(theirs);
    const made = row(named(what), figure(ours), peer, unit);
    const whole = { ...made, ratio: peer === 0 ? null : made.ratio };
    return name === null ? whole : beside(name, whole);
  };
  const unavoidableS = (instances * (bootMs + HEALTHY_MS)) / 1000;
  const none = { of: 'ours', limit: 'at most', value: 0 } as const;
  const quick = { of: 'ratio', limit: 'at most', value: OVERHEAD } as const;
  const durationS = median(durationsMs) / 1000;
  return [
    held(
      of('requests lost', ({ lost }) => lost, 'requests'),
      none,
    ),
    of('longest gap', ({ longestGapMs }) => longestGapMs, 'ms'),
    of('p99 during', ({ p99Ms }) => p99Ms, 'ms'),
    of('command to done', ({ tookMs }) => tookMs / 1000, 's'),
    held(beside('boots and checks', row(named('deployment'), durationS, unavoidableS, 's')), quick),
  ];
}

/** Many instances, by quarters. */
async function fleet(house: House): Promise<Row> {
  const deploy = "{ policy: 'rolling', batch: '25%', extra: '25%' }";
  const ours = await startBelay(house, { name: 'fleet', instances: FLEET, deploy });
  try {
    const { account, tookMs } = await underLoad(ours, () => ours.deploy(2));
    tellFailures(ours, account);
    const name = `deploys: ${FLEET} instances in ${FLEET_BATCHES} batches, boot in ${BOOT_MS} ms`;
    const bound = { of: 'ours', limit: 'at most', value: MAX_FLEET_S } as const;
    return held(row(name, tookMs / 1000, null, 's'), bound);
  } finally {
    await ours.stop();
  }
}

/** From the command to the last answer of the release that is left. */
async function flips(house: House): Promise<Row[]> {
  const rows: Row[] = [];
  const quick = "bake: '2s', minRequests: 20";
  const policies = {
    immutable: "{ policy: 'immutable', keep: '5m' }",
    canary: `{ policy: 'canary', percent: 20, ${quick}, keep: '5m' }`,
    'blue-green': "{ policy: 'blue-green', keep: '5m' }",
  };
  for (const [name, deploy] of Object.entries(policies)) {
    const ours = await startBelay(house, { name, instances: INSTANCES, deploy });
    try {
      rows.push(await flip(name, ours));
    } finally {
      await ours.stop();
    }
  }
  return rows;
}

async function flip(name: string, ours: BelayDeployer): Promise<Row> {
  await underLoad(ours, () => ours.deploy(2));
  const { account, startedAt } = await underLoad(ours, () => ours.rollback());
  tellFailures(ours, account);
  const tookS = ((account.lastAnswerAt.v2 ?? startedAt) - startedAt) / 1000;
  const bound = { of: 'ours', limit: 'at most', value: MAX_FLIP_S } as const;
  return held(row(`deploys: rollback by flip, ${name}`, tookS, null, 's'), bound);
}
