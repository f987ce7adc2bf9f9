import { parseDuration } from '../config/duration.ts';
import { Fault } from '../kernel/fault.ts';
import { MINUTE_MS, type Trace } from '../plan/simulation/trace.ts';
import { badOption } from './options.ts';

/**
 * A load that somebody imagines, in stretches with a comma between: `50:10m` is 50 requests a second
 * for ten minutes, `50..800:10m` grows evenly from the one to the other.
 */

const STRETCH = /^(\d+(?:\.\d+)?)(?:\.\.(\d+(?:\.\d+)?))?:(\d+(?:\.\d+)?(?:s|m|h|d))$/;
const MOST_MINUTES = 60 * 24 * 366;
const HINT = 'write it as in --rps 50:10m,50..800:10m,800:20m,800..50:10m';

export function imagineLoad(text: string): Trace {
  const requests = text.split(',').flatMap((stretch) => minutesOf(stretch.trim()));
  if (requests.length > MOST_MINUTES) throw badLoad('is longer than a year');
  return { startAt: 0, requests };
}

function minutesOf(stretch: string): number[] {
  const match = STRETCH.exec(stretch);
  if (!match) throw badLoad(`has '${stretch}', which is not RATE:DURATION or FROM..TO:DURATION`);
  const [, from, to = from, duration] = match;
  const minutes = durationOf(duration) / MINUTE_MS;
  if (!Number.isInteger(minutes) || minutes === 0) {
    throw badLoad(`has '${stretch}', which does not last whole minutes`);
  }
  const first = Number(from);
  const growth = (Number(to) - first) / minutes;
  return Array.from({ length: minutes }, (_, minute) =>
    Math.round(60 * (first + growth * (minute + 0.5))),
  );
}

function durationOf(text: string | undefined): number {
  try {
    return parseDuration(text);
  } catch (thrown) {
    if (!(thrown instanceof Fault)) throw thrown;
    throw badLoad(`has a stretch that ${thrown.message}`);
  }
}

const badLoad = (problem: string) => badOption('--rps', problem, HINT);
