import { execFile, execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isRunning, processesOf } from './support/processes.ts';
import { until } from './support/until.ts';

/** What people get from the registry, in an empty folder, on a Node of their own. */

const ROOT = join(import.meta.dirname, '../..');
const run = promisify(execFile);

interface Status {
  environments: { url: string; instances: { zone: string; state: string; pid: number }[] }[];
}

describe('the packed package', () => {
  const folder = mkdtempSync(join(tmpdir(), 'bp-'));
  const project = join(folder, 'project');
  const home = join(folder, 'home');
  const app = join(project, 'app');
  const environment = {
    ...process.env,
    PATH: [dirname(process.execPath), process.env.PATH].join(delimiter),
    BELAY_HOME: home,
    BELAY_HTTP: '0',
    NO_COLOR: '1',
  };
  const belay = (...args: string[]) =>
    run('npx', ['--no', 'belay', ...args], { cwd: project, env: environment });

  beforeAll(async () => {
    await run(process.execPath, [join(ROOT, 'scripts/package.ts'), folder]);
    const [archive = ''] = readdirSync(folder).filter((name) => name.endsWith('.tgz'));
    mkdirSync(project);
    writeFileSync(join(project, 'package.json'), '{ "private": true, "type": "module" }');
    await run('npm', ['install', '--prefer-offline', '--no-audit', join(folder, archive)], {
      cwd: project,
      env: environment,
    });
    cpSync(join(project, 'node_modules/belay/examples/what-is-the-time'), app, { recursive: true });
  }, 120_000);

  afterAll(async () => {
    await belay('down', '--all', '--yes').catch(() => undefined);
    await belay('daemon', 'stop').catch(() => undefined);
    rmSync(folder, { recursive: true, force: true });
  });

  it('holds no TypeScript but the declarations of the configuration and the examples', () => {
    const files = readdirSync(join(project, 'node_modules/belay/src'), {
      recursive: true,
      encoding: 'utf8',
    });
    expect(files).toContain('main.js');
    expect(files.filter((name) => name.endsWith('.ts') && !name.startsWith('config/'))).toEqual([]);
    expect(files.filter((name) => /\.(?:test|fixture)\./.test(name))).toEqual([]);
  });

  it('gives the editor the types of a configuration', () => {
    const check = join(project, 'check.ts');
    const wrong = "import { app } from 'belay';\nexport default app('x', { web: { start: 1 } });\n";
    writeFileSync(check, wrong);
    const compiler = join(ROOT, 'node_modules/typescript/bin/tsc');
    const flags = ['--noEmit', '--strict', '--module', 'nodenext', '--types', '', 'check.ts'];
    let said = '';
    try {
      execFileSync(process.execPath, [compiler, ...flags], { cwd: project, encoding: 'utf8' });
    } catch (thrown) {
      said = String((thrown as { stdout?: unknown }).stdout);
    }
    expect(said).toMatch(/check\.ts\(2,\d+\): error TS2322/);
    expect(
      said
        .trim()
        .split('\n')
        .filter((line) => /error TS/.test(line)),
    ).toHaveLength(1);
  });

  it('brings the example up, tells the time, and leaves nothing when it is told to go', async () => {
    await belay('up', app);
    const daemon = JSON.parse((await belay('daemon', 'status', '--json')).stdout) as {
      pid: number;
    };
    const status = JSON.parse((await belay('status', '--json')).stdout) as Status;
    const [environment] = status.environments;
    expect(environment?.instances.map(({ state }) => state)).toEqual(Array(3).fill('in-service'));
    expect(new Set(environment?.instances.map(({ zone }) => zone)).size).toBe(2);
    expect(await get(environment?.url ?? '')).toMatch(/It is \d\d:\d\d:\d\d/);

    await belay('down', '--all', '--yes');
    await belay('daemon', 'stop');
    const pids = [daemon.pid, ...(environment?.instances ?? []).map(({ pid }) => pid)];
    const left = () => [...pids.filter(isRunning), ...processesOf(home)];
    expect(await until('everything has ended', left, ({ length }) => length === 0)).toEqual([]);
  }, 60_000);
});

/** By the loopback address: names below `localhost` are for curl and browsers. */
function get(url: string): Promise<string> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port, headers: { host: hostname } }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        body += chunk;
      });
      response.on('end', () => resolve(body));
    });
    asked.on('error', reject).end();
  });
}
