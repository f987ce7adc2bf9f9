import type { ForecastStep } from '../model/forecast.ts';
import type { Step } from '../model/step.ts';
import type { ForecastView } from '../model/view.ts';
import type { Paint } from './paint.ts';
import { padTo } from './paint.ts';
import { formatPlural } from './quantity.ts';

/** The story of a deployment that has not begun. */

const words: Readonly<Record<Step['kind'], string>> = {
  launch: 'start',
  warm: 'warm',
  wait: 'wait',
  admit: 'in service',
  retire: 'drain',
  hold: 'keep warm',
  terminate: 'stop',
  bury: 'gone',
  shift: 'shift',
  'turn-back': 'turn back',
  settle: 'done',
  'run-hook': 'run',
  'keep-image': 'keep image',
  'end-hook': 'passed',
  terminated: 'closed',
};

const WORD_COLUMNS = Math.max(...Object.values(words).map((word) => word.length));
const TIME_COLUMNS = '+1000.0 s'.length;
/** More at a time are told by their number. */
const MOST_NAMED = 3;

export function renderForecast(view: ForecastView, paint: Paint): string[] {
  const { forecast, hindrance, concerns, assumptions, policy } = view;
  return [
    ...(forecast ? [paint.bold(`Steps (${policy})`), ...renderSteps(forecast.steps, paint)] : []),
    ...(forecast ? ['', endOf(forecast, paint)] : []),
    ...assumptions.map((assumption) => paint.dim(`  assumed: ${assumption}`)),
    ...concerns.flatMap(({ what, instead, grave }) => [
      `${grave ? paint.red('✗') : paint.yellow('!')} ${what}`,
      `  ${paint.dim('Better:')} ${instead}`,
    ]),
    ...(hindrance
      ? [
          `${paint.red('✗')} It would be refused now: ${hindrance.message}`,
          `  ${paint.dim('Next:')} ${hindrance.hint ?? ''}`,
        ]
      : []),
  ];
}

/** Whether it would start now, and come to a good end. */
export const wouldSucceed = ({ forecast, hindrance, concerns }: ForecastView): boolean =>
  hindrance === null && forecast?.verdict === 'succeeded' && !concerns.some(({ grave }) => grave);

function renderSteps(steps: readonly ForecastStep[], paint: Paint): string[] {
  return grouped(steps).map(({ atMs, steps: together }) => {
    const [first] = together;
    const time = padTo(`+${(atMs / 1000).toFixed(1)} s`, TIME_COLUMNS, 'right');
    const word = padTo(first ? words[first.kind] : '', WORD_COLUMNS);
    return `${paint.dim(time)}  ${word}  ${whatOf(together, paint)}`.trimEnd();
  });
}

/** What happens to several instances at a moment is one line; their ends are told by their stop. */
function grouped(steps: readonly ForecastStep[]): { atMs: number; steps: Step[] }[] {
  const groups: { atMs: number; steps: Step[] }[] = [];
  for (const { atMs, step } of steps) {
    if (step.kind === 'bury') continue;
    const group = groups.findLast(
      (each) => each.atMs === atMs && each.steps[0]?.kind === step.kind && 'instance' in step,
    );
    if (group) group.steps.push(step);
    else groups.push({ atMs, steps: [step] });
  }
  return groups;
}

function whatOf(steps: readonly Step[], paint: Paint): string {
  const [step] = steps;
  if (!step) return '';
  const reason = paint.dim(step.reason);
  if (step.kind === 'shift') return `${step.percent} % to the new release  ${reason}`;
  if ('hook' in step) return `${step.hook}  ${reason}`;
  const names = steps.flatMap((each) => ('instance' in each ? (each.instance ?? []) : []));
  if (names.length === 0) return reason;
  const rest = names.length - MOST_NAMED;
  const shown =
    rest > 0 ? [...names.slice(0, MOST_NAMED), `${rest} more`].join(', ') : names.join(', ');
  return steps.length === 1 ? `${shown}  ${reason}` : shown;
}

function endOf(
  { verdict, cause, totalMs, steps }: NonNullable<ForecastView['forecast']>,
  paint: Paint,
): string {
  const total = `${(totalMs / 1000).toFixed(1)} s`;
  if (verdict === 'succeeded') {
    const started = steps.filter(({ step }) => step.kind === 'launch').length;
    return `It would take about ${total} and start ${formatPlural(started, 'instance')}.`;
  }
  if (verdict === null) return paint.yellow('It was not told to its end.');
  return paint.red(`It would end ${verdict} after about ${total}: ${cause ?? 'nobody knows why'}.`);
}
