import { formatSize } from '../config/size.ts';
import { isRunning } from '../model/deployment.ts';
import type { EnvironmentHealth } from '../model/environment.ts';
import type { Receipt } from '../model/receipt.ts';
import type { DeepReport } from '../model/target.ts';
import type {
  DeploymentView,
  EnvironmentView,
  InstanceView,
  TrafficView,
  WaitView,
} from '../model/view.ts';
import type { Paint } from './paint.ts';
import {
  formatAgo,
  formatBytes,
  formatCount,
  formatDuration,
  formatMs,
  formatPercent,
  formatPlural,
  formatRate,
  formatTime,
} from './quantity.ts';
import { allowedText, scalingLine } from './scaling-text.ts';
import { renderTable } from './table.ts';

/** An environment at a glance. */

export const healthInk: Readonly<
  Record<EnvironmentHealth, 'green' | 'cyan' | 'yellow' | 'red' | 'dim'>
> = {
  ok: 'green',
  info: 'cyan',
  warning: 'yellow',
  degraded: 'red',
  severe: 'red',
  pending: 'cyan',
  unknown: 'dim',
};

const FACT_COLUMNS = 'deployment'.length + 2;
const NOTE_COLUMNS = 'depends on'.length + 2;

export function renderEnvironment(view: EnvironmentView, now: number, paint: Paint): string[] {
  const health = paint[healthInk[view.health]](`● ${view.health}`);
  const facts: [string, string][] = [
    ['url', paint.cyan(view.url)],
    ['status', view.status],
    ['release', releaseOf(view)],
    ...(isFixed(view) ? [] : [['capacity', capacityOf(view)] as [string, string]]),
    ...allowanceFacts(view, paint),
    ...scalingFacts(view, paint),
    ...fixedFacts(view, paint),
    ['traffic', trafficOf(view.traffic)],
    ['deployment', view.deployment ? deploymentOf(view.deployment, now, paint) : 'none yet'],
    ...waitingFacts(view),
    ...freezeFacts(view, paint),
  ];
  return [
    `${paint.bold(`${view.application}/${view.environment}`)}  ${health}  ${view.cause}`.trimEnd(),
    ...facts.map(([name, value]) => `  ${paint.dim(name.padEnd(FACT_COLUMNS))}${value}`),
    ...(view.instances.length === 0 ? [] : ['']),
    ...renderInstances(view.instances, now, paint).map((line) => `  ${line}`),
  ];
}

function releaseOf({ release, version }: EnvironmentView): string {
  if (release === null) return 'none yet';
  return version === null ? `${release}` : `${release} (${version})`;
}

/** Of an address that Belay did not start, what is told of an instance elsewhere. */
function fixedFacts({ fixed }: EnvironmentView, paint: Paint): [string, string][] {
  if (fixed === null) return [];
  const { health, reason, ejection, deep } = fixed;
  const told = health === 'healthy' ? paint.green(health) : paint.yellow(health);
  return [
    ['address', reason === '' ? told : `${told}: ${reason}`],
    ...(ejection === null ? [] : [['ejected', paint.yellow(ejection)] as [string, string]]),
    ...(tellsParts(deep) ? [['depends on', deepText(deep, paint)] as [string, string]] : []),
  ];
}

/** A fixed address has a release without a version, and no instances to count. */
const isFixed = ({ release, version }: EnvironmentView): boolean =>
  release !== null && version === null;

function capacityOf(view: EnvironmentView): string {
  const { capacity, instances, warm } = view;
  const inState = (wanted: string) => instances.filter(({ state }) => state === wanted).length;
  const ahead = warm === 0 ? '' : `; ${inState('warmed')} of ${warm} kept warm`;
  return `${inState('in-service')} of ${capacity.desired} in service, ${allowedText(view)}${ahead}`;
}

/** What each instance may use, as far as it has limits. */
function allowanceFacts({ allowance }: EnvironmentView, paint: Paint): [string, string][] {
  if (allowance === null) return [];
  const { size, cpu, memoryBytes, byCommand, concerns } = allowance;
  const limits = [
    ...(cpu === null ? [] : [formatPlural(cpu, 'core')]),
    ...(memoryBytes === null ? [] : [formatSize(memoryBytes)]),
  ];
  if (limits.length === 0) return [];
  const name = size === null ? '' : `${size}: `;
  const since = byCommand ? ', by belay scale' : '';
  return [
    ['size', `${name}${limits.join(' and ')} each${since}`],
    ...concerns.map(({ what }): [string, string] => ['too little', paint.yellow(what)]),
  ];
}

function scalingFacts({ scaling, asleepSince }: EnvironmentView, paint: Paint): [string, string][] {
  if (scaling === null) return [];
  const asleep = 'by policies, once somebody wants it';
  return [['scaling', asleepSince === null ? scalingLine(scaling, paint) : asleep]];
}

function trafficOf(traffic: TrafficView | null): string {
  if (!traffic) return 'not measured yet';
  const parts = [
    `${formatRate(traffic.requestsPerSecond)} requests/s`,
    `p50 ${formatMs(traffic.p50Ms)}`,
    `p99 ${formatMs(traffic.p99Ms)}`,
  ];
  if (traffic.serverErrors > 0)
    parts.push(`${formatPlural(traffic.serverErrors, 'answer')} of 5xx`);
  if (traffic.lost > 0) parts.push(`${formatCount(traffic.lost)} lost`);
  if (traffic.appErrors > 0) parts.push(`${formatCount(traffic.appErrors)} app errors`);
  return `${parts.join(', ')} over ${formatDuration(traffic.windowMs)}`;
}

function deploymentOf(deployment: DeploymentView, now: number, paint: Paint): string {
  const { kind, number, state, cause, receipt, endedAt, startedAt, by, message } = deployment;
  const what = `${kind} ${number}${by === null ? '' : ` by ${by}`}`;
  const note = message === null ? '' : ` “${message}”`;
  if (isRunning(deployment)) {
    const hook = deployment.hooks.find((run) => run.state === 'running')?.hook;
    const doing = hook === undefined ? '' : `: ${hook}`;
    return `${what} ${paint.cyan(state.replace('-', ' '))} for ${formatDuration(now - startedAt)}${doing}${note}`;
  }
  const word = state.replace('-', ' ');
  const verdict = state === 'succeeded' ? paint.green(word) : paint.red(word);
  const lost = receipt ? `, ${lossOf(receipt)}` : '';
  const why = state === 'succeeded' || !cause ? '' : `: ${cause}`;
  return `${what} ${verdict} ${formatAgo(endedAt ?? startedAt, now)}${lost}${why}${note}`;
}

function waitingFacts({ waiting }: EnvironmentView): [string, string][] {
  if (waiting.length === 0) return [];
  const named = waiting.map(({ kind, number, by }) => `${kind} ${number}${by ? ` by ${by}` : ''}`);
  return [['queued', named.join(', ')]];
}

function freezeFacts({ freeze }: EnvironmentView, paint: Paint): [string, string][] {
  if (freeze === null) return [];
  const { by, reason, until } = freeze;
  const end = until === null ? 'until belay unfreeze' : `until ${formatTime(until)}`;
  const who = by === null ? '' : ` by ${by}`;
  return [['frozen', paint.yellow(`${end}${who}${reason === null ? '' : `: ${reason}`}`)]];
}

const lossOf = ({ lost, requests }: Receipt): string =>
  requests === 0 ? 'no requests' : `${formatCount(lost)} of ${formatCount(requests)} lost`;

function renderInstances(instances: readonly InstanceView[], now: number, paint: Paint): string[] {
  if (instances.length === 0) return [];
  const sorted = [...instances].sort(byZoneAndAge);
  const rows = sorted.map((instance) => [
    instance.zone,
    instance.id,
    stateInk(instance, paint),
    instance.health === 'healthy' ? paint.green(instance.health) : instance.health,
    instance.version ?? String(instance.release),
    formatPercent(instance.cpuPercent),
    formatBytes(instance.rssBytes),
    formatDuration(now - instance.startedAt),
    instance.reason,
  ]);
  const [titles = '', ...lines] = renderTable(
    [
      { title: 'ZONE' },
      { title: 'INSTANCE' },
      { title: 'STATE' },
      { title: 'HEALTH' },
      { title: 'VERSION' },
      { title: 'CPU', align: 'right' },
      { title: 'MEMORY', align: 'right' },
      { title: 'UP', align: 'right' },
      { title: 'REASON' },
    ],
    rows,
    paint,
  );
  const noted = sorted.flatMap((instance, index) => [
    lines[index] ?? '',
    ...notesOf(instance, now, paint),
  ]);
  return [titles, ...noted];
}

const byZoneAndAge = (a: InstanceView, b: InstanceView): number =>
  a.zone.localeCompare(b.zone) || a.startedAt - b.startedAt || a.id.localeCompare(b.id);

/** What there is to say of an instance beyond its row. */
function notesOf(
  { id, ejection, deep, boot, isProtected, wait }: InstanceView,
  now: number,
  paint: Paint,
): string[] {
  const notes: [string, string][] = [];
  if (wait) notes.push(['waits', paint.yellow(waitText(id, wait, now))]);
  if (boot && boot.bootstrapMs !== null) {
    const bootstrap = formatDuration(boot.bootstrapMs);
    notes.push(['boot', `${formatDuration(boot.bootMs)}, of it bootstrap ${bootstrap}`]);
  }
  if (isProtected) notes.push(['protected', 'from scale-in']);
  if (ejection !== null) notes.push(['ejected', paint.yellow(ejection)]);
  if (tellsParts(deep)) notes.push(['depends on', deepText(deep, paint)]);
  return notes.map(([name, text]) => `   ${paint.dim(name.padEnd(NOTE_COLUMNS))}${text}`);
}

function waitText(id: string, { turn, endsAt, otherwise }: WaitView, now: number): string {
  const before = turn === 'launching' ? 'before it takes traffic' : 'before it is stopped';
  const left = formatDuration(Math.max(0, endsAt - now));
  return `${before}: belay instance continue ${id}, or abandon, or heartbeat; in ${left}: ${otherwise}`;
}

const tellsParts = (deep: DeepReport | null): deep is DeepReport =>
  deep !== null && (!deep.passed || deep.parts.length > 0);

function deepText({ passed, description, parts }: DeepReport, paint: Paint): string {
  if (parts.length === 0) return `${paint.red('✗')} ${description}`;
  const told = parts.map((part) =>
    part.passed
      ? `${paint.green('✓')} ${part.name}`
      : `${paint.red('✗')} ${part.name}${part.detail === '' ? '' : `: ${part.detail}`}`,
  );
  // An app may name its parts as good and fail as a whole.
  const whole = !passed && parts.every((part) => part.passed) ? [paint.red(description)] : [];
  return [...told, ...whole].join('  ');
}

const stateInk = ({ state }: InstanceView, paint: Paint): string =>
  state === 'in-service' ? paint.green(state) : paint.yellow(state);
