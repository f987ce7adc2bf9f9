import { NO_SCALING, type Scaling } from '../../../model/scaling.ts';
import { horizonOf, reachMs } from '../../scaling/forecast-load.ts';
import { type Forecast, learn } from '../../scaling/predict.ts';
import {
  type MetricPoint,
  NOTHING_REMEMBERED,
  type ScalingDecision,
  type ScalingInput,
} from '../../scaling/scaling.ts';
import type { Decided, Known, Rule, Setting } from '../rule.ts';
import { MINUTE_MS } from '../trace.ts';

/**
 * Belay's own decision, the one the daemon takes, with one tracking policy and defaults for all else.
 * A trace knows requests and nothing more, so they are what is tracked.
 */

/** What is learned from goes back so far. The daemon learns every hour; days change more slowly. */
const HISTORY_MINUTES = 28 * 24 * 60;
const LEARN_EVERY_MINUTES = 6 * 60;

type Decide = (input: ScalingInput) => ScalingDecision;

export function belay(setting: Setting, decide: Decide, predicts: boolean): Rule {
  const scaling = scalingOf(setting, predicts);
  const horizonMs = horizonOf({ scaling, bootMs: setting.bootMs, periodMs: MINUTE_MS });
  /** Of what was measured last, as many minutes as matter to it are shown. */
  const pointsShown = Math.ceil(reachMs(horizonMs, MINUTE_MS) / MINUTE_MS);
  const seen: MetricPoint[] = [];
  let forecasts: readonly Forecast[] = [];
  let minutes = 0;
  let memory = NOTHING_REMEMBERED;

  return { name: predicts ? 'belay-predict' : 'belay', decide: decided };

  function decided(known: Known): Decided {
    note(known);
    if (predicts && minutes % LEARN_EVERY_MINUTES === 1) forecasts = learnAt(known.now);
    const { min, max, bootMs } = setting;
    const decision = decide({
      now: known.now,
      periodMs: MINUTE_MS,
      capacity: { min, max, desired: known.desired },
      scaling,
      fleet: known.fleet,
      bootMs,
      points: seen.slice(-pointsShown),
      history: [],
      forecasts,
      memory,
      deploying: false,
    });
    memory = decision.memory;
    return { desired: decision.to, reason: decision.reason };
  }

  function note({ now, requests, serving }: Known): void {
    seen.push({
      at: now,
      instances: serving,
      cpuPercent: null,
      requestsPerMinute: requests,
      concurrency: null,
      p99Ms: null,
      reported: {},
    });
    if (seen.length > 2 * HISTORY_MINUTES) seen.splice(0, HISTORY_MINUTES);
    minutes += 1;
  }

  function learnAt(now: number): readonly Forecast[] {
    const history = seen.slice(-HISTORY_MINUTES);
    return learn({ now, history, scaling, bootMs: setting.bootMs, periodMs: MINUTE_MS });
  }
}

/** `scaling: [track.requestsPerInstance(unit)]`, and `predict()` beside it. */
function scalingOf({ unit }: Setting, predicts: boolean): Scaling {
  const track = {
    kind: 'track',
    metric: 'requests-per-instance',
    source: null,
    target: unit,
    scaleIn: true,
  } as const;
  const predict = { kind: 'predict', mode: 'auto' } as const;
  return { ...NO_SCALING, policies: predicts ? [track, predict] : [track] };
}
