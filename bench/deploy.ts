import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../src/kernel/clock.ts';
import { appFiles, BOOT_MS, measureBootMs } from './app.ts';
import { type House, openHouse } from './house.ts';
import { median, type Row, report, row } from './report.ts';

/**
 * From `belay deploy` to its verdict, by the default policy, next to the sum of the boots it has to
 * wait for: one instance after another. `node bench/deploy.ts [--json]`.
 */

const SIZES = [3, 10];
const BOOTS_MEASURED = 5;

async function measureDeploy(house: House, instances: number): Promise<Row> {
  const name = `boots-${instances}`;
  const folder = house.folder(name, appFiles(name, instances));
  const boots: number[] = [];
  for (let boot = 0; boot < BOOTS_MEASURED; boot += 1) boots.push(await measureBootMs(folder));
  await house.belay('up', folder);
  appendFileSync(join(folder, 'server.js'), '// another version\n');
  const begun = systemClock.monotonic();
  const { verdict, cause } = (await house.belay('deploy', folder)) as {
    verdict: string;
    cause: string | null;
  };
  const tookMs = systemClock.monotonic() - begun;
  if (verdict !== 'succeeded') throw new Error(`the deploy ended ${verdict}: ${cause}`);
  await house.belay('down', '--app', name, '--yes');
  const what = `deploy: ${instances} instances that boot in ${BOOT_MS} ms, next to the sum of boots`;
  return row(what, tookMs / 1000, (median(boots) * instances) / 1000, 's');
}

const house = openHouse();
try {
  const rows: Row[] = [];
  for (const instances of SIZES) rows.push(await measureDeploy(house, instances));
  report(rows);
} finally {
  await house.close();
}
