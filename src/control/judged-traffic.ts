import type { EdgeDriver } from '../edge/driver.ts';
import { messageOf } from '../kernel/fault.ts';
import { subtract } from '../kernel/histogram.ts';
import type { Log } from '../kernel/log.ts';
import type { Deployment } from '../model/deployment.ts';
import type { EnvironmentKey } from '../model/environment.ts';
import type { Instance } from '../model/instance.ts';
import { poolId } from '../model/snapshot.ts';
import type { TargetTraffic } from '../model/target.ts';

/** What targets had answered when a deployment was first seen. */
interface Beginning {
  deployment: number;
  readings: ReadonlyMap<string, TargetTraffic>;
}

/**
 * What targets have answered since the deployment began that judges them by it, so that the old
 * release's last weeks do not stand beside the new one's first minute. A life of the control plane
 * that begins amid a deployment counts the old release's from then on.
 */
export class JudgedTraffic {
  readonly #edge: Pick<EdgeDriver, 'traffic'>;
  readonly #log: Log;
  readonly #beginnings = new Map<EnvironmentKey, Beginning>();

  constructor({ edge, log }: { edge: Pick<EdgeDriver, 'traffic'>; log: Log }) {
    this.#edge = edge;
    this.#log = log;
  }

  /** None while nothing is judged, and while the edge cannot be asked. */
  async read(
    key: EnvironmentKey,
    deployment: Deployment | undefined | null,
    instances: readonly Pick<Instance, 'release' | 'state'>[],
  ): Promise<TargetTraffic[]> {
    // A rollback goes to what has been judged before.
    const isJudged = deployment?.state === 'running' && deployment.kind !== 'rollback';
    if (!isJudged || deployment.from === null) {
      this.#beginnings.delete(key);
      return [];
    }
    const hasBegun = this.#beginnings.get(key)?.deployment === deployment.number;
    // Asking every worker takes its time, and nobody has been answered yet.
    if (hasBegun && !instances.some((each) => hasServed(each, deployment.to))) return [];
    const judged = poolId(key, deployment.to);
    const left = poolId(key, deployment.from);
    try {
      const traffic = await this.#edge.traffic();
      const { readings } = this.#beginning(key, deployment.number, traffic);
      return traffic.flatMap((reading) => {
        if (reading.pool === judged) return [reading];
        return reading.pool === left ? [since(readings.get(reading.id), reading)] : [];
      });
    } catch (fault) {
      this.#log.debug({ environment: key, fault: messageOf(fault) }, 'no traffic to read');
      return [];
    }
  }

  #beginning(
    key: EnvironmentKey,
    deployment: number,
    traffic: readonly TargetTraffic[],
  ): Beginning {
    const known = this.#beginnings.get(key);
    if (known?.deployment === deployment) return known;
    const readings = new Map(traffic.map((reading) => [reading.id, reading]));
    const beginning = { deployment, readings };
    this.#beginnings.set(key, beginning);
    return beginning;
  }
}

const hasServed = ({ release, state }: Pick<Instance, 'release' | 'state'>, to: number): boolean =>
  release === to && state !== 'pending';

/** A reading that is lower than the one before is of counters that began anew. */
function since(before: TargetTraffic | undefined, now: TargetTraffic): TargetTraffic {
  if (before === undefined || now.requests < before.requests) return now;
  return {
    ...now,
    requests: now.requests - before.requests,
    appErrors: Math.max(0, now.appErrors - before.appErrors),
    failures: Math.max(0, now.failures - before.failures),
    latency: subtract(now.latency, before.latency),
  };
}
