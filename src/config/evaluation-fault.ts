import { Fault, messageOf, systemCode } from '../kernel/fault.ts';
import * as face from './index.ts';
import { lineOf } from './locate.ts';
import { nearest } from './nearest.ts';

/** Why a configuration file could not be run, with its line, from what Node threw. */
export function evaluationFault(file: string, source: string, thrown: unknown): Fault {
  if (thrown instanceof SyntaxError || isNamed(thrown, 'SyntaxError')) {
    return unknownExport(file, source, thrown) ?? syntaxFault(file, source, thrown);
  }
  const code = systemCode(thrown);
  if (code === 'ERR_REQUIRE_ASYNC_MODULE') {
    const line = lineOf(source, /\bawait\b/);
    const hint = 'take the await away; read files with readFileSync';
    return threw(file, line, 'waits for something while it is read', hint, thrown);
  }
  const line = lineInStack(file, thrown);
  const message = messageOf(thrown).split('\n')[0] ?? '';
  if (code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND') {
    const name = /['"]([^'"]+)['"]/.exec(message)?.[1] ?? '';
    const end = name.split('/').at(-1) ?? '';
    const importLine = source.split('\n').findIndex((text) => end !== '' && text.includes(end));
    const hint = 'install it, or correct the path; paths of TypeScript files end in .ts';
    const place = importLine === -1 ? line : importLine + 1;
    return threw(file, place, `imports ${name}, which is not there`, hint, thrown);
  }
  return threw(file, line, `threw while it was read: ${message}`, 'correct it', thrown);
}

function threw(
  file: string,
  line: number | null,
  what: string,
  hint: string,
  cause: unknown,
): Fault {
  return new Fault({
    code: 'config-threw',
    message: `the configuration ${what}`,
    subject: placeOf(file, line),
    hint,
    details: { file, line },
    cause,
  });
}

/** Node says where in the first lines of the stack, above the message. */
function syntaxFault(file: string, source: string, thrown: unknown): Fault {
  const stack = stackOf(thrown);
  const place = /^(.*?)(?:\?evaluation=\d+)?:(\d+)\n/.exec(stack);
  const other = place?.[1] && !place[1].endsWith(file) ? place[1].replace(/^file:\/\//, '') : null;
  const line = place ? Number(place[2]) : null;
  const written = line === null || other ? null : source.split('\n')[line - 1]?.trim();
  return new Fault({
    code: 'config-syntax',
    message: [`the configuration has a syntax error: ${messageOf(thrown)}`, written]
      .filter(Boolean)
      .join('\n'),
    subject: placeOf(other ?? file, line),
    hint: 'correct this line, or the end of the one before it',
    details: { file: other ?? file, line },
    cause: thrown,
  });
}

function unknownExport(file: string, source: string, thrown: unknown): Fault | null {
  const match = /'belay' does not provide an export named '([^']+)'/.exec(messageOf(thrown));
  const name = match?.[1];
  if (name === undefined) return null;
  const offered = Object.keys(face);
  const meant = nearest(name, offered);
  const line = lineOf(source, new RegExp(`\\b${name}\\b`));
  return new Fault({
    code: 'config-threw',
    message: `the configuration imports '${name}' from 'belay', which has no such thing`,
    subject: placeOf(file, line),
    hint:
      meant === undefined
        ? `it offers ${offered.slice(0, -1).join(', ')} and ${offered.at(-1)}`
        : `did you mean '${meant}'?`,
    details: { file, line },
    cause: thrown,
  });
}

function lineInStack(file: string, thrown: unknown): number | null {
  const stack = stackOf(thrown);
  for (const frame of stack.split('\n')) {
    const match = /^(?:.*\()?(?:file:\/\/)?(.*?)(?:\?evaluation=\d+)?:(\d+):\d+\)?$/.exec(
      frame.replace(/^\s*at (?:async )?/, ''),
    );
    if (match?.[1] === file) return Number(match[2]);
  }
  return null;
}

const placeOf = (file: string, line: number | null): string =>
  line === null ? file : `${file}:${line}`;

const stackOf = (thrown: unknown): string => (thrown instanceof Error ? (thrown.stack ?? '') : '');

const isNamed = (thrown: unknown, name: string): boolean =>
  thrown instanceof Error && thrown.name === name;
