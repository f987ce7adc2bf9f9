import { describe, expect, it } from 'vitest';
import { histogram } from '../kernel/histogram.ts';
import type { Rollout } from '../model/configuration.ts';
import type { Deployment } from '../model/deployment.ts';
import type { TargetTraffic } from '../model/target.ts';
import { analyse } from './analysis.ts';
import type { ObservedInstance } from './observation.ts';

const SECOND = 1_000;
const bakeMs = 300 * SECOND;

/** At a tenth of the traffic, so long ago. */
const deployment = {
  from: 1,
  to: 2,
  startedAt: 0,
  stage: { percent: 10, since: 0 },
  promoted: false,
};
const rollout = { minRequests: 100, bakeMs, patienceMs: 3_600_000 };
const instances = [
  { id: 'old', release: 1, createdAt: 0 },
  { id: 'new', release: 2, createdAt: 0 },
];

/** Of so many requests, those that took longer than the 5 ms of all others, and failures. */
function traffic(id: string, requests: number, slow: number, slowMs: number, failed = 0) {
  const latency = histogram();
  for (let i = 0; i < requests; i += 1) latency.record(i < slow ? slowMs * 1_000 : 5_000);
  return { pool: 'p', id, requests, appErrors: failed, failures: 0, latency: latency.toSparse() };
}

function judged(
  now: number,
  old: TargetTraffic,
  fresh: TargetTraffic,
  change: Partial<Rollout> = {},
) {
  return analyse(
    { instances: instances as unknown as ObservedInstance[], traffic: [old, fresh] },
    deployment as Deployment,
    { ...rollout, ...change } as Rollout,
    now,
  );
}

describe('a release that is judged by its latency', () => {
  it('is not undone by one stall of the machine, however many requests it met', () => {
    const stalled = traffic('new', 120, 20, 400);
    const verdict = judged(10 * SECOND, traffic('old', 120, 0, 0), stalled);
    expect(verdict.verdict).toBe('wait');
  });

  it('is not undone at the end of a short bake because of a burst', () => {
    const verdict = judged(bakeMs, traffic('old', 120, 0, 0), traffic('new', 120, 8, 400));
    expect(verdict.verdict).toBe('pass');
  });

  it('is not undone by one stall that is longer than the whole bake', () => {
    const short = { bakeMs: SECOND, minRequests: 20 };
    const verdict = judged(SECOND, traffic('old', 31, 0, 0), traffic('new', 31, 31, 90), short);
    expect(verdict.verdict).toBe('pass');
  });

  it('is undone after a short bake when more is slow than a stall explains', () => {
    const short = { bakeMs: 10 * SECOND };
    const slow = traffic('new', 400, 400, 90);
    expect(judged(10 * SECOND, traffic('old', 400, 0, 0), slow, short).verdict).toBe('fail');
  });

  it('is undone within a minute when its tail is slower, and the tail has its number', () => {
    const verdict = judged(
      30 * SECOND,
      traffic('old', 4_000, 0, 0),
      traffic('new', 4_000, 160, 400),
    );
    expect(verdict).toMatchObject({
      verdict: 'fail',
      reason: expect.stringMatching(/^its p99 is \d+ ms, the old release's 5 ms$/),
    });
  });

  it('is compared at a lower percentile where there are few requests', () => {
    const verdict = judged(30 * SECOND, traffic('old', 100, 0, 0), traffic('new', 100, 60, 400));
    expect(verdict).toMatchObject({
      verdict: 'fail',
      reason: expect.stringMatching(/^its p90 is \d+ ms/),
    });
  });

  it('may be slow where the old one is', () => {
    const verdict = judged(
      bakeMs,
      traffic('old', 4_000, 160, 400),
      traffic('new', 4_000, 160, 400),
    );
    expect(verdict.verdict).toBe('pass');
  });
});

describe('a release that is judged by probes too', () => {
  const probed = (id: string, probes: number, failed = 0): TargetTraffic => {
    const { latency, ...rest } = traffic(id, probes, 0, 0, failed);
    return { ...rest, requests: 0, probes, latency };
  };
  const judgedWith = (now: number, ...told: TargetTraffic[]) =>
    analyse(
      { instances: instances as unknown as ObservedInstance[], traffic: told },
      deployment as Deployment,
      rollout as Rollout,
      now,
    );

  it('passes when both are as many as are needed, and tells them apart', () => {
    const told = [traffic('new', 40, 0, 0), probed('new', 60), traffic('old', 400, 0, 0)];
    expect(judgedWith(bakeMs, ...told)).toEqual({
      verdict: 'pass',
      reason: '40 requests and 60 probes at 10 %, 0 errors',
    });
  });

  it('is undone when its probes fail and those of the old one do not', () => {
    const told = [probed('new', 100, 30), probed('old', 100)];
    expect(judgedWith(SECOND, ...told)).toEqual({
      verdict: 'fail',
      reason: "30.0 % of its requests and probes fail, 0.0 % of the old release's",
    });
  });

  it('is inconclusive when both together are too few', () => {
    const told = [traffic('new', 40, 0, 0), probed('new', 10)];
    expect(judgedWith(bakeMs, ...told)).toMatchObject({
      verdict: 'inconclusive',
      reason: 'only 40 requests and 10 probes of 100 to judge by',
    });
  });
});

describe('a release that says what it depends on fails', () => {
  const deep = { passed: false, description: 'database: connection refused', parts: [] };
  const well = { passed: true, description: '', parts: [] };
  const verdictAt = (now: number, old: object | null, fresh: object | null) => {
    const [one, other] = instances;
    const told = [
      { ...one, target: { deep: old } },
      { ...other, target: { deep: fresh } },
    ];
    return analyse(
      {
        instances: told as unknown as ObservedInstance[],
        traffic: [traffic('old', 900, 0, 0), traffic('new', 100, 0, 0)],
      },
      deployment as Deployment,
      rollout as Rollout,
      now,
    );
  };

  it('is undone at the end of the bake where the old one says nothing of the kind', () => {
    expect(verdictAt(bakeMs - 1, well, deep).verdict).toBe('wait');
    expect(verdictAt(bakeMs, well, deep)).toEqual({
      verdict: 'fail',
      reason:
        'instance new says database: connection refused; no instance of the old release it is compared with does',
    });
    expect(verdictAt(bakeMs, null, deep).verdict).toBe('fail');
  });

  it('is not blamed for what fails for the old one too', () => {
    expect(verdictAt(bakeMs, deep, deep).verdict).toBe('pass');
    expect(verdictAt(bakeMs, deep, well).verdict).toBe('pass');
  });
});

describe('a release that is judged by its failures', () => {
  it('is undone as soon as there are enough requests, whatever the time', () => {
    const verdict = judged(SECOND, traffic('old', 900, 0, 0), traffic('new', 100, 0, 0, 30));
    expect(verdict).toEqual({
      verdict: 'fail',
      reason: "30.0 % of its requests fail, 0.0 % of the old release's",
    });
  });

  it('is not undone by one failure among few', () => {
    const verdict = judged(SECOND, traffic('old', 900, 0, 0), traffic('new', 100, 0, 0, 2));
    expect(verdict.verdict).toBe('wait');
  });
});
