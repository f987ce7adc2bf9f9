import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadConfiguration } from './load.ts';
import { presets } from './presets.ts';

const page = readFileSync(join(import.meta.dirname, '../../docs/environments.md'), 'utf8');

describe('a preset', () => {
  let directory: string;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'belay-presets-'));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  const load = (spec: string, environment: string) => {
    const file = `import { app, presets } from 'belay';\nexport default app('shop', ${spec});\n`;
    writeFileSync(join(directory, 'belay.config.ts'), file);
    return loadConfiguration(directory, environment);
  };

  it('holds for an environment of its name that the file does not list', () => {
    const { configuration, provenance } = load("{ web: { start: 'node x.js' } }", 'dev');
    expect(configuration.web).toMatchObject({
      capacity: { min: 1, desired: 1, max: 1 },
      health: { intervalMs: 2_000, timeoutMs: 2_000 },
      drainMs: 5_000,
    });
    expect(configuration.rollout.policy).toBe('all-at-once');
    expect(provenance).toMatchObject({ 'web.drain': 'preset', 'deploy.policy': 'preset' });
  });

  it('gives way to whatever the file says, and to what must fit it', () => {
    const { configuration, provenance } = load(
      `{
        web: { start: 'node x.js', capacity: { min: 3, zones: ['z'] }, health: { timeout: '4s' } },
        deploy: 'immutable',
      }`,
      'dev',
    );
    expect(configuration.web).toMatchObject({
      capacity: { min: 3, desired: 3, max: 4 },
      zones: ['z'],
      health: { intervalMs: 5_000, timeoutMs: 4_000 },
      drainMs: 5_000,
    });
    expect(configuration.rollout.policy).toBe('immutable');
    expect(provenance['web.capacity.max']).toBe('default');
  });

  it('does not touch production, other names, or an environment that the file lists', () => {
    const drains = (spec: string, environment: string) =>
      load(spec, environment).provenance['web.drain'];
    const plain = "{ web: { start: 'node x.js' } }";
    expect(drains(plain, 'production')).toBe('default');
    expect(drains(plain, 'demo')).toBe('default');
    expect(drains("{ web: { start: 'node x.js' }, environments: { dev: {} } }", 'dev')).toBe(
      'default',
    );
  });

  it('can be written into the file, over what the top level says', () => {
    const { configuration } = load(
      `{
        web: { start: 'node x.js', capacity: { min: 6, max: 9 } },
        environments: { rehearsal: { ...presets.staging, deploy: 'immutable' } },
      }`,
      'rehearsal',
    );
    expect(configuration.web.capacity).toEqual({ min: 1, desired: 1, max: 2 });
    expect(configuration.rollout.policy).toBe('immutable');
  });

  it('is right in every environment', () => {
    for (const name of Object.keys(presets)) {
      const spec = `{ web: { start: 'node x.js' }, environments: { x: presets.${name} } }`;
      expect(load(spec, 'x').configuration.web.health.path).toBe('/');
    }
  });

  it('can be written as its documentation shows', () => {
    writeFileSync(join(directory, 'belay.config.ts'), /```ts\n([\s\S]*?)```/.exec(page)?.[1] ?? '');
    const { web } = loadConfiguration(directory, 'dev').configuration;
    expect(web).toMatchObject({ drainMs: 5_000, variables: { LOG_LEVEL: 'debug' } });
    expect(loadConfiguration(directory, 'production').configuration.web.capacity.min).toBe(2);
    expect(loadConfiguration(directory, 'rehearsal').configuration.web.capacity.max).toBe(2);
  });

  it('is described as it is', () => {
    for (const [name, { web, deploy }] of Object.entries(presets)) {
      const { capacity, health } = web;
      const policy =
        'healthyFor' in deploy
          ? `${deploy.policy}, healthy for ${deploy.healthyFor}`
          : deploy.policy;
      const row = [
        `\`${name}\``,
        `${capacity.min} to ${capacity.max}`,
        policy,
        `every ${health.interval}, within ${health.timeout}`,
        web.drain,
        web.stopGrace,
      ];
      expect(page).toContain(`| ${row.join(' | ')} |`);
    }
  });
});
