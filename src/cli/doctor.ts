import { type Check, checkMachine } from './check.ts';
import { command } from './command.ts';
import { answer } from './context.ts';
import { exitCodes } from './exit-code.ts';
import type { Paint } from './paint.ts';
import { formatPlural } from './quantity.ts';

export const doctorCommand = command({
  name: 'doctor',
  summary: 'check this machine, and what to do about it',
  description:
    'Checks what Belay needs of this machine and says what to do where something is missing. Changes nothing. Exit code 2 when there is a problem.',
  async run(context) {
    const checks = await checkMachine(context);
    const problems = checks.filter(({ state }) => state === 'problem').length;
    answer(context, { ok: problems === 0, checks }, () => [
      ...checks.flatMap((check) => renderCheck(check, context.stdout.paint)),
      '',
      problems === 0
        ? 'No problem found.'
        : `${formatPlural(problems, 'problem')} to solve before Belay works here.`,
    ]);
    return problems === 0 ? exitCodes.ok : exitCodes.differs;
  },
});

const NAME_COLUMNS = 14;

function renderCheck({ name, state, says, next }: Check, paint: Paint): string[] {
  const mark = { ok: paint.green('✓'), note: paint.yellow('!'), problem: paint.red('✗') }[state];
  const line = `${mark} ${name.padEnd(NAME_COLUMNS)}${says}`;
  return next === null
    ? [line]
    : [line, `  ${' '.repeat(NAME_COLUMNS)}${paint.dim(`Next: ${next}`)}`];
}
