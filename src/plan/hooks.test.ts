import { describe, expect, it } from 'vitest';
import {
  type Behaviour,
  crashesAtBoot,
  good,
  migrationFails,
  SimulatedEnvironment,
  withHooks,
} from '../../test/support/simulated-environment.ts';
import type { HookBehaviours } from '../../test/support/simulated-hooks.ts';
import type { Step } from '../model/step.ts';

/** Release 1 serves; release 2 is about to be deployed. */
function deploying(behaviour: Behaviour, desired = 3): SimulatedEnvironment {
  const environment = new SimulatedEnvironment(desired);
  environment.addRelease(1, good);
  environment.deploy(1);
  environment.runUntilVerdict();
  environment.run(31_000);
  environment.history.length = 0;
  environment.fewestServing = Number.POSITIVE_INFINITY;
  environment.addRelease(2, behaviour);
  environment.deploy(2);
  return environment;
}

const having = (hooks: HookBehaviours): Behaviour => ({ ...good, hooks });

const kindsOf = (environment: SimulatedEnvironment): Step['kind'][] =>
  environment.history.map(({ step }) => step.kind);

const idsOf = (environment: SimulatedEnvironment) => environment.live().map(({ id }) => id);

const timeOf = (environment: SimulatedEnvironment, kind: Step['kind'], hook?: string): number => {
  const found = environment.history.find(
    ({ step }) =>
      step.kind === kind && (hook === undefined || ('hook' in step && step.hook === hook)),
  );
  if (!found) throw new Error(`no ${kind} of ${hook}`);
  return found.at;
};

describe('the hooks of a deployment', () => {
  it('build, migrate, then launch; and after all serve, postdeploy', () => {
    const environment = deploying(withHooks);
    const verdict = environment.runUntilVerdict();
    expect(verdict.state).toBe('succeeded');
    expect(verdict.hooks.map(({ hook, state }) => [hook, state])).toEqual([
      ['build', 'passed'],
      ['migrate', 'passed'],
      ['postdeploy', 'passed'],
    ]);
    expect(timeOf(environment, 'end-hook', 'build')).toBe(
      timeOf(environment, 'run-hook', 'migrate'),
    );
    expect(timeOf(environment, 'end-hook', 'migrate')).toBe(timeOf(environment, 'launch'));
    expect(kindsOf(environment).slice(0, 6)).toEqual([
      'run-hook',
      'keep-image',
      'end-hook',
      'run-hook',
      'end-hook',
      'launch',
    ]);
    expect(kindsOf(environment).slice(-3)).toEqual(['run-hook', 'end-hook', 'settle']);
    expect(environment.fewestServing).toBe(3);
  });

  it('builds a version once', () => {
    const environment = deploying(withHooks);
    environment.runUntilVerdict();
    environment.deploy(2);
    const { hooks } = environment.runUntilVerdict();
    expect(hooks[0]).toMatchObject({ hook: 'build', state: 'kept' });
    expect(environment.hooks.begun.filter((id) => id.startsWith('build'))).toHaveLength(1);
    expect(environment.hooks.begun.filter((id) => id.startsWith('migrate'))).toHaveLength(2);
  });

  it.each([
    ['a build', { build: { takesMs: 500, exitCode: 2 } }, 'build exited with code 2'],
    ['a migration', migrationFails.hooks ?? {}, 'migrate exited with code 1'],
  ])('leave every instance alone when %s fails', (_, hooks, cause) => {
    const environment = deploying(having(hooks));
    const before = idsOf(environment);
    expect(environment.runUntilVerdict()).toMatchObject({ state: 'rolled-back', cause });
    expect(idsOf(environment)).toEqual(before);
    expect(kindsOf(environment)).not.toContain('launch');
    expect(environment.fewestServing).toBe(3);
  });

  it('fail the first deployment, and nothing was ever started', () => {
    const environment = new SimulatedEnvironment(3);
    environment.addRelease(1, migrationFails);
    environment.deploy(1);
    expect(environment.runUntilVerdict().state).toBe('failed');
    expect(kindsOf(environment)).not.toContain('launch');
  });

  it('are ended at their deadline', () => {
    const environment = deploying(
      having({ build: { takesMs: null, exitCode: 0, timeoutMs: 30_000 } }),
    );
    const verdict = environment.runUntilVerdict();
    expect(verdict).toMatchObject({
      state: 'rolled-back',
      cause: 'build was not done within 30 s',
    });
    expect((verdict.turnedAt ?? 0) - verdict.startedAt).toBe(30_000);
    expect(environment.hooks.running.size).toBe(0);
  });

  it.each(['build', 'migrate', 'postdeploy'] as const)('stop with an abort amid %s', (hook) => {
    const environment = deploying(having({ [hook]: { takesMs: null, exitCode: 0 } }));
    environment.run(10_000);
    expect(environment.hooks.running.size).toBe(1);
    environment.abort();
    const verdict = environment.runUntilVerdict();
    expect(verdict).toMatchObject({ state: 'aborted', hooks: [{ hook, state: 'stopped' }] });
    expect(environment.hooks.running.size).toBe(0);
    expect(environment.live().every(({ release }) => release === 1)).toBe(true);
  });

  it('end before their environment does', () => {
    const environment = deploying(having({ migrate: { takesMs: null, exitCode: 0 } }));
    environment.run(1_000);
    environment.environment = { ...environment.environment, status: 'terminating' };
    environment.run(60_000, () => environment.environment.status === 'terminated');
    expect(environment.environment.status).toBe('terminated');
    expect(environment.hooks.running.size).toBe(0);
  });

  it('let the old fleet heal and scale as at rest while they run', () => {
    const environment = deploying(having({ build: { takesMs: 20_000, exitCode: 0 } }));
    environment.run(1_000);
    environment.kill(idsOf(environment)[0] ?? '');
    environment.run(2_000);
    expect(environment.serving()).toHaveLength(3);
    expect(environment.live().every(({ release }) => release === 1)).toBe(true);
    expect(environment.runUntilVerdict().state).toBe('succeeded');
  });

  it('begin nothing more once the deployment has turned back', () => {
    const environment = deploying({ ...crashesAtBoot, hooks: withHooks.hooks ?? {} });
    expect(environment.runUntilVerdict()).toMatchObject({
      state: 'rolled-back',
      hooks: [{ state: 'passed' }, { state: 'passed' }, { hook: 'postdeploy', state: 'due' }],
    });
  });
});

describe('postdeploy', () => {
  const failing = { takesMs: 300, exitCode: 3 };

  it('turns the whole fleet back when it fails', () => {
    const environment = deploying(having({ postdeploy: failing }));
    expect(environment.runUntilVerdict()).toMatchObject({
      state: 'rolled-back',
      cause: 'postdeploy exited with code 3',
    });
    expect(environment.live().every(({ release }) => release === 1)).toBe(true);
    expect(environment.fewestServing).toBe(3);
  });

  it('is only told of when that was asked for', () => {
    const environment = deploying(having({ postdeploy: { ...failing, turnsBack: false } }));
    expect(environment.runUntilVerdict()).toMatchObject({
      state: 'succeeded',
      hooks: [{ state: 'failed', cause: 'postdeploy exited with code 3' }],
    });
  });
});
