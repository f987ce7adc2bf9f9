import type { JournalEntry, Step } from '../model/step.ts';
import type { Paint } from './paint.ts';
import { padTo } from './paint.ts';
import { formatDuration } from './quantity.ts';

/** Steps of the journal as lines a person reads. */

interface Words {
  /** While it goes on. */
  doing: string;
  done: string;
}

const words: Readonly<Record<Step['kind'], Words>> = {
  launch: { doing: 'launching', done: 'launched' },
  warm: { doing: 'warming', done: 'warm' },
  wait: { doing: 'waiting for word about', done: 'waits' },
  admit: { doing: 'admitting', done: 'in service' },
  retire: { doing: 'draining', done: 'draining' },
  hold: { doing: 'holding', done: 'kept warm' },
  terminate: { doing: 'stopping', done: 'stopped' },
  bury: { doing: 'recording', done: 'gone' },
  shift: { doing: 'shifting', done: 'shifted' },
  'turn-back': { doing: 'turning back', done: 'turned back' },
  'run-hook': { doing: 'running', done: 'begun' },
  'keep-image': { doing: 'keeping', done: 'image kept' },
  'end-hook': { doing: 'ending', done: 'ended' },
  settle: { doing: 'settling', done: 'settled' },
  terminated: { doing: 'closing', done: 'closed' },
};

const WORD_COLUMNS = Math.max(...Object.values(words).map(({ done }) => done.length));
const INSTANCE_COLUMNS = 'i-00000000'.length;
const TIME_COLUMNS = 8;

/** `   1.2 s  ✓ in service   i-1a2b3c4d  a  passed its first health check`. */
export function renderStep(entry: JournalEntry, startedAt: number, paint: Paint): string {
  const elapsed = formatDuration((entry.endedAt ?? entry.plannedAt) - startedAt);
  const where = [
    padTo(instanceOf(entry.step), INSTANCE_COLUMNS),
    'zone' in entry.step ? `zone ${entry.step.zone}` : '',
    entry.step.kind === 'end-hook' ? entry.step.outcome : '',
    entry.step.kind === 'shift' ? `${entry.step.percent} % to the new release` : '',
    paint.dim(reasonOf(entry)),
  ].filter((part) => part !== '');
  return [
    paint.dim(padTo(elapsed, TIME_COLUMNS, 'right')),
    ` ${markOf(entry, paint)} ${padTo(words[entry.step.kind].done, WORD_COLUMNS)}`,
    where.join('  '),
  ]
    .join(' ')
    .trimEnd();
}

/** What is being done now, for the line that changes in place. */
export function renderCurrent(entry: JournalEntry): string {
  return `${words[entry.step.kind].doing} ${instanceOf(entry.step)}`.trimEnd();
}

function markOf(entry: JournalEntry, paint: Paint): string {
  if (entry.state === 'failed') return paint.red('✗');
  if (entry.state === 'interrupted') return paint.yellow('…');
  if (entry.step.kind === 'turn-back') return paint.yellow('↩');
  if (entry.step.kind === 'end-hook' && entry.step.outcome === 'failed') return paint.red('✗');
  return paint.green('✓');
}

/** A hook stands where an instance would. */
const instanceOf = (step: Step): string =>
  'instance' in step ? (step.instance ?? '') : 'hook' in step ? step.hook : '';

const reasonOf = ({ state, error, step }: JournalEntry): string =>
  state === 'failed' && error ? error : step.reason;
