import { bucketOf } from '../../src/kernel/histogram.ts';
import { NO_CACHE_PURGES } from '../../src/model/cache-purges.ts';
import type { Rollout } from '../../src/model/configuration.ts';
import { ASKED_BY_NOBODY, type Deployment, deploymentMachine } from '../../src/model/deployment.ts';
import type { Environment } from '../../src/model/environment.ts';
import { DEFAULT_GROUP, type Group } from '../../src/model/group.ts';
import { type Instance, instanceMachine, isLive } from '../../src/model/instance.ts';
import type { LifecycleAnswer } from '../../src/model/instance-wait.ts';
import type { Step } from '../../src/model/step.ts';
import type { TargetTraffic } from '../../src/model/target.ts';
import { planEnvironment } from '../../src/plan/environment.ts';
import type {
  Failure,
  Observation,
  ObservedInstance,
  ObservedTarget,
  ReleaseNeeds,
} from '../../src/plan/observation.ts';
import { trafficShare } from '../../src/plan/rollout/share.ts';
import { type HookBehaviours, SimulatedHooks } from './simulated-hooks.ts';

/** How the instances of one release behave. */
export interface Behaviour {
  bootMs: number;
  /** Ends so long after its start; null for never. */
  endsAfterMs: number | null;
  /** Its health, so long after its start. */
  healthy: (ageMs: number) => boolean;
  /** How long a request stays inside it once it drains. */
  drainTakesMs: number;
  /** Of its answers, the share that are 5xx. */
  errorShare: number;
  /** Microseconds: of every fiftieth answer, and of all others. */
  slowUs: number;
  fastUs: number;
  /** What its deployment runs beside it. */
  hooks?: HookBehaviours;
}

export const good: Behaviour = {
  bootMs: 300,
  endsAfterMs: null,
  healthy: () => true,
  drainTakesMs: 50,
  errorShare: 0,
  slowUs: 20_000,
  fastUs: 5_000,
};
export const crashesAtBoot: Behaviour = { ...good, endsAfterMs: 100 };
export const neverHealthy: Behaviour = { ...good, healthy: () => false };
export const failsThirty: Behaviour = { ...good, errorShare: 0.3 };
export const slow: Behaviour = { ...good, slowUs: 400_000, fastUs: 90_000 };
export const turnsUnhealthy: Behaviour = { ...good, healthy: (ageMs) => ageMs < 1_000 };
export const withHooks: Behaviour = {
  ...good,
  hooks: {
    build: { takesMs: 2_000, exitCode: 0 },
    migrate: { takesMs: 500, exitCode: 0 },
    postdeploy: { takesMs: 300, exitCode: 0 },
  },
};
export const migrationFails: Behaviour = {
  ...good,
  hooks: { ...withHooks.hooks, migrate: { takesMs: 500, exitCode: 1 } },
};

const rolloutDefaults: Rollout = {
  policy: 'rolling',
  batch: 1,
  extra: 1,
  healthyMs: 200,
  startTimeoutMs: 5_000,
  keepMs: 0,
  percent: 10,
  bakeMs: 5_000,
  minRequests: 100,
  probes: [],
  patienceMs: 600_000,
};

interface Simulated {
  instance: Instance;
  startedAt: number;
  /** A process is there. */
  present: boolean;
  everHealthy: boolean;
  /** Since when somebody has made it fail its checks, and its deep check. */
  sickSince?: number;
  deeplySickSince?: number;
}

/**
 * An environment that exists only as data, on a clock that is a number: performs the planner's
 * steps at once and lets instances boot, fail and drain as their release behaves.
 */
export class SimulatedEnvironment {
  now = 1_000_000;
  environment: Environment;
  deployment: Deployment | null = null;
  readonly history: { at: number; step: Step }[] = [];
  readonly verdicts: Deployment[] = [];
  readonly hooks = new SimulatedHooks();
  /** What clients ask for. */
  requestsPerSecond = 0;
  /** The lowest number of serving instances seen since it was last reset. */
  fewestServing = Number.POSITIVE_INFINITY;
  #fleet = new Map<string, Simulated>();
  #releases = new Map<number, { needs: ReleaseNeeds; behaviour: Behaviour }>();
  #failures: Failure[] = [];
  readonly #traffic = new Map<string, TargetTraffic>();
  readonly #answered = new Map<number, number>();
  #sent = 0;
  #due = 0;
  #nextId = 0;
  #snapshot = 1;

  constructor(desired: number) {
    this.environment = {
      key: 'shop/production',
      application: 'shop',
      name: 'production',
      status: 'launching',
      release: null,
      capacity: { min: 0, desired, max: 10_000 },
      names: null,
      createdAt: 0,
      terminatedAt: null,
      cachePurges: NO_CACHE_PURGES,
    };
  }

  addRelease(
    number: number,
    behaviour: Behaviour,
    rollout: Partial<Rollout> = {},
    group: Partial<Group> = {},
  ): void {
    this.#releases.set(number, {
      behaviour,
      needs: {
        number,
        zones: ['a', 'b'],
        drainMs: 30_000,
        upstream: false,
        rollout: { ...rolloutDefaults, ...rollout },
        group: { ...DEFAULT_GROUP, ...group },
      },
    });
  }

  deploy(to: number): void {
    const rollout = this.#releases.get(to)?.needs.rollout ?? rolloutDefaults;
    this.deployment = {
      environment: this.environment.key,
      number: this.verdicts.length + 1,
      kind: 'deploy',
      from: this.environment.release,
      to,
      rollout,
      state: 'running',
      cause: null,
      logTail: [],
      stage: null,
      hooks: this.hooks.due('deploy', this.#behaviour(to).hooks ?? {}),
      boot: null,
      ...ASKED_BY_NOBODY,
      promoted: false,
      aborted: false,
      startedAt: this.now,
      turnedAt: null,
      endedAt: null,
      capacityBefore: this.environment.capacity,
      ledgerAtStart: null,
      receipt: null,
    };
  }

  promote(): void {
    if (this.deployment) this.deployment = { ...this.deployment, promoted: true };
  }

  /** Requests that each release has answered since the beginning. */
  answered(release: number): number {
    return this.#answered.get(release) ?? 0;
  }

  abort(): void {
    if (this.deployment) this.deployment = { ...this.deployment, aborted: true };
  }

  scale(desired: number): void {
    this.environment = {
      ...this.environment,
      capacity: { ...this.environment.capacity, desired },
    };
  }

  /** An instance dies from outside. */
  kill(id: string): void {
    const simulated = this.#fleet.get(id);
    if (simulated) simulated.present = false;
  }

  /** What people ask of an instance. */
  ask(id: string, asked: Pick<Instance, 'isProtected' | 'wish'>): void {
    const simulated = this.#require(id);
    simulated.instance = { ...simulated.instance, ...asked };
  }

  /** It fails its checks from now on, whatever its release does. */
  sicken(id: string): void {
    this.#require(id).sickSince = this.now;
  }

  /** Its deep check says so from now on; only seen where the group is replaced by it. */
  setDeep(id: string, passes: boolean): void {
    const simulated = this.#require(id);
    if (passes) delete simulated.deeplySickSince;
    else simulated.deeplySickSince ??= this.now;
  }

  /** Zones of a release from now on. */
  setZones(release: number, zones: string[]): void {
    const known = this.#releases.get(release);
    if (known) known.needs = { ...known.needs, zones };
  }

  live(): Instance[] {
    return [...this.#fleet.values()].map(({ instance }) => instance).filter(isLive);
  }

  serving(): Instance[] {
    return [...this.#fleet.values()]
      .filter((each) => each.instance.state === 'in-service' && this.#passes(each))
      .map(({ instance }) => instance);
  }

  /** Plans and performs until nothing is left to do now; returns when time would change that. */
  settle(): number | null {
    for (let round = 0; round < 1_000; round += 1) {
      const plan = this.plan();
      if (plan.steps.length === 0) return plan.wakeAt;
      for (const step of plan.steps) this.#perform(step);
      this.#snapshot += 1;
      this.#countServing();
    }
    throw new Error(`does not converge: ${JSON.stringify(this.plan().steps)}`);
  }

  plan() {
    return planEnvironment(this.observe(), this.now, () => {
      this.#nextId += 1;
      return `i-${String(this.#nextId).padStart(8, '0')}`;
    });
  }

  /** Runs on for `durationMs`, looking every 10 ms, as an event-driven loop would at the latest. */
  run(durationMs: number, until: () => boolean = () => false): void {
    const end = this.now + durationMs;
    this.settle();
    while (this.now < end && !until()) {
      this.now += 10;
      this.#age();
      this.#serve(10);
      this.#countServing();
      this.settle();
    }
  }

  runUntilVerdict(): Deployment {
    const before = this.verdicts.length;
    this.run(600_000, () => this.verdicts.length > before);
    const verdict = this.verdicts.at(-1);
    if (!verdict || this.verdicts.length === before) throw new Error('no verdict in ten minutes');
    return verdict;
  }

  observe(): Observation {
    return {
      environment: this.environment,
      deployment: this.deployment,
      hooks: this.deployment ? this.hooks.observed(this.deployment, this.now) : [],
      releases: new Map([...this.#releases].map(([number, { needs }]) => [number, needs])),
      instances: [...this.#fleet.values()]
        .filter(({ instance }) => isLive(instance))
        .map((simulated) => this.#observed(simulated)),
      fixed: null,
      acknowledgedSnapshot: this.#snapshot,
      traffic: [...this.#traffic.values()],
      failures: this.#failures,
    };
  }

  #observed(simulated: Simulated): ObservedInstance {
    const { instance, present } = simulated;
    if (instance.state === 'terminating') return { ...instance, slot: null, target: null };
    const exit = { code: 1, signal: null, cause: 'exited with code 1', at: this.now };
    const listening = this.#listens(simulated);
    return {
      ...instance,
      slot: {
        running: present,
        listening,
        port: 20_000,
        exit: present ? null : exit,
        bootstrapMs: null,
        isBootstrapping: false,
      },
      target: listening ? this.#target(simulated) : null,
    };
  }

  #target(simulated: Simulated): ObservedTarget {
    const { instance } = simulated;
    const drained = this.now - instance.since >= this.#behaviour(instance.release).drainTakesMs;
    const draining = instance.state === 'draining';
    const passes = this.#passes(simulated);
    return {
      ...this.#health(simulated),
      description: passes ? '' : 'answered 500 to GET /',
      since: passes ? instance.since : (simulated.sickSince ?? instance.since),
      inFlight: draining && drained ? 0 : 1,
      tunnels: 0,
      ejection: null,
      ...this.#deep(simulated),
    };
  }

  #deep({
    instance,
    deeplySickSince,
  }: Simulated): Pick<ObservedTarget, 'deep' | 'deepFailingSince'> {
    const { group } = this.#releases.get(instance.release)?.needs ?? {};
    if (group?.replace !== 'deep' || instance.state !== 'in-service') return { deep: null };
    if (deeplySickSince === undefined) {
      return { deep: { passed: true, description: '', parts: [] } };
    }
    return {
      deep: { passed: false, description: 'database: connection refused', parts: [] },
      deepFailingSince: deeplySickSince,
    };
  }

  #health({
    instance,
    everHealthy,
    ...rest
  }: Simulated): Pick<ObservedTarget, 'health' | 'standby'> {
    if (instance.state === 'draining') return { health: 'draining' };
    const passes = this.#passes({ instance, everHealthy, ...rest });
    const condition = passes ? 'healthy' : everHealthy ? 'unhealthy' : 'initial';
    if (!this.#isRouted(instance)) {
      return { health: 'unused', standby: { condition, since: instance.since } };
    }
    return { health: condition };
  }

  #isRouted({ state, warming, release }: Instance): boolean {
    const waits = this.#releases.get(release)?.needs.group.launching != null;
    return state === 'in-service' || (state === 'pending' && !warming && !waits);
  }

  #behaviour(release: number): Behaviour {
    return this.#releases.get(release)?.behaviour ?? good;
  }

  #listens({ instance, startedAt, present }: Simulated): boolean {
    return present && this.now - startedAt >= this.#behaviour(instance.release).bootMs;
  }

  #passes(simulated: Simulated): boolean {
    const { instance, startedAt, sickSince } = simulated;
    if (sickSince !== undefined || !this.#listens(simulated)) return false;
    return this.#behaviour(instance.release).healthy(this.now - startedAt);
  }

  #age(): void {
    for (const simulated of this.#fleet.values()) {
      const { endsAfterMs } = this.#behaviour(simulated.instance.release);
      const ageMs = this.now - simulated.startedAt;
      if (endsAfterMs !== null && ageMs >= endsAfterMs) simulated.present = false;
      if (this.#passes(simulated)) simulated.everHealthy = true;
    }
  }

  /** Sends what is due to the instances that are routed to, by the weights of their releases. */
  #serve(elapsedMs: number): void {
    this.#due += (this.requestsPerSecond * elapsedMs) / 1000;
    const serving = this.serving();
    for (; this.#due >= 1; this.#due -= 1) {
      this.#sent += 1;
      const release = this.#releaseFor(serving);
      const choices = serving.filter((instance) => instance.release === release);
      const instance = choices[this.#sent % choices.length];
      if (instance) this.#answer(instance);
    }
  }

  /** A fixed sequence in which every share comes up as often as it should. */
  #releaseFor(serving: readonly Instance[]): number | undefined {
    const share = trafficShare(this.deployment, this.live());
    const spot = (this.#sent * 37) % 100;
    if (share === null) return serving[this.#sent % serving.length]?.release;
    return spot < share.percent ? share.release : (this.deployment?.from ?? undefined);
  }

  #answer({ id, release }: Instance): void {
    const { errorShare, slowUs, fastUs } = this.#behaviour(release);
    const before = this.#traffic.get(id);
    const requests = (before?.requests ?? 0) + 1;
    const failed = Math.floor(requests * errorShare) > (before?.appErrors ?? 0) ? 1 : 0;
    const slow = Math.floor(requests / 50);
    const latency = [bucketOf(fastUs), requests - slow, bucketOf(slowUs), slow];
    this.#traffic.set(id, {
      pool: `shop/production#${release}`,
      id,
      requests,
      appErrors: (before?.appErrors ?? 0) + failed,
      failures: 0,
      latency,
    });
    this.#answered.set(release, this.answered(release) + 1);
  }

  #countServing(): void {
    this.fewestServing = Math.min(this.fewestServing, this.serving().length);
  }

  #perform(step: Step): void {
    this.history.push({ at: this.now, step });
    switch (step.kind) {
      case 'launch':
        this.#launch(step);
        return;
      case 'warm':
        this.#move(step.instance, 'warmed', step.reason).instance.passedAt ??= this.now;
        return;
      case 'wait':
        this.#wait(step);
        return;
      case 'admit':
        this.#move(step.instance, 'in-service', step.reason);
        return;
      case 'retire':
        this.#move(step.instance, 'draining', step.reason);
        if (step.final) this.#require(step.instance).instance.wish ??= { kind: 'replace' };
        return;
      case 'hold':
        this.#move(step.instance, 'standby', step.reason);
        return;
      case 'terminate':
        this.#terminate(step);
        return;
      case 'bury':
        this.#bury(step.instance, step.reason);
        return;
      case 'shift':
        if (this.deployment) {
          const stage = { percent: step.percent, since: this.now };
          this.deployment = { ...this.deployment, stage };
        }
        return;
      case 'run-hook':
      case 'keep-image':
      case 'end-hook':
        if (this.deployment) {
          const behaviours = this.#behaviour(this.deployment.to).hooks ?? {};
          this.deployment = this.hooks.perform(this.deployment, step, behaviours, this.now);
        }
        return;
      case 'turn-back':
        this.#turnBack(step.reason);
        return;
      case 'settle':
        this.#end(step.verdict);
        return;
      case 'terminated':
        this.environment = { ...this.environment, status: 'terminated', release: null };
    }
  }

  #launch(step: Extract<Step, { kind: 'launch' }>): void {
    this.#fleet.set(step.instance, {
      startedAt: this.now,
      present: true,
      everHealthy: false,
      instance: {
        id: step.instance,
        environment: this.environment.key,
        release: step.release,
        zone: step.zone,
        state: 'pending',
        reason: step.reason,
        createdAt: this.now,
        since: this.now,
        inServiceAt: null,
        unroutedBy: null,
        exit: null,
        ...(step.warm && { warming: true }),
      },
    });
  }

  #wait({ instance: id, turn }: Extract<Step, { kind: 'wait' }>): void {
    const simulated = this.#require(id);
    const { instance } = simulated;
    const wait = { turn, since: this.now, heartbeatAt: this.now, answer: null };
    const passedAt = instance.passedAt ?? this.now;
    simulated.instance = { ...instance, wait, ...(turn === 'launching' && { passedAt }) };
  }

  /** What somebody says to one that waits. */
  answer(id: string, answer: LifecycleAnswer): void {
    const simulated = this.#require(id);
    const { instance } = simulated;
    if (!instance.wait) throw new Error(`${id} does not wait`);
    simulated.instance = { ...instance, wait: { ...instance.wait, answer } };
  }

  heartbeat(id: string): void {
    const simulated = this.#require(id);
    const { instance } = simulated;
    if (!instance.wait) throw new Error(`${id} does not wait`);
    simulated.instance = { ...instance, wait: { ...instance.wait, heartbeatAt: this.now } };
  }

  #require(id: string): Simulated {
    const simulated = this.#fleet.get(id);
    if (!simulated) throw new Error(`${id} is not there`);
    return simulated;
  }

  #terminate({ instance: id, reason, failed }: Extract<Step, { kind: 'terminate' }>): void {
    const { instance } = this.#move(id, 'terminating', reason);
    if (!failed) return;
    const { release, createdAt, wait } = instance;
    this.#failures.push({
      ...{ instance: id, release, launchedAt: createdAt, at: this.now },
      ...{ servedMs: null, cause: `was ${reason}` },
      ...(wait && { abandoned: true }),
    });
  }

  #move(id: string, to: Instance['state'], reason: string): Simulated {
    const simulated = this.#require(id);
    const { instance } = simulated;
    // Back in service, what was asked of it is done.
    const { wish, ...done } = instance;
    simulated.instance = {
      ...(to === 'in-service' ? done : instance),
      state: instanceMachine.move(id, instance.state, to),
      reason,
      since: this.now,
      inServiceAt: to === 'in-service' ? (instance.inServiceAt ?? this.now) : instance.inServiceAt,
      unroutedBy: to === 'draining' ? this.#snapshot + 1 : instance.unroutedBy,
    };
    return simulated;
  }

  #bury(id: string, cause: string): void {
    const stopped = this.#fleet.get(id)?.instance.state === 'terminating';
    const { instance } = this.#move(id, 'terminated', cause);
    this.#fleet.delete(id);
    if (stopped) return;
    const fitSince = instance.inServiceAt ?? instance.passedAt ?? null;
    const servedMs = fitSince === null ? null : this.now - fitSince;
    const { release, createdAt: launchedAt } = instance;
    this.#failures.push({ instance: id, release, launchedAt, at: this.now, servedMs, cause });
  }

  #turnBack(cause: string): void {
    if (!this.deployment) throw new Error('nothing to turn back');
    const state = deploymentMachine.move('deployment', this.deployment.state, 'rolling-back');
    this.deployment = { ...this.deployment, state, cause, turnedAt: this.now };
  }

  #end(verdict: 'succeeded' | 'rolled-back' | 'aborted' | 'failed'): void {
    if (!this.deployment) throw new Error('nothing to settle');
    const state = deploymentMachine.move('deployment', this.deployment.state, verdict);
    this.verdicts.push({ ...this.deployment, state, endedAt: this.now });
    const release = verdict === 'succeeded' ? this.deployment.to : this.environment.release;
    this.environment = { ...this.environment, status: 'ready', release };
    this.deployment = null;
  }
}
