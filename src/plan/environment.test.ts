import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  crashesAtBoot,
  good,
  neverHealthy,
  SimulatedEnvironment,
  turnsUnhealthy,
} from '../../test/support/simulated-environment.ts';

function running(desired: number, release = 1): SimulatedEnvironment {
  const environment = new SimulatedEnvironment(desired);
  environment.addRelease(release, good);
  environment.deploy(release);
  expect(environment.runUntilVerdict().state).toBe('succeeded');
  environment.fewestServing = Number.POSITIVE_INFINITY;
  return environment;
}

const releasesOf = (environment: SimulatedEnvironment) => [
  ...new Set(environment.live().map(({ release }) => release)),
];

const countOf = (environment: SimulatedEnvironment, kind: string) =>
  environment.history.filter(({ step }) => step.kind === kind).length;

describe('a first deployment', () => {
  it('launches all instances at once, balanced over the zones', () => {
    const environment = running(3);
    expect(environment.live().map(({ zone }) => zone)).toEqual(['a', 'b', 'a']);
    expect(new Set(environment.history.slice(0, 3).map(({ at }) => at)).size).toBe(1);
  });

  it('fails and leaves nothing when its instances exit at boot, with the cause', () => {
    const environment = new SimulatedEnvironment(3);
    environment.addRelease(1, crashesAtBoot);
    environment.deploy(1);
    const verdict = environment.runUntilVerdict();
    expect(verdict.state).toBe('failed');
    expect(verdict.cause).toMatch(/exited with code 1 before it was healthy/);
    expect(environment.live()).toEqual([]);
  });

  it('fails when nothing becomes healthy within the start timeout, naming the failed check', () => {
    const environment = new SimulatedEnvironment(2);
    environment.addRelease(1, neverHealthy);
    environment.deploy(1);
    const verdict = environment.runUntilVerdict();
    expect(verdict.state).toBe('failed');
    expect(verdict.cause).toMatch(/was not healthy within 5 s: answered 500 to GET \//);
  });
});

describe('a rolling deployment with one extra instance', () => {
  it('replaces every instance and never serves with fewer than desired', () => {
    const environment = running(3);
    environment.addRelease(2, good);
    environment.deploy(2);
    expect(environment.runUntilVerdict().state).toBe('succeeded');
    expect(releasesOf(environment)).toEqual([2]);
    expect(environment.live()).toHaveLength(3);
    expect(environment.fewestServing).toBe(3);
  });

  it('starts the next instance while the old one drains', () => {
    const environment = running(2);
    environment.addRelease(2, good);
    environment.deploy(2);
    environment.runUntilVerdict();
    const retired = environment.history.find(({ step }) => step.kind === 'retire');
    const launches = environment.history.filter(
      ({ step }) => step.kind === 'launch' && step.release === 2,
    );
    expect(launches[1]?.at).toBe(retired?.at);
  });

  it('goes back when a new instance exits at boot, and stops no old one', () => {
    const environment = running(3);
    environment.addRelease(2, crashesAtBoot);
    environment.deploy(2);
    const verdict = environment.runUntilVerdict();
    expect(verdict.state).toBe('rolled-back');
    expect(countOf(environment, 'retire')).toBe(0);
    expect(releasesOf(environment)).toEqual([1]);
  });

  it('goes back when a new instance turns unhealthy after it was admitted', () => {
    const environment = running(4);
    environment.addRelease(2, turnsUnhealthy, { healthyMs: 400 });
    environment.deploy(2);
    expect(environment.runUntilVerdict().state).toBe('rolled-back');
    expect(releasesOf(environment)).toEqual([1]);
    expect(environment.live()).toHaveLength(4);
  });

  it('goes back when it is aborted, relaunching what is gone', () => {
    const environment = running(3);
    environment.addRelease(2, good);
    environment.deploy(2);
    environment.run(1_200);
    expect(releasesOf(environment)).toContain(2);
    environment.abort();
    expect(environment.runUntilVerdict().state).toBe('aborted');
    expect(releasesOf(environment)).toEqual([1]);
    expect(environment.fewestServing).toBeGreaterThanOrEqual(3);
  });

  it('tolerates one death of a new instance that had served', () => {
    const environment = running(3);
    environment.addRelease(2, good);
    environment.deploy(2);
    environment.run(1_000, () => environment.serving().some(({ release }) => release === 2));
    const victim = environment.serving().find(({ release }) => release === 2);
    environment.kill(victim?.id ?? '');
    expect(environment.runUntilVerdict().state).toBe('succeeded');
  });
});

describe('a rolling deployment in place', () => {
  it('takes a batch out first and never more', () => {
    const environment = running(4);
    environment.addRelease(2, good, { batch: 2, extra: 0 });
    environment.deploy(2);
    expect(environment.runUntilVerdict().state).toBe('succeeded');
    expect(environment.fewestServing).toBe(2);
    expect(releasesOf(environment)).toEqual([2]);
  });
});

describe('kept instances', () => {
  it('are flipped back to without a launch while they are warm', () => {
    const environment = running(3);
    environment.addRelease(2, good, { keepMs: 60_000 });
    environment.deploy(2);
    expect(environment.runUntilVerdict().state).toBe('succeeded');
    expect(environment.live().filter(({ state }) => state === 'standby')).toHaveLength(3);
    const launches = countOf(environment, 'launch');
    environment.deploy(1);
    const startedAt = environment.now;
    expect(environment.runUntilVerdict().state).toBe('succeeded');
    expect(countOf(environment, 'launch')).toBe(launches);
    expect(environment.now - startedAt).toBeLessThan(1_000);
    expect(environment.fewestServing).toBeGreaterThanOrEqual(3);
  });

  it('stop when their time is up', () => {
    const environment = running(2);
    environment.addRelease(2, good, { keepMs: 2_000 });
    environment.deploy(2);
    environment.runUntilVerdict();
    environment.run(3_000);
    expect(releasesOf(environment)).toEqual([2]);
    expect(environment.live()).toHaveLength(2);
  });
});

describe('at rest', () => {
  it('plans nothing', () => {
    const environment = running(3);
    expect(environment.plan()).toEqual({ steps: [], wakeAt: null });
  });

  it('replaces a dead instance at once', () => {
    const environment = running(3);
    environment.run(20_000);
    environment.kill(environment.live()[0]?.id ?? '');
    environment.run(1_000);
    expect(environment.serving()).toHaveLength(3);
  });

  it('waits longer and longer between the launches of a crash loop', () => {
    const environment = running(1);
    environment.addRelease(1, crashesAtBoot);
    environment.run(60_000);
    const launches = environment.history
      .filter(({ step }) => step.kind === 'launch')
      .map(({ at }) => at);
    const gaps = launches.slice(1).map((at, index) => at - (launches[index] ?? 0));
    expect(launches.length).toBeLessThan(12);
    expect(gaps.at(-1)).toBeGreaterThan(gaps.at(-3) ?? 0);
  });

  it('scales out and in', () => {
    const environment = running(3);
    environment.scale(6);
    environment.run(2_000);
    expect(environment.serving()).toHaveLength(6);
    environment.scale(2);
    environment.run(2_000);
    expect(environment.live()).toHaveLength(2);
    expect(new Set(environment.live().map(({ zone }) => zone))).toEqual(new Set(['a', 'b']));
  });
});

describe('whatever happens', () => {
  const behaviours = { good, crashesAtBoot, neverHealthy, turnsUnhealthy };
  const scenario = fc.record({
    desired: fc.integer({ min: 1, max: 12 }),
    batch: fc.integer({ min: 1, max: 4 }),
    extra: fc.integer({ min: 1, max: 4 }),
    keepMs: fc.constantFrom(0, 3_000),
    behaviour: fc.constantFrom(...(Object.keys(behaviours) as (keyof typeof behaviours)[])),
    disturbances: fc.array(
      fc.record({
        afterMs: fc.integer({ min: 0, max: 2_000 }),
        what: fc.constantFrom('kill-old', 'kill-new', 'abort'),
      }),
      { maxLength: 3 },
    ),
  });

  it('ends in a verdict with one release in service, as many as desired, and then plans nothing', () => {
    fc.assert(
      fc.property(scenario, ({ desired, batch, extra, keepMs, behaviour, disturbances }) => {
        const environment = running(desired);
        environment.addRelease(2, behaviours[behaviour], { batch, extra, keepMs });
        environment.deploy(2);
        let verdicts = environment.verdicts.length;
        for (const { afterMs, what } of disturbances) {
          environment.run(afterMs, () => environment.verdicts.length > verdicts);
          if (what === 'abort') environment.abort();
          const release = what === 'kill-old' ? 1 : 2;
          const victim = environment.live().find((instance) => instance.release === release);
          if (what !== 'abort' && victim) environment.kill(victim.id);
        }
        if (environment.verdicts.length === verdicts) environment.runUntilVerdict();
        verdicts = environment.verdicts.length;
        const release = environment.environment.release;
        expect(release).not.toBeNull();
        // One that turns bad after its verdict is the healing's business, not the deployment's.
        fc.pre(release === 1 || behaviour === 'good');
        environment.run(120_000, () => environment.serving().length === desired);
        expect(environment.serving()).toHaveLength(desired);
        expect(environment.serving().every((instance) => instance.release === release)).toBe(true);
        expect(environment.verdicts).toHaveLength(verdicts);
      }),
      { numRuns: process.env.BELAY_NIGHTLY ? 2_000 : 60 },
    );
  });

  it('never serves with fewer than desired when nothing dies', () => {
    fc.assert(
      fc.property(
        scenario,
        fc.option(fc.integer({ min: 0, max: 3_000 })),
        ({ desired, batch, extra, behaviour }, abortAfterMs) => {
          fc.pre(behaviour !== 'turnsUnhealthy');
          const environment = running(desired);
          environment.addRelease(2, behaviours[behaviour], { batch, extra });
          environment.deploy(2);
          if (abortAfterMs !== null) {
            environment.run(abortAfterMs, () => environment.deployment === null);
            environment.abort();
          }
          if (environment.deployment) environment.runUntilVerdict();
          expect(environment.fewestServing).toBeGreaterThanOrEqual(desired);
        },
      ),
      { numRuns: process.env.BELAY_NIGHTLY ? 2_000 : 60 },
    );
  });
});
