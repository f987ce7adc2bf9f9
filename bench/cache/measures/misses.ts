import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startBelay } from '../../edge/belay.ts';
import type { Load } from '../../edge/load.ts';
import { inTurn, type Measure } from '../../edge/measure.ts';
import { cpuUsPerRequest } from '../../edge/measures/cpu-per-request.ts';
import { beside, median, type Row, row } from '../../report.ts';
import { PRIVATE_PATH } from '../origin.ts';

/** What a request that the app answers costs with the cache on, beside the cache off. */

/** Nothing is asked for twice. */
const EACH_NEW = `local each = 0
request = function()
  each = each + 1
  return wrk.format(nil, '/small?' .. each)
end
`;

const passed = miss({
  name: 'passed',
  title: 'answer that may not be kept',
  load: () => ({ path: PRIVATE_PATH }),
});

const stored = miss({
  name: 'stored',
  title: 'answer that is kept',
  load(folder, round) {
    const script = join(folder, 'each-new.lua');
    writeFileSync(script, EACH_NEW.replace('= 0', `= ${round * 1e9}`));
    return { path: '/small', script };
  },
});

export const missMeasures: readonly Measure[] = [passed, stored];

interface Case {
  name: string;
  title: string;
  load(folder: string, round: number): Load;
}

function miss({ name, title, load }: Case): Measure {
  return {
    name,
    needs: ['wrk'],
    async run({ folder, origin, ours, seconds, rounds }): Promise<Row[]> {
      const without = await startBelay(folder, origin.port);
      try {
        let measured = 0;
        const figures = await inTurn([ours, without], rounds, (edge) => {
          measured += 1;
          return cpuUsPerRequest(edge, load(folder, measured), seconds);
        });
        const [on = 0, off = 0] = [...figures.values()].map(median);
        return [beside('cache off', row(`${title}: CPU per request`, on, off, 'µs'))];
      } finally {
        await without.stop();
      }
    },
  };
}
