import { describe, expect, it } from 'vitest';
import { type Cell, coveringSample, everyCell } from '../../test/support/covering-sample.ts';
import {
  configuration,
  deployRequest,
  SimulatedControl,
} from '../../test/support/simulated-control.ts';
import {
  type Answers,
  answersWell,
  SimulatedTraffic,
} from '../../test/support/simulated-traffic.ts';
import type { Configuration, Hook, Rollout } from '../model/configuration.ts';
import type { Deployment } from '../model/deployment.ts';
import type { Behaviour } from '../runtime/memory.ts';

/**
 * Every policy, with fleets of every size, of releases that are bad in every way, while anything
 * happens: on the real control plane, planner and store, with a runtime and an edge that are data.
 * All combinations in the nightly run; by default a sample in which every two values meet.
 */

const KEEP_MS = 3_000;
const REQUESTS_PER_SECOND = 400;
const LOOK_MS = 20;
/** Nothing here takes longer, on the clock of the simulation. */
const PATIENCE_MS = 300_000;

const policies = {
  'rolling in place': { policy: 'rolling', batch: '25%', extra: 0 },
  'rolling with extra': { policy: 'rolling', batch: '25%', extra: '25%' },
  'all-at-once': { policy: 'all-at-once' },
  immutable: { policy: 'immutable' },
  'blue-green': { policy: 'blue-green', keepMs: KEEP_MS },
  canary: { policy: 'canary', percent: 10 },
  linear: { policy: 'linear', percent: 25 },
} satisfies Record<string, Partial<Rollout>>;

const migrate: Hook = {
  command: ['node', 'migrate.js'],
  variables: {},
  timeoutMs: 60_000,
  limits: { memoryBytes: null, cpu: null },
  turnsBack: true,
};

interface Release {
  /** How its migration ends; it has none where this is not given. */
  migration?: Behaviour['exits'];
  program?: Partial<Behaviour>;
  health?: 'initial';
  answers?: Answers;
}

const releases = {
  good: {},
  'crashes at boot': { program: { exits: { afterMs: 100, code: 3 } } },
  'is never healthy': { health: 'initial' },
  'fails 30 %': { answers: { ...answersWell, errorShare: 0.3 } },
  'is slow': { answers: { ...answersWell, latencyUs: 400_000 } },
  'hangs on SIGTERM': { program: { stopMs: null } },
  'fails to migrate': { migration: { afterMs: 200, code: 1 } },
} satisfies Record<string, Release>;

const dimensions = {
  policy: Object.keys(policies) as (keyof typeof policies)[],
  instances: [1, 2, 5, 20],
  release: Object.keys(releases) as (keyof typeof releases)[],
  fault: ['nothing', 'the daemon is killed', 'an instance is killed', 'an abort'],
} as const;

type Case = Cell<typeof dimensions>;

const cases = process.env.BELAY_NIGHTLY ? everyCell(dimensions) : coveringSample(dimensions);

describe('whatever is deployed, however, and whatever happens', () => {
  it.each(cases.map((each) => [Object.values(each).join(', '), each] as const))(
    '%s',
    async (_, each) => {
      await using trial = new Trial(each);
      await trial.begin();
      const deployment = await trial.run();
      expect(deployment).toMatchObject({ state: expectedVerdict(each), from: 1, to: 2 });
      expect(trial.fewest).toBeGreaterThanOrEqual(fewestAllowed(each));
      expect(trial.wrongTargets).toEqual([]);
      await trial.expectOneRelease(deployment);
    },
  );
});

function expectedVerdict({ policy, instances, release, fault }: Case): Deployment['state'] {
  if (fault === 'an abort') return 'aborted';
  if (release === 'good' || release === 'hangs on SIGTERM') return 'succeeded';
  if (release !== 'is slow') return 'rolled-back';
  // Latency is judged beside the old release, if anything of it is left.
  const isAlone = instances === 1 && fault === 'an instance is killed';
  return (policy === 'canary' || policy === 'linear') && !isAlone ? 'rolled-back' : 'succeeded';
}

/** The policy's minimum; those that the test itself kills are nobody's fault. */
function fewestAllowed({ policy, instances, fault }: Case): number {
  const batch = policy === 'rolling in place' ? Math.ceil(instances / 4) : 0;
  const killed = fault === 'an instance is killed' ? 2 : 0;
  return Math.max(0, instances - batch - killed);
}

const webOf = (desired: number, max: number): Configuration['web'] => ({
  ...configuration.web,
  capacity: { min: 1, desired, max },
});

/** One deployment of release 2 over release 1, under load. */
class Trial {
  /** In service and taking their share of the requests, at the worst moment. */
  fewest = Number.POSITIVE_INFINITY;
  /** What got requests and should not have. */
  readonly wrongTargets: string[] = [];
  readonly #each: Case;
  readonly #simulated = new SimulatedControl();
  readonly #traffic: SimulatedTraffic;
  readonly #releaseOf = new Map<string, number>();
  #faults = 0;
  #lives = 0;

  constructor(each: Case) {
    this.#each = each;
    const bad: Release = releases[each.release];
    const { behaviours, healths, hookEnds, edge } = this.#simulated;
    if (bad.migration) hookEnds.set('migrate', bad.migration);
    if (bad.program) behaviours.set('new', bad.program);
    if (bad.health) healths.set('new', bad.health);
    this.#traffic = new SimulatedTraffic(edge, REQUESTS_PER_SECOND, (id) =>
      this.#releaseOf.get(id) === 2 ? (bad.answers ?? answersWell) : answersWell,
    );
  }

  async begin(): Promise<void> {
    const { instances } = this.#each;
    await this.#simulated.start();
    await this.#simulated.deploy('old', { web: webOf(instances, 40) });
    await this.#simulated.settled();
    if (this.#each.fault !== 'the daemon is killed') return;
    await this.#simulated.control.close();
    await this.#live();
  }

  /** Until the verdict. */
  async run(): Promise<Deployment> {
    const { policy, instances, release } = this.#each;
    const rollout: Rollout = {
      ...configuration.rollout,
      ...{ healthyMs: 1_000, bakeMs: 5_000, ...policies[policy] },
    };
    const { migration }: Release = releases[release];
    const hooks = { ...configuration.hooks, migrate: migration ? migrate : null };
    const change = { web: webOf(instances, 41), rollout, hooks };
    // One instance in place: whoever insists.
    await this.#simulated.ask(deployRequest('new', change), { force: true });
    for (let passedMs = 0; passedMs < PATIENCE_MS; passedMs += LOOK_MS) {
      while (this.#simulated.crashed) await this.#liveAgain();
      const deployment = this.#simulated.deployment();
      if (deployment?.endedAt != null) return deployment;
      await this.#look();
      await this.#disturb();
      await this.#simulated.clock.advance(LOOK_MS);
    }
    throw new Error(`no verdict: ${JSON.stringify(this.#simulated.deployment())}`);
  }

  async #look(): Promise<void> {
    const slots = new Map((await this.#simulated.runtime.list()).map((slot) => [slot.id, slot]));
    for (const { id, release } of slots.values()) this.#releaseOf.set(id, release);
    const targets = (await this.#traffic.routed()).flatMap((pool) => pool.targets);
    this.wrongTargets.push(...targets.filter((id) => slots.get(id)?.listening !== true));
    this.fewest = Math.min(this.fewest, targets.length);
    await this.#traffic.pass(LOOK_MS);
  }

  async #disturb(): Promise<void> {
    const { fault } = this.#each;
    const { runtime, control, store } = this.#simulated;
    if (fault === 'an abort' && this.#faults === 0) {
      if ((await runtime.list()).every(({ release }) => release === 1)) return;
      this.#faults += 1;
      control.operations.abort('shop', 'production');
    }
    if (fault !== 'an instance is killed' || this.#faults === 2) return;
    // An old one at first, a new one as soon as it serves.
    const release = this.#faults + 1;
    const victim = store
      .instances('shop/production', 0)
      .find((instance) => instance.release === release && instance.state === 'in-service');
    if (!victim) return;
    this.#faults += 1;
    runtime.kill(victim.id);
  }

  /** Lives end at boundaries that lie differently far apart. */
  async #live(): Promise<void> {
    this.#lives += 1;
    await this.#simulated.start(1 + ((this.#lives * 7) % 23));
  }

  async #liveAgain(): Promise<void> {
    await this.#simulated.bury();
    await this.#live();
  }

  /** One release at the end, whole, with the capacity that goes with it, and nothing left over. */
  async expectOneRelease(deployment: Deployment): Promise<void> {
    const { instances } = this.#each;
    const simulated = this.#simulated;
    if (this.#each.fault === 'the daemon is killed') {
      await simulated.bury();
      await simulated.start();
    }
    await simulated.clock.advance(30_000);
    const release = deployment.state === 'succeeded' ? 2 : 1;
    const whole = Array(instances).fill(release);
    const status = await simulated.status();
    expect(status).toMatchObject({ release, status: 'ready', health: 'ok' });
    expect(status.capacity).toEqual({ min: 1, desired: instances, max: 39 + release });
    expect(status.instances.map((each) => each.release)).toEqual(whole);
    expect((await simulated.runtime.list()).map((slot) => slot.release)).toEqual(whole);
    const pools = simulated.edge.snapshot?.pools ?? [];
    expect(pools.flatMap(({ release, targets }) => targets.map(() => release))).toEqual(whole);
    const steps = simulated.store.steps('shop/production', deployment.number);
    expect(steps.filter(({ state }) => state === 'planned')).toEqual([]);
    expect(steps.length).toBeLessThanOrEqual(14 * instances + 20);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#simulated[Symbol.asyncDispose]();
  }
}
