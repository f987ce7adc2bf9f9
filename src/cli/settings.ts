import { formatDuration } from '../config/duration.ts';
import { formatSize } from '../config/size.ts';
import type { Configuration, Hook } from '../model/configuration.ts';
import type { Lifecycle } from '../model/lifecycle.ts';
import type { Ejection, Traffic } from '../model/traffic.ts';
import { windowText } from '../model/window.ts';
import { cacheSettings } from './cache-settings.ts';
import { capacitySettings, scalingSettings, waitSetting } from './capacity-settings.ts';
import { guardSettings } from './guard-settings.ts';

/** A resolved configuration as its user would write it: their key paths, their units. */

/** By key path; what is not set is left out. Variables are `web.env.NAME`. */
export function settingsOf(configuration: Configuration): Map<string, string> {
  const { web, domains, traffic, rollout, windows, hooks } = configuration;
  const { health, group, limits, variables } = web;
  const settings: [string, string | null][] = [
    ['web.start', web.start === null ? null : web.start.map(quoteWord).join(' ')],
    ['web.upstream', web.upstream === null ? null : [web.upstream].flat().join(', ')],
    ['web.health.path', health.path],
    ['web.health.matcher', rangeText(health.matcher)],
    ['web.health.interval', formatDuration(health.intervalMs)],
    ['web.health.timeout', formatDuration(health.timeoutMs)],
    ['web.health.body', health.body],
    ['web.health.deep', health.deepPath],
    ['web.health.healthyThreshold', String(health.healthyThreshold)],
    ['web.health.unhealthyThreshold', String(health.unhealthyThreshold)],
    ['web.health.replace', group.replace],
    ['web.health.grace', formatDuration(group.graceMs)],
    ...capacitySettings(web),
    ['web.memory', limits.memoryBytes === null ? null : formatSize(limits.memoryBytes)],
    ['web.cpu', limits.cpu === null ? null : String(limits.cpu)],
    ['web.concurrency', web.concurrency === null ? null : String(web.concurrency)],
    ...scalingSettings(web.scaling),
    waitSetting('launching', group.launching),
    waitSetting('terminating', group.terminating),
    ...Object.entries(variables).map(([name, value]): [string, string] => [
      `web.env.${name}`,
      value,
    ]),
    ['web.stopGrace', formatDuration(web.stopGraceMs)],
    ['web.drain', formatDuration(web.drainMs)],
    ['edge.domains', domains.join(', ')],
    ...trafficSettings(traffic),
    ['deploy.policy', rollout.policy],
    ...policySettings(rollout),
    ['deploy.healthyFor', formatDuration(rollout.healthyMs)],
    ['deploy.startTimeout', formatDuration(rollout.startTimeoutMs)],
    ['deploy.keep', formatDuration(rollout.keepMs)],
    ['deploy.windows', windows.ranges.map(windowText).join('; ') || null],
    ['deploy.timeZone', windows.ranges.length === 0 ? null : windows.timeZone],
    ...hookSettings('build', hooks.build),
    ...hookSettings('hooks.migrate', hooks.migrate),
    ...hookSettings('hooks.postdeploy', hooks.postdeploy),
    ['hooks.bootstrap', web.bootstrap === null ? null : web.bootstrap.map(quoteWord).join(' ')],
  ];
  return new Map(settings.filter((setting): setting is [string, string] => setting[1] !== null));
}

/** Of the application as a whole. */
export const lifecycleSettings = ({ keep, maxAgeMs }: Lifecycle): [string, string][] => [
  ['versions.keep', String(keep)],
  ...(maxAgeMs === null
    ? []
    : [['versions.maxAge', formatDuration(maxAgeMs)] satisfies [string, string]]),
];

function trafficSettings(traffic: Traffic): [string, string | null][] {
  const { balancing, admission, stickyMs } = traffic;
  const { ejection, maxConcurrency } = balancing;
  const { perClient } = admission;
  return [
    ['edge.balance', balancing.algorithm],
    ['edge.slowStart', formatDuration(balancing.slowStartMs)],
    ['edge.sticky', stickyMs === null ? 'false' : formatDuration(stickyMs)],
    ['edge.maxConcurrency', maxConcurrency === null ? null : String(maxConcurrency)],
    ['edge.queue.length', String(admission.queueLength)],
    ['edge.queue.wait', formatDuration(admission.queueMs)],
    ...ejectionSettings(ejection),
    ['edge.timeouts.answer', formatDuration(balancing.responseHeadMs)],
    ['edge.timeouts.quiet', formatDuration(balancing.quietMs)],
    ['edge.limits.body', formatSize(admission.requestBodyBytes)],
    ['edge.limits.requestsPerSecond', perClient && String(perClient.requestsPerSecond)],
    ['edge.limits.burst', perClient && String(perClient.burst)],
    ...cacheSettings(traffic.cache),
    ...guardSettings(traffic.guards),
  ];
}

const ejectionSettings = (ejection: Ejection | null): [string, string][] =>
  ejection === null
    ? [['edge.eject', 'false']]
    : [
        ['edge.eject.errors', String(ejection.consecutiveErrors)],
        ['edge.eject.for', formatDuration(ejection.timeMs)],
        ['edge.eject.maxPercent', String(ejection.maxPercent)],
      ];

function hookSettings(keyPath: string, hook: Hook | null): [string, string | null][] {
  if (hook === null) return [];
  const { memoryBytes, cpu } = hook.limits;
  const variables = Object.entries(hook.variables).map(([name, value]) => `${name}=${value}`);
  const onFailure = hook.turnsBack ? 'roll-back' : 'tell';
  return [
    [keyPath, [...variables, ...hook.command].map(quoteWord).join(' ')],
    [`${keyPath}.timeout`, formatDuration(hook.timeoutMs)],
    [`${keyPath}.memory`, memoryBytes === null ? null : formatSize(memoryBytes)],
    [`${keyPath}.cpu`, cpu === null ? null : String(cpu)],
    [`${keyPath}.onFailure`, keyPath === 'hooks.postdeploy' ? onFailure : null],
  ];
}

const rangeText = ({ from, to }: { from: number; to: number }): string =>
  from === to ? String(from) : `${from}-${to}`;

/** As one would have to write it in one string. */
const quoteWord = (word: string): string =>
  /^[\w@%+=:,./${}-]+$/.test(word) ? word : `"${word.replaceAll('"', '\\"')}"`;

/** What only the policy in force goes by. */
function policySettings(rollout: Configuration['rollout']): [string, string][] {
  switch (rollout.policy) {
    case 'rolling':
      return [
        ['deploy.batch', String(rollout.batch)],
        ['deploy.extra', String(rollout.extra)],
      ];
    case 'canary':
    case 'linear':
      return [
        ['deploy.percent', String(rollout.percent)],
        ['deploy.bake', formatDuration(rollout.bakeMs)],
        ['deploy.minRequests', String(rollout.minRequests)],
        ['deploy.probes', rollout.probes.length === 0 ? 'none' : rollout.probes.join(', ')],
        ['deploy.patience', formatDuration(rollout.patienceMs)],
      ];
    default:
      return [];
  }
}
