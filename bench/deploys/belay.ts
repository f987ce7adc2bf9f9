import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DaemonView } from '../../src/model/view.ts';
import { measureBootMs } from '../app.ts';
import type { House } from '../house.ts';
import { median } from '../report.ts';
import { type Deployer, manifest, server } from './deployer.ts';

export interface BelayDeployer extends Deployer {
  /** Of the program, with nothing around it. */
  bootMs: number;
  /** From the start of each deployment to its verdict, without the command around it. */
  readonly durationsMs: number[];
  rollback(): Promise<void>;
}

interface Verdict {
  verdict: string;
  cause: string | null;
  receipt: { durationMs: number } | null;
}

const BOOTS_MEASURED = 5;

/** @param deploy the policy, as it is written in the configuration; empty for the default */
export async function startBelay(
  house: House,
  { name, instances, deploy }: { name: string; instances: number; deploy: string },
): Promise<BelayDeployer> {
  const folder = house.folder(name, {
    'package.json': manifest(name),
    'server.js': server(1),
    'belay.config.ts': `import { app } from 'belay';
export default app('${name}', {
  web: {
    start: 'node server.js',
    capacity: { min: 1, desired: ${instances}, max: ${2 * instances}, zones: ['a', 'b'] },
  },
  ${deploy === '' ? '' : `deploy: ${deploy},`}
});
`,
  });
  const boots: number[] = [];
  while (boots.length < BOOTS_MEASURED) boots.push(await measureBootMs(folder));
  await house.belay('up', folder);
  const { edge } = (await house.belay('daemon', 'status')) as DaemonView;
  const durationsMs: number[] = [];
  const succeed = async (...args: string[]): Promise<void> => {
    const { verdict, cause, receipt } = (await house.belay(...args)) as Verdict;
    if (verdict !== 'succeeded') throw new Error(`belay ${args[0]} ended ${verdict}: ${cause}`);
    durationsMs.push(receipt?.durationMs ?? 0);
  };
  return {
    name: 'Belay',
    port: edge?.listeners[0]?.port ?? 0,
    host: `${name}.localhost`,
    instances,
    bootMs: median(boots),
    durationsMs,
    async deploy(version) {
      writeFileSync(join(folder, 'server.js'), server(version));
      // A canary is refused where there was no traffic yet, and ours begins just before.
      await succeed('deploy', folder, '--force');
    },
    rollback: () => succeed('rollback', '--app', name),
    async stop() {
      await house.belay('down', '--app', name, '--yes');
    },
  };
}
