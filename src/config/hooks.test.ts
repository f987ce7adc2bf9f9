import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Configuration } from '../model/configuration.ts';
import { loadConfiguration } from './load.ts';

const MB = 1024 * 1024;

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'belay-hooks-'));
});

afterEach(() => {
  rmSync(root, { recursive: true });
});

function load(spec: string, environment = 'production'): Configuration {
  const text = `import { app } from 'belay';\nexport default app('shop', ${spec});\n`;
  writeFileSync(join(root, 'belay.config.ts'), text);
  return loadConfiguration(root, environment).configuration;
}

/** The first problem, as `key path: what`. */
function problemOf(spec: string): string {
  try {
    load(spec);
  } catch (thrown) {
    const { keyPath, what } = (
      thrown as { details: { problems: { keyPath: string; what: string }[] } }
    ).details.problems[0] ?? { keyPath: '', what: '' };
    return `${keyPath}: ${what}`;
  }
  return 'no problem';
}

const START = "start: 'node server.js'";

describe('a hook', () => {
  it('is a command alone, with the defaults', () => {
    const { hooks } = load(`{ build: 'NODE_ENV=production npm run build', web: { ${START} } }`);
    expect(hooks.build).toEqual({
      command: ['npm', 'run', 'build'],
      variables: { NODE_ENV: 'production' },
      timeoutMs: 600_000,
      limits: { memoryBytes: 2048 * MB, cpu: 1 },
      turnsBack: true,
    });
    expect(hooks).toMatchObject({ migrate: null, postdeploy: null });
  });

  it('is what it says in the long form', () => {
    const { hooks, web } = load(`{
      web: { ${START} },
      hooks: {
        migrate: { run: ['node', 'migrate.js'], timeout: '20m', memory: '64mb', cpu: 0.5 },
        postdeploy: { run: 'node smoke.js', onFailure: 'tell' },
        bootstrap: 'node warm-up.js --zone $BELAY_ZONE',
      },
    }`);
    expect(hooks.migrate).toMatchObject({
      command: ['node', 'migrate.js'],
      timeoutMs: 1_200_000,
      limits: { memoryBytes: 64 * MB, cpu: 0.5 },
    });
    expect(hooks.postdeploy).toMatchObject({ turnsBack: false });
    expect(web.bootstrap).toEqual(['node', 'warm-up.js', '--zone', '$BELAY_ZONE']);
  });

  it('is replaced whole by an environment', () => {
    const spec = `{
      build: { run: 'npm run build', timeout: '20m' },
      web: { ${START} },
      environments: { staging: { build: 'npm run build:debug' } },
    }`;
    expect(load(spec).hooks.build).toMatchObject({ timeoutMs: 1_200_000 });
    expect(load(spec, 'staging').hooks.build).toMatchObject({
      command: ['npm', 'run', 'build:debug'],
      timeoutMs: 600_000,
    });
  });

  it.each([
    [`{ build: 'npm ci && npm run build', web: { ${START} } }`, /^build: uses '&&'/],
    [`{ build: { timeout: '5m' }, web: { ${START} } }`, /^build: does not say what to run/],
    [
      `{ build: { run: 'make', onFailure: 'tell' }, web: { ${START} } }`,
      /^build.onFailure: is for postdeploy alone/,
    ],
    [`{ hooks: { migrte: 'x' }, web: { ${START} } }`, /^hooks.migrte: is not a key/],
    [`{ hooks: { bootstrap: 'A=1 node x' }, web: { ${START} } }`, /^hooks.bootstrap: sets A/],
    [
      "{ build: 'make', web: { upstream: 'http://127.0.0.1:1' } }",
      /^build: is set beside upstream/,
    ],
  ])('is refused as %s', (spec, problem) => {
    expect(problemOf(spec)).toMatch(problem);
  });
});
