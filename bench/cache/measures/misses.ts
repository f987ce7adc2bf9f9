import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startBelay } from '../../edge/belay.ts';
import type { Load } from '../../edge/load.ts';
import { inTurn, type Measure, rowsBeside } from '../../edge/measure.ts';
import { cpuUsPerRequest } from '../../edge/measures/cpu-per-request.ts';
import type { Row } from '../../report.ts';
import { PRIVATE_PATH } from '../origin.ts';

/** What a request that the app answers costs with the cache on, beside the cache off. */

const BESIDE = 'nginx';

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
    async run({ folder, origin, ours, rivals, seconds, rounds }): Promise<Row[]> {
      const off = { ...(await startBelay(folder, origin.port)), name: 'cache off' };
      try {
        let measured = 0;
        const others = [off, ...rivals.filter(({ name }) => name === BESIDE)];
        const figures = await inTurn([ours, ...others], rounds, (contender) => {
          measured += 1;
          return cpuUsPerRequest(contender, load(folder, measured), seconds);
        });
        return rowsBeside(`${title}: CPU per request`, figures, ours, 'µs', {});
      } finally {
        await off.stop();
      }
    },
  };
}
