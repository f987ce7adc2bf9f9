import type { EnvironmentKey } from '../../model/environment.ts';
import { type Forecast, learn } from '../../plan/scaling/predict.ts';
import type { ScalingInput } from '../../plan/scaling/scaling.ts';

/** An hour more or less of a month teaches little, and a month takes its time to be read. */
const LEARNED_FOR_MS = 3_600_000;

interface Lesson {
  at: number;
  release: number;
  forecasts: readonly Forecast[];
}

/** What was learned of each environment's days and weeks, until it is learned anew. */
export class Learned {
  readonly #lessons = new Map<EnvironmentKey, Lesson>();

  of(key: EnvironmentKey, release: number, input: ScalingInput): readonly Forecast[] {
    const known = this.#lessons.get(key);
    const ageMs = known ? input.now - known.at : 0;
    const holds = known && known.release === release && ageMs >= 0 && ageMs < LEARNED_FOR_MS;
    if (holds) return known.forecasts;
    const lesson = { at: input.now, release, forecasts: learn(input) };
    this.#lessons.set(key, lesson);
    return lesson.forecasts;
  }

  forget(key: EnvironmentKey): void {
    this.#lessons.delete(key);
  }
}
