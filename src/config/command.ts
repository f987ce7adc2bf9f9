import { Fault } from '../kernel/fault.ts';

/**
 * Splits a command line into words as a shell would, and nothing else a shell does: no shell ever
 * runs it. `$NAME` and `${NAME}` stay as they are, for the runtime to fill in.
 */

export interface CommandLine {
  /** From leading `NAME=value` words. */
  variables: Record<string, string>;
  /** The program and its arguments. */
  command: string[];
}

const ASSIGNMENT = /^[A-Za-z_][A-Za-z0-9_]*=/;
const VARIABLE = /^\$(?:[A-Za-z_][A-Za-z0-9_]*|\{[A-Za-z_][A-Za-z0-9_]*\})/;
const OPERATORS = ['&&', '||', '>>', '<<', '|', ';', '&', '>', '<', '(', ')'];
const SCRIPT_HINT = "put it in a script file and write ['sh', 'start.sh']";

/** @throws `bad-command` */
export function parseCommandLine(line: string): CommandLine {
  const words = splitWords(line.trim());
  const variables: Record<string, string> = {};
  let first = 0;
  for (const word of words) {
    if (!word.assignment) break;
    const equals = word.text.indexOf('=');
    const value = word.text.slice(equals + 1);
    if (/\$[A-Za-z_{]/.test(value)) {
      throw badCommand(`uses a variable in '${word.text}'`, SCRIPT_HINT);
    }
    variables[word.text.slice(0, equals)] = value;
    first += 1;
  }
  const command = words.slice(first).map((word) => word.text);
  if ((command[0] ?? '') === '') {
    throw badCommand('names no program', "write the program first, as in 'node server.js'");
  }
  return { variables, command };
}

interface Word {
  text: string;
  /** Began with an unquoted `NAME=`. */
  assignment: boolean;
}

function splitWords(line: string): Word[] {
  const words: Word[] = [];
  let at = 0;
  while (at < line.length) {
    const space = /^[ \t]+/.exec(line.slice(at));
    if (space) {
      at += space[0].length;
      continue;
    }
    const start = at;
    let text = '';
    while (at < line.length && !' \t'.includes(line.charAt(at))) {
      const piece = readPiece(line, at);
      text += piece.text;
      at = piece.end;
    }
    words.push({ text, assignment: ASSIGNMENT.test(line.slice(start)) });
  }
  return words;
}

interface Piece {
  text: string;
  end: number;
}

/** One character, one quoted run or one variable. */
function readPiece(line: string, at: number): Piece {
  const char = line.charAt(at);
  if (char === "'") return readSingleQuoted(line, at);
  if (char === '"') return readDoubleQuoted(line, at);
  if (char === '$' || char === '`') return readDollar(line, at);
  if (char === '\\') return readEscaped(line, at);
  if (char === '\n' || char === '\r') throw badCommand('has more than one line', SCRIPT_HINT);
  const operator = OPERATORS.find((candidate) => line.startsWith(candidate, at));
  if (operator !== undefined) {
    throw badCommand(`uses '${operator}', which needs a shell, and no shell runs it`, SCRIPT_HINT);
  }
  return { text: char, end: at + 1 };
}

function readSingleQuoted(line: string, at: number): Piece {
  const end = line.indexOf("'", at + 1);
  if (end === -1) throw unterminated("'");
  const text = line.slice(at + 1, end);
  const dollar = /\$[A-Za-z_{]/.exec(text);
  if (dollar) throw literalDollar(text.slice(dollar.index));
  return { text, end: end + 1 };
}

function readDoubleQuoted(line: string, at: number): Piece {
  let text = '';
  let next = at + 1;
  while (line.charAt(next) !== '"') {
    if (next >= line.length) throw unterminated('"');
    const char = line.charAt(next);
    const escapes = char === '\\' && '"\\$`'.includes(line.charAt(next + 1) || ' ');
    const piece = escapes
      ? readEscaped(line, next)
      : char === '$' || char === '`'
        ? readDollar(line, next)
        : { text: char, end: next + 1 };
    text += piece.text;
    next = piece.end;
  }
  return { text, end: next + 1 };
}

function readEscaped(line: string, at: number): Piece {
  if (at + 1 >= line.length) throw badCommand('ends with a backslash', 'take it away');
  if (line.charAt(at + 1) === '$') throw literalDollar(line.slice(at + 1));
  return { text: line.charAt(at + 1), end: at + 2 };
}

function readDollar(line: string, at: number): Piece {
  const variable = VARIABLE.exec(line.slice(at));
  if (variable) return { text: variable[0], end: at + variable[0].length };
  const opening = ['$(', '${', '`'].find((candidate) => line.startsWith(candidate, at));
  if (opening !== undefined) {
    throw badCommand(`uses '${opening}', which needs a shell, and no shell runs it`, SCRIPT_HINT);
  }
  return { text: '$', end: at + 1 };
}

/** The runtime fills in every variable it sees, so a `$NAME` that is meant as text cannot pass. */
function literalDollar(text: string): Fault {
  const name = VARIABLE.exec(text)?.[0] ?? '$';
  return badCommand(`quotes '${name}', but variables are always filled in`, SCRIPT_HINT);
}

function unterminated(quote: string): Fault {
  return badCommand(`has a ${quote} that is never closed`, `close it with another ${quote}`);
}

function badCommand(message: string, hint: string): Fault {
  return new Fault({ code: 'bad-command', message, hint });
}
