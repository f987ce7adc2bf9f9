import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { configuration } from '../../test/support/simulated-control.ts';
import { type ScriptedDaemon, scriptedDaemon } from './scripted-daemon.ts';
import { belay } from './scripted-terminal.ts';
import { deploymentOf, environmentOf, NOW, outcomeOf } from './scripted-views.ts';

const running = deploymentOf({ state: 'running', receipt: null, steps: [] });

describe('an environment made from a directory', () => {
  let daemon: ScriptedDaemon;

  beforeEach(async () => {
    const { web } = configuration;
    daemon = scriptedDaemon({
      environments: { environments: [environmentOf()] },
      environment: environmentOf(),
      bundle: { present: true },
      createEnvironment: { deployment: running },
      deploy: outcomeOf(running),
      deployment: deploymentOf(),
      savedConfiguration: {
        application: 'shop',
        name: 'big',
        configuration: {
          ...configuration,
          web: { ...web, start: ['old'], drainMs: 7_000, variables: { MODE: 'big' } },
        },
        from: 'shop/production',
        release: 4,
        message: null,
        savedAt: NOW,
      },
    });
    await daemon.start();
    const config = "export default { name: 'shop', web: { start: 'node server.js' } };\n";
    writeFileSync(join(daemon.home.root, 'belay.config.ts'), config);
  });
  afterEach(() => daemon.close());

  const asked = (name: string) => daemon.asked.find(({ route }) => route === name);

  it('has what the directory says of its name, but for what the flags say', async () => {
    const flags = ['--min', '2', '--max', '3', '--domain', 'a.test', '--domain', 'b.test'];
    const { code, json } = await belay(daemon, [
      ...['envs', 'create', 'qa', '--env', 'A=1', '-m', 'for testers', ...flags, '--json'],
    ]);
    expect(code).toBe(0);
    expect(json).toMatchObject({ verdict: 'succeeded', environment: 'qa' });
    expect(asked('createEnvironment')).toMatchObject({
      params: { application: 'shop' },
      body: {
        name: 'qa',
        variables: { A: '1' },
        message: 'for testers',
        version: { files: 1 },
        configuration: {
          domains: ['a.test', 'b.test'],
          web: { start: ['node', 'server.js'], capacity: { min: 2, desired: 2, max: 3 } },
        },
      },
    });
  });

  it('runs a version that is there, and sends nothing', async () => {
    await belay(daemon, ['envs', 'create', 'qa', '--release', 'v3']);
    expect(asked('createEnvironment')).toMatchObject({ body: { version: 'v3' } });
    expect(asked('bundle')).toBeUndefined();
  });

  it('is run by a saved configuration, which does not say how the code is started', async () => {
    const saved = { start: ['node', 'server.js'], drainMs: 7_000, variables: { MODE: 'big' } };
    await belay(daemon, ['envs', 'create', 'qa', '--config', 'big']);
    expect(asked('createEnvironment')).toMatchObject({
      body: { configuration: { web: saved, domains: ['qa.shop.localhost'] } },
    });
    await belay(daemon, ['deploy', '--config', 'big']);
    expect(asked('deploy')).toMatchObject({
      body: { configuration: { web: saved, domains: ['shop.localhost'] } },
    });
  });

  it('is of the application that was named', async () => {
    const { code, err } = await belay(daemon, ['envs', 'create', 'qa', '-a', 'other']);
    expect(code).toBe(64);
    expect(err).toContain('is shop, not other');
  });
});
