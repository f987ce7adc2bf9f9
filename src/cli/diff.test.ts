import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { loadConfiguration } from '../config/load.ts';
import { type ScriptedDaemon, scriptedDaemon } from './scripted-daemon.ts';
import { belay } from './scripted-terminal.ts';
import { daemonOf, environmentOf, NOW } from './scripted-views.ts';

let daemon: ScriptedDaemon;
let app: string;

beforeEach(async () => {
  daemon = scriptedDaemon({
    environments: { environments: [environmentOf()] },
    environment: environmentOf(),
    daemon: daemonOf(),
  });
  await daemon.start();
  app = join(daemon.home.root, 'my-app');
  mkdirSync(app);
});
afterEach(() => daemon.close());

describe('diff', () => {
  const release = (number: number, version: string, level: string) => ({
    ...{
      environment: 'shop/production',
      number,
      version,
      reason: 'deploy' as const,
      message: null,
    },
    createdAt: NOW,
    configuration: configurationOf(number),
    variables: { LEVEL: level },
    directory: '/code',
  });
  const releaseView = (number: number, version: string) => ({
    ...{ number, version, reason: 'deploy', message: null, createdAt: NOW, current: false },
  });

  test('shows files, keys and variables side by side, and ends with 2', async () => {
    daemon.script.releases = { releases: [releaseView(4, 'v3'), releaseView(3, 'v2')] };
    daemon.script.release = ({ params }) =>
      params.number === '4' ? release(4, 'v3', 'info') : release(3, 'v2', 'debug');
    daemon.script.versionFiles = ({ params }) => ({
      files: ['same', 'server.js', params.label ?? ''].map((path) => ({
        path,
        sizeBytes: 1,
        digest: path === 'server.js' ? `${params.label}` : 'equal',
      })),
    });
    const { code, out } = await belay(daemon, ['diff', 'v2', 'v3']);
    expect(code).toBe(2);
    expect(out).toMatchInlineSnapshot(`
      "v2 (release 3) → v3 (release 4)

      Files: 1 added, 1 changed, 1 removed
        + v3
        ~ server.js
        - v2

      Configuration
                          v2 (release 3)  v3 (release 4)
        web.capacity.max  3               4

      Variables
                         v2 (release 3)  v3 (release 4)
        LEVEL (changed)  ••••••          ••••••
      "
    `);
    expect((await belay(daemon, ['diff', 'v3', '4'])).code).toBe(0);
  });

  function configurationOf(max: number) {
    writeFileSync(
      join(app, 'belay.config.ts'),
      `export default { web: { start: 'node server.js', capacity: { max: ${max} } } };\n`,
    );
    return loadConfiguration(app, 'production').configuration;
  }
});
