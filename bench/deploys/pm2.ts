import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { messageOf } from '../../src/kernel/fault.ts';
import { freePort } from '../edge/contender.ts';
import { type Deployer, manifest, server } from './deployer.ts';

const VERSION = '7.0.4';
const INSTALL_TIMEOUT_MS = 120_000;
const COMMAND_TIMEOUT_MS = 60_000;
const run = promisify(execFile);

/** Installs it into the folder; false, and says so, where the registry is not there. */
export async function installPm2(folder: string): Promise<boolean> {
  const args = ['install', '--no-audit', '--no-fund', '--no-save', '--prefix', folder];
  try {
    await run('npm', [...args, `pm2@${VERSION}`], { timeout: INSTALL_TIMEOUT_MS });
    process.stderr.write(`PM2 ${VERSION}\n`);
    return true;
  } catch (thrown) {
    process.stderr.write(`SKIPPED PM2: npm could not install it: ${messageOf(thrown)}\n`);
    return false;
  }
}

/**
 * In cluster mode its workers share a listener and are reloaded one after the other; in fork mode,
 * where each needs a port of its own, there is one, and a reload is a restart.
 */
export async function startPm2(
  folder: string,
  mode: 'cluster' | 'fork',
  instances: number,
): Promise<Deployer> {
  const port = await freePort();
  const name = `pm2-${mode}`;
  const app = join(folder, name);
  const program = join(app, 'server.js');
  mkdirSync(app);
  writeFileSync(join(app, 'package.json'), manifest(name));
  writeFileSync(program, server(1));
  const env = { ...process.env, PM2_HOME: join(app, 'home'), PORT: `${port}`, HOST: '127.0.0.1' };
  const pm2 = async (...args: string[]): Promise<void> => {
    const command = [join(folder, 'node_modules/pm2/bin/pm2'), ...args];
    await run(process.execPath, command, { env, cwd: app, timeout: COMMAND_TIMEOUT_MS });
  };
  const many = mode === 'cluster' ? ['-i', `${instances}`] : [];
  await pm2('start', program, '--name', name, ...many);
  return {
    name: `PM2 ${mode}`,
    port,
    host: 'localhost',
    instances,
    async deploy(version) {
      writeFileSync(program, server(version));
      await pm2('reload', name);
    },
    stop: () => pm2('kill'),
  };
}
