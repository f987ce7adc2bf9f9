import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { configuration } from '../../test/support/simulated-control.ts';
import { Fault } from '../kernel/fault.ts';
import type { Release } from '../model/release.ts';
import { type ScriptedDaemon, scriptedDaemon } from './scripted-daemon.ts';
import { belay } from './scripted-terminal.ts';
import { deploymentOf, environmentOf, NOW, receiptOf } from './scripted-views.ts';

const production = environmentOf({ capacity: { min: 2, desired: 2, max: 4 } });
const staging = environmentOf({
  environment: 'staging',
  domains: ['shop.localhost'],
  namesOf: 'shop/production',
});

const releaseOf = (environment: string, fields: Partial<Release> = {}) => ({
  environment: `shop/${environment}`,
  number: 4,
  version: 'v3',
  configuration,
  variables: {},
  reason: 'deploy' as const,
  message: null,
  createdAt: NOW,
  directory: null,
  ...fields,
});

describe('belay envs', () => {
  let daemon: ScriptedDaemon;

  beforeEach(async () => {
    daemon = scriptedDaemon({ environments: { environments: [production, staging] } });
    await daemon.start();
  });
  afterEach(() => daemon.close());

  it('lists what there is, whose names it has, and what ended if asked', async () => {
    daemon.script.terminatedEnvironments = {
      terminated: [
        {
          application: 'shop',
          environment: 'qa',
          terminatedAt: NOW - 3_600_000,
          release: 2,
          version: 'v2',
        },
      ],
    };
    const plain = await belay(daemon, ['envs']);
    expect(plain.out).toContain('shop.localhost, of shop/production since a swap');
    expect(plain.out).not.toContain('terminated');
    expect((await belay(daemon, ['envs', 'list', '--all'])).out).toMatch(
      /shop\/qa +terminated +2 \(v2\) +1 h ago/,
    );
    const { json } = await belay(daemon, ['envs', '--all', '--json']);
    expect(json).toMatchObject({
      environments: [{ environment: 'production' }, { namesOf: 'shop/production' }],
      terminated: [{ environment: 'qa' }],
    });
  });

  it('clones with what is said, and tells every difference', async () => {
    const capacity = { min: 1, desired: 1, max: 1 };
    daemon.script.environment = production;
    daemon.script.cloneEnvironment = {
      deployment: deploymentOf({ environment: 'shop/qa', from: null, to: 1, state: 'running' }),
    };
    daemon.script.deployment = deploymentOf({ environment: 'shop/qa' });
    daemon.script.release = ({ params }) =>
      params.environment === 'qa'
        ? releaseOf('qa', {
            configuration: {
              ...configuration,
              web: { ...configuration.web, capacity },
              domains: ['qa.shop.localhost'],
            },
            variables: { LOG_LEVEL: 'debug' },
          })
        : releaseOf('production');
    daemon.script.versionFiles = { files: [] };
    const flags = ['--min', '1', '--max', '1', '--env', 'LOG_LEVEL=debug', '--env', 'A=b=c'];
    const told = await belay(daemon, ['envs', 'clone', 'production', 'qa', ...flags, '-a', 'shop']);
    expect(told.code).toBe(0);
    expect(told.err).toContain('production → qa');
    expect(told.err).toMatch(/web.capacity.min +2 +1/);
    expect(told.err).toMatch(/edge.domains +shop.localhost +qa.shop.localhost/);
    expect(told.err).not.toContain('debug');
    const asked = daemon.asked.find(({ route }) => route === 'cloneEnvironment');
    expect(asked).toMatchObject({
      params: { application: 'shop', environment: 'production' },
      body: { name: 'qa', min: 1, max: 1, variables: { LOG_LEVEL: 'debug', A: 'b=c' } },
    });
    const words = ['envs', 'clone', 'production', 'qa', '-a', 'shop', '--json'];
    expect((await belay(daemon, words)).json).toMatchObject({
      verdict: 'succeeded',
      clonedFrom: 'production',
      differences: { differs: true },
    });
  });

  it('says after a swap what each answers to, and what passed meanwhile', async () => {
    const receipt = receiptOf({ requests: 20, lost: 0 });
    daemon.script.swapEnvironments = {
      application: 'shop',
      snapshot: 12,
      environments: [
        { environment: 'production', domains: ['b'], namesOf: 'shop/staging', receipt },
        { environment: 'staging', domains: ['a'], namesOf: 'shop/production', receipt },
      ],
    };
    const swap = ['envs', 'swap', 'production', 'staging', '-a', 'shop'];
    const { code, out } = await belay(daemon, swap);
    expect(code).toBe(0);
    expect(out).toContain('shop/production answers to b');
    expect(out).toContain('since snapshot 12; 40 requests passed meanwhile, 0 lost');
  });

  it('warns against a second swap when the edge has not followed yet', async () => {
    daemon.script.swapEnvironments = {
      application: 'shop',
      snapshot: null,
      environments: [{ environment: 'staging', domains: ['a'], namesOf: null, receipt: null }],
    };
    const { code, out } = await belay(daemon, ['envs', 'swap', 'a', 'b', '-a', 'shop']);
    expect(code).toBe(1);
    expect(out).toContain('do not swap again');
  });

  it('swaps within one application only', async () => {
    const { code, err } = await belay(daemon, ['envs', 'swap', 'shop/a', 'other/b']);
    expect(code).toBe(64);
    expect(err).toContain('--app shop');
    expect(daemon.asked).toEqual([]);
  });

  it('ends an environment only when its name is said', async () => {
    daemon.script.environment = staging;
    daemon.script.terminate = { ...staging, status: 'terminating' };
    const words = ['envs', 'terminate', 'staging', '-a', 'shop'];
    const unasked = await belay(daemon, words);
    expect(unasked.code).toBe(64);
    expect(unasked.err).toContain('answers to the names of shop/production');
    expect(unasked.err).toContain('--confirm staging');
    expect((await belay(daemon, [...words, '--confirm', 'production'])).code).toBe(64);
    expect(daemon.asked.some(({ route }) => route === 'terminate')).toBe(false);
    daemon.script.environments = { environments: [production] };
    const { code, json } = await belay(daemon, [...words, '--confirm', 'staging', '--json']);
    expect(code).toBe(0);
    expect(json).toEqual({ terminated: [{ application: 'shop', environment: 'staging' }] });
  });

  it('takes the name from a keyboard', async () => {
    daemon.script.environment = staging;
    daemon.script.terminate = { ...staging, status: 'terminating' };
    const typing = (name: string) =>
      belay(daemon, ['envs', 'terminate', 'staging', '-a', 'shop'], {
        isTTY: true,
        input: `${name}\r`,
      });
    const wrong = await typing('production');
    expect(wrong.code).toBe(1);
    expect(wrong.err).toContain('Type staging to go on');
    expect(daemon.asked.some(({ route }) => route === 'terminate')).toBe(false);
    daemon.script.environments = { environments: [production] };
    const { code, out } = await typing('staging');
    expect(code).toBe(0);
    expect(out).toContain('shop/staging is terminated');
  });

  it('asks before it rebuilds what runs, and not before it brings back what ended', async () => {
    daemon.script.rebuildEnvironment = {
      deployment: deploymentOf({ kind: 'rebuild', state: 'running' }),
    };
    daemon.script.deployment = deploymentOf({ kind: 'rebuild' });
    daemon.script.environment = production;
    const words = ['envs', 'rebuild', 'production', '-a', 'shop'];
    expect((await belay(daemon, words)).code).toBe(64);
    expect(daemon.asked.some(({ route }) => route === 'rebuildEnvironment')).toBe(false);
    expect((await belay(daemon, [...words, '--confirm', 'production'])).code).toBe(0);
    daemon.script.environments = { environments: [] };
    expect((await belay(daemon, words)).code).toBe(0);
  });
});

describe('saved configurations', () => {
  let daemon: ScriptedDaemon;
  const saved = {
    application: 'shop',
    name: 'big',
    configuration: {
      ...configuration,
      web: { ...configuration.web, variables: { API_KEY: 'secret' } },
    },
    from: 'shop/production',
    release: 4,
    message: 'for the sale',
    savedAt: NOW - 60_000,
  };

  beforeEach(async () => {
    daemon = scriptedDaemon({
      environments: { environments: [production] },
      savedConfiguration: saved,
      savedConfigurations: { configurations: [saved] },
      saveConfiguration: saved,
      deleteConfiguration: saved,
    });
    await daemon.start();
  });
  afterEach(() => daemon.close());

  it('are saved, listed, shown and forgotten', async () => {
    const save = await belay(daemon, ['config', 'save', 'big', '-a', 'shop', '-m', 'for the sale']);
    expect(save.out).toContain('big is what shop/production runs by (release 4)');
    expect((await belay(daemon, ['config', 'list', '-a', 'shop'])).out).toMatch(
      /big +shop\/production, release 4 +1 m ago +for the sale/,
    );
    const show = await belay(daemon, ['config', 'show', 'big', '-a', 'shop']);
    expect(show.out).toContain('web.env.API_KEY');
    expect(show.out).not.toContain('secret');
    const revealed = await belay(daemon, ['config', 'show', 'big', '-a', 'shop', '--reveal']);
    expect(revealed.out).toContain('secret');
    const list = await belay(daemon, ['config', 'list', '-a', 'shop', '--json']);
    expect(JSON.stringify(list.json)).not.toContain('secret');
    expect((await belay(daemon, ['config', 'delete', 'big', '-a', 'shop', '--json'])).json).toEqual(
      {
        deleted: 'big',
        application: 'shop',
      },
    );
  });

  it('are compared with each other, and with what runs', async () => {
    daemon.script.release = releaseOf('production', {
      configuration: { ...configuration, web: { ...configuration.web, drainMs: 1_000 } },
    });
    daemon.script.versionFiles = {
      files: [{ path: 'server.js', sizeBytes: 1, digest: 'sha256:0' }],
    };
    const same = await belay(daemon, ['config', 'diff', 'big', 'big', '-a', 'shop']);
    expect(same).toMatchObject({ code: 0 });
    const running = await belay(daemon, ['config', 'diff', 'big', '-a', 'shop']);
    expect(running.code).toBe(2);
    expect(running.out).toMatch(/web.drain +30s +1s/);
    expect(running.out).toContain('API_KEY');
    expect(running.out).not.toMatch(/secret|server\.js/);
  });

  it('are asked for by a name that is there', async () => {
    daemon.script.savedConfiguration = () => {
      throw new Fault({
        code: 'unknown-saved-configuration',
        message: "shop has no saved configuration 'bog'",
        hint: 'there is big',
      });
    };
    const { code, err } = await belay(daemon, ['config', 'show', 'bog', '-a', 'shop']);
    expect(code).toBe(64);
    expect(err).toContain('there is big');
  });
});
