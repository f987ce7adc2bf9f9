import { formatDuration } from '../config/duration.ts';
import { formatSize } from '../config/size.ts';
import type { Configuration } from '../model/configuration.ts';

/** A resolved configuration as its user would write it: their key paths, their units. */

/** By key path; what is not set is left out. Variables are `web.env.NAME`. */
export function settingsOf(configuration: Configuration): Map<string, string> {
  const { web, domains, rollout } = configuration;
  const { health, capacity, limits, variables } = web;
  const settings: [string, string | null][] = [
    ['web.start', web.start === null ? null : web.start.map(quoteWord).join(' ')],
    ['web.upstream', web.upstream],
    ['web.health.path', health.path],
    ['web.health.matcher', rangeText(health.matcher)],
    ['web.health.interval', formatDuration(health.intervalMs)],
    ['web.health.timeout', formatDuration(health.timeoutMs)],
    ['web.health.healthyThreshold', String(health.healthyThreshold)],
    ['web.health.unhealthyThreshold', String(health.unhealthyThreshold)],
    ['web.capacity.min', String(capacity.min)],
    ['web.capacity.desired', String(capacity.desired)],
    ['web.capacity.max', String(capacity.max)],
    ['web.capacity.zones', web.zones.join(', ')],
    ['web.memory', limits.memoryBytes === null ? null : formatSize(limits.memoryBytes)],
    ['web.cpu', limits.cpu === null ? null : String(limits.cpu)],
    ...Object.entries(variables).map(([name, value]): [string, string] => [
      `web.env.${name}`,
      value,
    ]),
    ['web.stopGrace', formatDuration(web.stopGraceMs)],
    ['web.drain', formatDuration(web.drainMs)],
    ['edge.domains', domains.join(', ')],
    ['deploy.policy', rollout.policy],
    ['deploy.batch', String(rollout.batch)],
    ['deploy.extra', String(rollout.extra)],
    ['deploy.healthyFor', formatDuration(rollout.healthyMs)],
    ['deploy.startTimeout', formatDuration(rollout.startTimeoutMs)],
    ['deploy.keep', formatDuration(rollout.keepMs)],
  ];
  return new Map(settings.filter((setting): setting is [string, string] => setting[1] !== null));
}

const rangeText = ({ from, to }: { from: number; to: number }): string =>
  from === to ? String(from) : `${from}-${to}`;

/** As one would have to write it in one string. */
const quoteWord = (word: string): string =>
  /^[\w@%+=:,./${}-]+$/.test(word) ? word : `"${word.replaceAll('"', '\\"')}"`;
