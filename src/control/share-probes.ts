import type { Prober } from '../edge/driver.ts';
import type { Clock } from '../kernel/clock.ts';
import { COARSE_BITS, type Histogram, histogram } from '../kernel/histogram.ts';
import type { EnvironmentKey } from '../model/environment.ts';
import { poolId } from '../model/snapshot.ts';
import type { TargetTraffic } from '../model/target.ts';
import type { Observation } from '../plan/observation.ts';
import { planProbes } from '../plan/probing.ts';
import type { Slots } from './observe.ts';

/** One instance that is asked, or was. */
interface Asked {
  pool: string;
  address: { host: string; port: number };
  paths: readonly string[];
  intervalMs: number;
  /** Ends its loop; null while it is not asked. */
  loop: AbortController | null;
  probes: number;
  errors: number;
  latency: Histogram;
}

interface ShareProbesOptions {
  /** Null: nobody can ask, and nothing is. */
  prober: Prober | null;
  clock: Clock;
}

/**
 * Asks the instances of a deployment as `plan/probing.ts` wants it, each in a loop of its own with
 * one request at a time, and counts what they answer for as long as the deployment lasts.
 */
export class ShareProbes {
  readonly #prober: Prober | null;
  readonly #clock: Clock;
  readonly #deployments = new Map<
    EnvironmentKey,
    { number: number; instances: Map<string, Asked> }
  >();

  constructor({ prober, clock }: ShareProbesOptions) {
    this.#prober = prober;
    this.#clock = clock;
  }

  /** What has been answered, as traffic that was no request. */
  readings(key: EnvironmentKey): TargetTraffic[] {
    const instances = this.#deployments.get(key)?.instances ?? [];
    return [...instances].map(([id, { pool, probes, errors, latency }]) => ({
      pool,
      id,
      requests: 0,
      probes,
      appErrors: errors,
      failures: 0,
      latency: latency.toSparse(),
    }));
  }

  /** Asks from now on whom the plan wants asked, and nobody else. */
  follow(observation: Observation, slots: Slots, now: number): void {
    const { deployment } = observation;
    const { key } = observation.environment;
    const goal = deployment && observation.releases.get(deployment.to);
    if (deployment?.state !== 'running' || !goal) {
      this.#forget(key);
      return;
    }
    if (this.#deployments.get(key)?.number !== deployment.number) this.#forget(key);
    const probing = planProbes(observation, deployment, goal.rollout, now);
    const wanted = new Map(probing?.instances.map(({ id, perSecond }) => [id, perSecond]));
    const known = this.#deployments.get(key)?.instances ?? new Map<string, Asked>();
    if (probing) this.#deployments.set(key, { number: deployment.number, instances: known });
    for (const { id, release } of observation.instances) {
      const perSecond = wanted.get(id);
      const slot = slots.get(id);
      if (!probing || perSecond === undefined || !slot) continue;
      const asked = known.get(id) ?? nobodyAsked(poolId(key, release));
      known.set(id, asked);
      asked.address = { host: slot.host, port: slot.port };
      asked.paths = probing.paths;
      asked.intervalMs = 1_000 / perSecond;
      if (asked.loop === null) this.#begin(asked);
    }
    for (const [id, asked] of known) if (!wanted.has(id)) end(asked);
  }

  close(): void {
    for (const key of this.#deployments.keys()) this.#forget(key);
  }

  #forget(key: EnvironmentKey): void {
    for (const asked of this.#deployments.get(key)?.instances.values() ?? []) end(asked);
    this.#deployments.delete(key);
  }

  #begin(asked: Asked): void {
    if (this.#prober === null) return;
    asked.loop = new AbortController();
    void this.#ask(asked, this.#prober, asked.loop.signal);
  }

  async #ask(asked: Asked, probe: Prober, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const askedAt = this.#clock.monotonic();
      const path = asked.paths[asked.probes % asked.paths.length] ?? '/';
      const { failed, us } = await probe(asked.address, path, signal);
      if (signal.aborted) return;
      asked.probes += 1;
      if (failed) asked.errors += 1;
      else asked.latency.record(us);
      const leftMs = asked.intervalMs - (this.#clock.monotonic() - askedAt);
      await this.#clock.sleep(Math.max(1, leftMs), signal);
    }
  }
}

const nobodyAsked = (pool: string): Asked => ({
  pool,
  address: { host: '', port: 0 },
  paths: [],
  intervalMs: 0,
  loop: null,
  probes: 0,
  errors: 0,
  latency: histogram(COARSE_BITS),
});

function end(asked: Asked): void {
  asked.loop?.abort();
  asked.loop = null;
}
