import { cachePolicySchema } from '../model/cache.ts';
import { balancingSchema } from '../model/traffic.ts';
import { cacheReader } from './cache-readers.ts';
import { DEFAULTS } from './defaults.ts';
import { guardReader } from './guard-readers.ts';
import { boolean, duration, oneOf, positiveNumber, size, wholeNumber } from './leaves.ts';
import { type ReadBy, type Reader, section, unlike } from './reader.ts';

/** The keys of `edge` that say how traffic is treated. Bounds are those of `model/traffic.ts`. */

const MILLION = 1_000_000;
const LONGEST_SLOW_START_MS = 15 * 60_000;
const LEAST_STICKY_MS = 1_000;

const eject = section({
  errors: wholeNumber(1, 1_000),
  for: duration(1_000),
  maxPercent: wholeNumber(1, 100),
});

/** `false`, or what is to be otherwise. */
const ejectOrNot: Reader<false | ReadBy<typeof eject>> = (value, keyPath, report) => {
  if (value === false) return false;
  if (value !== true) return eject(value, keyPath, report);
  const hint = 'leave it out for the defaults, or write { errors: 3 }, say';
  report({ keyPath, what: 'is true; it should be false or an object', hint });
  return undefined;
};

const stickyDuration = duration(LEAST_STICKY_MS);

/** `true` stands for a day; null for `false`. */
const sticky: Reader<number | null> = (value, keyPath, report) => {
  if (typeof value === 'boolean') return value ? DEFAULTS.stickyMs : null;
  if (typeof value === 'string' || typeof value === 'number') {
    return stickyDuration(value, keyPath, report);
  }
  const { message, hint } = unlike('true, false or a duration', value, "true, or '1h', say");
  report({ keyPath, what: message, hint: hint ?? null });
  return undefined;
};

export const trafficReaders = {
  balance: oneOf('a way to balance', balancingSchema.shape.algorithm.options),
  slowStart: duration(0, LONGEST_SLOW_START_MS),
  sticky,
  maxConcurrency: wholeNumber(1, MILLION),
  queue: section({ length: wholeNumber(0, MILLION), wait: duration() }),
  eject: ejectOrNot,
  timeouts: section({ answer: duration(100), quiet: duration(1_000) }),
  guard: guardReader,
  limits: section({
    body: size(),
    requestsPerSecond: positiveNumber('a number of requests', MILLION, 50),
    burst: wholeNumber(1, MILLION),
  }),
  cache: cacheReader,
  cacheOnDeploy: oneOf('what a deployment does', cachePolicySchema.shape.onDeploy.options),
  compress: boolean,
};
