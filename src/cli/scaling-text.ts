import { formatDuration as formatSetting } from '../config/duration.ts';
import type { Scaling } from '../model/scaling.ts';
import {
  type MetricPoint,
  mostWanted,
  type Opinion,
  type ScalingRecord,
} from '../model/scaling-decision.ts';
import type { ScalingGlance, ScalingView } from '../model/scaling-view.ts';
import type { EnvironmentView } from '../model/view.ts';
import type { Paint } from './paint.ts';
import { formatCount, formatDuration, formatMs, formatPercent, formatTime } from './quantity.ts';
import { renderTable } from './table.ts';

/** How capacity follows the load, and why it is what it is. */

const INDENT = '  ';
/** What was decided so lately holds still. */
const STILL_MS = 10_000;

/** The bounds in force, which a schedule may have moved. */
export function allowedText({ capacity, scaling }: EnvironmentView): string {
  const { min, max } = scaling ?? capacity;
  return `${min} to ${max} allowed`;
}

/** In a line, for `status`: what it is by whom; why is for `scale --explain`. */
export function scalingLine({ min, max, decision }: ScalingGlance, paint: Paint): string {
  if (decision === null) return 'by policies, which have not decided yet';
  const { from, to, reason, opinions } = decision;
  const wanted = mostWanted(opinions);
  const leader = opinions.find(({ wants }) => wants !== null && wants === wanted);
  if (!leader) return reason;
  if (wanted > max) return paint.yellow(`at max ${max}, and ${leader.policy} wants ${wanted}`);
  const wish = `${leader.policy} wants ${wanted}`;
  if (from !== to) return `${from} → ${to}: ${wish}`;
  if (wanted < min) return `at min ${min}: ${wish}`;
  return wanted < to ? `stays at ${to} for now: ${wish}` : `stays at ${to}: ${wish}`;
}

export function renderScaling(view: ScalingView, now: number, paint: Paint): string[] {
  const { application, environment, capacity, inService, min, max, scaling } = view;
  const title = paint.bold(`${application}/${environment}`);
  const head = `${title}  ${capacity.desired} desired, ${inService} in service, ${min} to ${max} allowed`;
  if (scaling.policies.length === 0) return [head, ...noPolicies(view, now, paint)];
  return [
    head,
    ...boundsLines(view, paint),
    '',
    ...policyLines(view, paint),
    '',
    ...decisionLines(view.decisions, now, paint),
    '',
    paint.bold('Next'),
    ...nextLines(view, now, paint).map((line) => `${INDENT}${line}`),
  ];
}

function noPolicies({ decisions }: ScalingView, now: number, paint: Paint): string[] {
  return [
    `${INDENT}No policy has a say: it stays as it is set. To let it follow the load, write in belay.config.ts:`,
    `${INDENT}web: { scaling: [track.cpu(60)] }`,
    ...(decisions.length === 0 ? [] : ['', ...decisionLines(decisions, now, paint)]),
  ];
}

/** Where schedules have moved the bounds, those that were set are told beside them. */
function boundsLines({ capacity, min, max }: ScalingView, paint: Paint): string[] {
  if (capacity.min === min && capacity.max === max) return [];
  const set = `${capacity.min} to ${capacity.max}`;
  return [
    paint.cyan(`${INDENT}A schedule sets ${min} to ${max} now; without it, ${set} are allowed.`),
  ];
}

function policyLines({ decisions, scaling }: ScalingView, paint: Paint): string[] {
  const [last] = decisions;
  const rule = paint.dim('out if any wants more, in only if all agree');
  if (!last) {
    const count = scaling.policies.length;
    return [`${paint.bold('Policies')}  ${rule}`, `${INDENT}${count}, which have not decided yet`];
  }
  const rows = last.opinions.map((opinion) => [
    opinion.policy,
    wantsText(opinion, last, paint),
    opinion.why,
  ]);
  const table = renderTable(
    [{ title: 'POLICY' }, { title: 'WANTS', align: 'right' }, { title: 'BECAUSE' }],
    rows,
    paint,
  );
  return [`${paint.bold('Policies')}  ${rule}`, ...table.map((line) => `${INDENT}${line}`)];
}

function wantsText({ wants }: Opinion, { to, max }: ScalingRecord, paint: Paint): string {
  if (wants === null) return paint.dim('–');
  if (wants > max) return paint.red(formatCount(wants));
  return wants > to ? paint.yellow(formatCount(wants)) : formatCount(wants);
}

function decisionLines(decisions: readonly ScalingRecord[], now: number, paint: Paint): string[] {
  if (decisions.length === 0) return [`${paint.bold('Decisions')}  none yet`];
  const lines = decisions.flatMap((record) => [
    `${paint.dim(formatTime(record.since))}  ${changeText(record, paint)}${record.reason}${runText(record, now)}`,
    `${INDENT}${paint.dim(numbersText(record))}`,
  ]);
  return [paint.bold('Decisions'), ...lines.map((line) => `${INDENT}${line}`)];
}

function changeText({ from, to }: ScalingRecord, paint: Paint): string {
  if (from === to) return '';
  return `${paint[to > from ? 'green' : 'cyan'](`${from} → ${to}`)}  `;
}

/** Of many equal ones, for how long. */
function runText({ since, at, count }: ScalingRecord, now: number): string {
  if (count === 1) return '';
  const isStill = now - at < STILL_MS;
  const last = isStill ? 'until now' : `until ${formatTime(at)}`;
  return `; ${last}, ${formatCount(count)} times in ${formatDuration(at - since)}`;
}

/** What it was taken on. */
function numbersText({ measured, fleet, deploying }: ScalingRecord): string {
  const { inService, healthy, starting, isProtected } = fleet;
  const fleetParts = [
    `${inService} in service`,
    `${healthy} healthy`,
    ...(starting > 0 ? [`${starting} starting`] : []),
    ...(isProtected > 0 ? [`${isProtected} protected`] : []),
    ...(deploying ? ['a deployment is under way'] : []),
  ];
  return `${measuredText(measured)}; ${fleetParts.join(', ')}`;
}

function measuredText(point: MetricPoint | null): string {
  if (point === null) return 'nothing measured';
  const { cpuPercent, requestsPerMinute, concurrency, p99Ms, reported, instances } = point;
  const parts = [
    ...(cpuPercent === null
      ? []
      : [`CPU ${formatPercent(cpuPercent / Math.max(1, instances))} each`]),
    ...(requestsPerMinute === null
      ? []
      : [`${formatCount(Math.round(requestsPerMinute))} requests/min`]),
    ...(concurrency === null ? [] : [`${Number(concurrency.toFixed(1))} inside`]),
    ...(p99Ms === null ? [] : [`p99 ${formatMs(p99Ms)}`]),
    ...Object.entries(reported).map(([name, value]) => `${name} ${Number(value.toFixed(2))}`),
  ];
  return parts.length === 0 ? 'nothing measured' : parts.join(', ');
}

function nextLines({ next, capacity, scaling }: ScalingView, now: number, paint: Paint): string[] {
  const course =
    next === null
      ? 'Nothing is decided now.'
      : next.change === null
        ? `If the load stays as it is, ${capacity.desired} stay for the next ${formatDuration(next.until - now)}.`
        : `If the load stays as it is, ${capacity.desired} → ${next.change.to} in ${formatDuration(next.change.at - now)}, at ${formatTime(next.change.at)}: ${next.change.reason}`;
  return [course, paint.dim(brakesText(scaling))];
}

/** What holds changes back, as it is configured. */
function brakesText(scaling: Scaling): string {
  const { warmupMs, cooldownMs, stabilizationMs, maxOutPercent, maxInPercent } = scaling;
  return [
    ...(warmupMs === 0 ? [] : [`warmup ${formatSetting(warmupMs)}`]),
    ...(cooldownMs === 0 ? [] : [`cooldown ${formatSetting(cooldownMs)}`]),
    `stabilization ${formatSetting(stabilizationMs)}`,
    ...(maxOutPercent === null ? [] : [`at most ${maxOutPercent} % more at a time`]),
    ...(maxInPercent === null ? [] : [`at most ${maxInPercent} % fewer at a time`]),
    `no fewer while less than ${scaling.minHealthyPercent} % are healthy`,
  ].join(', ');
}
