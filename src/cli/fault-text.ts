import { explainProblems, problemsOf } from '../config/problem.ts';
import type { Fault } from '../kernel/fault.ts';
import type { Paint } from './paint.ts';

/**
 * A fault for a person: what, where, and what to do next.
 *
 * @param directory paths below it are shown relative to it, where there are several of them
 */
export function renderFault(fault: Fault, paint: Paint, directory: string): string[] {
  if (problemsOf(fault).length > 1) return renderProblems(fault, paint, directory);
  const [first = '', ...rest] = fault.message.split('\n');
  const lines = [`${paint.red('✗')} ${paint.bold(sentence(first))}`, ...rest.map(indent)];
  // A subject that the message names already would only say it twice.
  if (fault.subject && !fault.message.includes(fault.subject)) {
    lines.push(indent(`${paint.dim('Where:')} ${fault.subject}`));
  }
  if (fault.hint) lines.push(indent(`${paint.dim('Next: ')} ${fault.hint}`));
  return lines;
}

/** Each with its place, and below them, where one looks first, how many they are. */
function renderProblems(fault: Fault, paint: Paint, directory: string): string[] {
  const lines = explainProblems(fault, directory).split('\n');
  const count = lines.pop() ?? '';
  return [...lines, `${paint.red('✗')} ${paint.bold(count)}`];
}

const indent = (line: string): string => `  ${line}`;

/** A sentence begins with a capital, unless it begins with a name, which stays as it is written. */
const sentence = (text: string): string =>
  /^[a-z]+[ ']/.test(text) ? text.charAt(0).toUpperCase() + text.slice(1) : text;
