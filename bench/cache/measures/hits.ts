import type { Contender } from '../../edge/contender.ts';
import type { Load } from '../../edge/load.ts';
import { type Bench, inTurn, type Measure, ratioAtMost, rowsBeside } from '../../edge/measure.ts';
import { BROWSER_FIELDS, cpuUsPerRequest } from '../../edge/measures/cpu-per-request.ts';
import { latencyBeside } from '../../edge/measures/latency.ts';
import { twoWorkers } from '../../edge/measures/workers.ts';
import type { Bound, Row } from '../../report.ts';
import { keeping } from '../keeping-belay.ts';
import { warm } from '../kept-check.ts';
import { ofKept } from '../origin.ts';

/** CPU time of one answer from what is kept. */

/** Varnish's own rules answer nothing from what is kept to a request with a cookie. */
const NO_VISITOR = /^(?!Cookie:|Cache-Control:)/;

/** Half of what they can do is more than the client that asks can send. */
const LATENCY_RATE = 20_000;

const small = hit({
  name: 'small',
  title: 'hit 200 B',
  load: { path: '/small' },
  bounds: { nginx: ratioAtMost(0.9), Varnish: ratioAtMost(0.6) },
});

const browser = hit({
  name: 'browser',
  title: 'hit 200 B, ten browser headers',
  load: { path: '/small', fields: BROWSER_FIELDS.filter((field) => NO_VISITOR.test(field)) },
  bounds: {},
});

const medium = hit({
  name: 'medium',
  title: 'hit 16 KB',
  load: { path: '/medium' },
  bounds: { nginx: ratioAtMost(0.9), Varnish: ratioAtMost(0.6) },
});

const workers = twoWorkers(keeping, async (edge, bench) => {
  await warm(edge, ['/small']);
  return costUs(bench, edge, { path: '/small' });
});

export const hitMeasures: readonly Measure[] = [
  small,
  browser,
  medium,
  workers,
  latencyBeside(['nginx', 'Varnish'], LATENCY_RATE),
];

interface Case {
  name: string;
  title: string;
  load: Load;
  bounds: Readonly<Record<string, Bound>>;
}

function hit({ name, title, load, bounds }: Case): Measure {
  return {
    name,
    needs: ['wrk'],
    async run(bench): Promise<Row[]> {
      const { ours, rivals, rounds } = bench;
      const figures = await inTurn([ours, ...rivals], rounds, (contender) =>
        costUs(bench, contender, load),
      );
      return rowsBeside(`${title}: CPU per request`, figures, ours, 'µs', bounds);
    },
  };
}

const costUs = ({ origin, seconds }: Bench, contender: Contender, load: Load): Promise<number> =>
  ofKept(origin, contender.name, () => cpuUsPerRequest(contender, load, seconds));
