import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type ScriptedDaemon, scriptedDaemon } from './scripted-daemon.ts';
import { belay } from './scripted-terminal.ts';
import { deploymentOf, environmentOf, outcomeOf } from './scripted-views.ts';

/** A commit is deployed as it is, and says itself who made it and why. */

let daemon: ScriptedDaemon;
let repository: string;
let temporary: string;
const checkouts = () => readdirSync(temporary);

function git(...args: string[]): string {
  const identity = ['-c', 'user.name=Ada Lovelace', '-c', 'user.email=ada@localhost'];
  return execFileSync('git', [...identity, ...args], { cwd: repository, stdio: 'pipe' })
    .toString()
    .trim();
}

function configure(start: string): void {
  const config = `export default { name: 'shop', web: { start: ${start} } };\n`;
  writeFileSync(join(repository, 'belay.config.ts'), config);
}

beforeEach(async () => {
  daemon = scriptedDaemon({
    environments: { environments: [environmentOf()] },
    environment: environmentOf(),
    bundle: { present: false },
    putBundle: { present: true },
    deploy: outcomeOf(deploymentOf({ state: 'running', receipt: null, steps: [] } as never)),
    deployment: deploymentOf(),
  });
  await daemon.start();
  repository = mkdtempSync(join(tmpdir(), 'belay-repository-'));
  temporary = mkdtempSync(join(tmpdir(), 'belay-temporary-'));
  vi.stubEnv('TMPDIR', temporary);
  configure("'node server.js'");
  writeFileSync(join(repository, 'server.js'), 'serve()');
  git('init', '-q', '-b', 'main');
  git('add', '.');
  git('commit', '-qm', 'Sell hats');
  git('tag', 'v1.4');
  // What the directory holds now is something else.
  configure('7');
  rmSync(join(repository, 'server.js'));
});

afterEach(async () => {
  await daemon.close();
  vi.unstubAllEnvs();
  rmSync(repository, { recursive: true });
  rmSync(temporary, { recursive: true });
});

const routesAsked = () => daemon.asked.map(({ route }) => route);
const deployed = () => daemon.asked.find(({ route }) => route === 'deploy')?.body;

describe('deploy --commit', () => {
  test('sends the commit, its configuration, its author and its subject', async () => {
    const { code, err } = await belay(daemon, ['deploy', repository, '--commit', 'v1.4']);
    expect(err).not.toContain('left out');
    expect(code).toBe(0);
    expect(deployed()).toMatchObject({
      configuration: { web: { start: ['node', 'server.js'] } },
      version: { files: 2, author: 'Ada Lovelace', commit: git('rev-parse', 'v1.4') },
      message: 'Sell hats',
    });
    expect(checkouts()).toEqual([]);
  });

  test('with a note has that note', async () => {
    await belay(daemon, ['deploy', repository, '--commit', 'HEAD', '-m', 'Again']);
    expect(deployed()).toMatchObject({ message: 'Again' });
  });

  test('with --dry-run compares the commit, and sends nothing', async () => {
    daemon.script.environments = { environments: [environmentOf({ release: null })] };
    daemon.script.forecast = {
      ...{ policy: 'rolling', hindrance: null, concerns: [], assumptions: [] },
      forecast: { steps: [], verdict: 'succeeded', cause: null, totalMs: 3_000 },
    };
    const { code, json } = await belay(daemon, [
      ...['deploy', repository, '--commit', 'v1.4', '--dry-run', '--json'],
    ]);
    expect(routesAsked()).not.toContain('putBundle');
    expect(checkouts()).toEqual([]);
    expect(json).toMatchObject({
      after: `commit ${git('rev-parse', 'v1.4').slice(0, 9)}`,
      files: { added: ['belay.config.ts', 'server.js'] },
    });
    expect(code).toBe(0);
  });

  test('says that a commit has nothing to deploy, by its name', async () => {
    writeFileSync(join(repository, '.belayignore'), '*\n');
    git('checkout', '-q', '.');
    git('add', '-A');
    git('commit', '-qm', 'Leave all out');
    const { code, err } = await belay(daemon, ['deploy', repository, '--commit', 'main']);
    expect(code).toBe(64);
    expect(err).toContain(`Where: ${git('rev-parse', 'HEAD').slice(0, 9)}`);
    expect(checkouts()).toEqual([]);
  });

  test('says which name was meant, and sends nothing', async () => {
    const { code, err } = await belay(daemon, ['deploy', repository, '--commit', 'mian']);
    expect(code).toBe(64);
    expect(err).toBe(
      "✗ 'mian' is no branch, tag or commit of this repository\n  Next:  did you mean 'main'?\n",
    );
    expect(daemon.asked).toEqual([]);
  });

  test('names what is wrong with the configuration by the commit, and leaves nothing', async () => {
    git('add', '-A');
    git('commit', '-qm', 'Break it');
    const id = git('rev-parse', 'HEAD').slice(0, 9);
    const { code, err } = await belay(daemon, ['deploy', repository, '--commit', 'main']);
    expect(code).toBe(64);
    expect(err).toContain(`Where: ${id}:belay.config.ts:1`);
    expect(checkouts()).toEqual([]);
    expect(daemon.asked).toEqual([]);
  });

  test('does not go with what is said to a deployment that runs', async () => {
    const { code, err } = await belay(daemon, ['deploy', '--commit', 'main', '--abort']);
    expect(code).toBe(64);
    expect(err).toContain('--commit and --abort exclude each other');
  });

  test('says that installed packages are not in the commit', async () => {
    git('checkout', '-q', '.');
    writeFileSync(join(repository, 'package.json'), '{"dependencies":{"left":"1"}}');
    writeFileSync(join(repository, '.gitignore'), 'node_modules');
    mkdirSync(join(repository, 'node_modules/left'), { recursive: true });
    git('add', '.');
    git('commit', '-qm', 'Use left');
    const { err } = await belay(daemon, ['deploy', repository, '--commit', 'main']);
    expect(existsSync(join(repository, 'node_modules'))).toBe(true);
    expect(err).toContain('left out node_modules: is not in the commit');
  });
});
