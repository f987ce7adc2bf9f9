import type { Fault } from '../kernel/fault.ts';
import type { Paint } from './paint.ts';

/** A fault for a person: what, where, and what to do next. */
export function renderFault(fault: Fault, paint: Paint): string[] {
  const [first = '', ...rest] = fault.message.split('\n');
  const lines = [`${paint.red('✗')} ${paint.bold(sentence(first))}`, ...rest.map(indent)];
  // A subject that the message names already would only say it twice.
  if (fault.subject && !fault.message.includes(fault.subject)) {
    lines.push(indent(`${paint.dim('Where:')} ${fault.subject}`));
  }
  if (fault.hint) lines.push(indent(`${paint.dim('Next: ')} ${fault.hint}`));
  return lines;
}

const indent = (line: string): string => `  ${line}`;

/** A sentence begins with a capital, unless it begins with a name, which stays as it is written. */
const sentence = (text: string): string =>
  /^[a-z]+[ ']/.test(text) ? text.charAt(0).toUpperCase() + text.slice(1) : text;
