import { createReadStream } from 'node:fs';
import { pipeline, type Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { messageOf, systemCode } from '../kernel/fault.ts';
import { MINUTE_MS, type Trace } from '../plan/simulation/trace.ts';
import { InputFault } from './exit-code.ts';

/**
 * Reads a load trace: a CSV with a header and one `time,requests` row for each minute, oldest first,
 * compressed by gzip if its name ends so. Strict, because a row that is guessed at is a wrong figure
 * later on.
 */

/** Two years. */
const MOST_MINUTES = 2 * 366 * 24 * 60;
const MOST_REQUESTS = 1e12;
const LONGEST_LINE = 200;
const HINT =
  'a trace is a CSV: the header time,requests, then a row such as 2026-01-31T12:00,5120 for each minute';

/** @param file as it is called in what is said of it */
export async function readTrace(path: string, file: string): Promise<Trace> {
  const trace = new TraceReader(file);
  try {
    for await (const line of linesOf(openTrace(path), file)) trace.read(line);
  } catch (thrown) {
    if (thrown instanceof InputFault) throw thrown;
    throw new InputFault({
      code: 'bad-trace',
      message: `${file} cannot be read: ${reasonOf(thrown)}`,
      subject: file,
      cause: thrown,
    });
  }
  return trace.end();
}

function reasonOf(thrown: unknown): string {
  const code = systemCode(thrown);
  if (code === 'ENOENT') return 'there is no such file';
  if (code === 'EISDIR') return 'it is a directory';
  return code?.startsWith('Z_') ? 'it is not compressed by gzip' : messageOf(thrown);
}

function openTrace(path: string): Readable {
  const bytes = createReadStream(path);
  // Who reads hears of every error; the callback has nothing to add.
  return path.endsWith('.gz') ? pipeline(bytes, createGunzip(), () => {}) : bytes;
}

/** Line by line, so that no file is too large to be refused. */
async function* linesOf(stream: Readable, file: string): AsyncGenerator<string> {
  stream.setEncoding('utf8');
  let rest = '';
  for await (const chunk of stream) {
    const lines = `${rest}${chunk}`.split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > LONGEST_LINE) throw badTrace(file, null, 'has lines too long for a trace');
    yield* lines;
  }
  yield rest;
}

class TraceReader {
  readonly #file: string;
  readonly #requests: number[] = [];
  #startAt = 0;
  #line = 0;
  /** A blank line is the end, or a fault. */
  #blankAt: number | null = null;

  constructor(file: string) {
    this.#file = file;
  }

  read(raw: string): void {
    this.#line += 1;
    const line = raw.replace(/^\uFEFF/, '').trim();
    if (line === '') {
      this.#blankAt ??= this.#line;
      return;
    }
    if (this.#blankAt !== null) throw this.#bad('is blank', this.#blankAt);
    const cells = line.split(',').map((cell) => cell.trim());
    if (this.#line === 1) this.#readHeader(line, cells);
    else this.#readRow(line, cells);
  }

  end(): Trace {
    if (this.#blankAt === 1) throw badTrace(this.#file, null, 'is empty');
    if (this.#requests.length === 0) {
      throw badTrace(this.#file, null, 'has a header and no minutes');
    }
    return { startAt: this.#startAt, requests: this.#requests };
  }

  #readHeader(line: string, cells: readonly string[]): void {
    if (cells.length === 2 && cells[1]?.toLowerCase() === 'requests') return;
    const isRow = cells.length === 2 && Number.isFinite(Number(cells[1]));
    throw this.#bad(
      isRow
        ? 'is a minute, and must be the header: time,requests'
        : `is ${quoted(line)}, and must be the header: time,requests`,
    );
  }

  #readRow(line: string, cells: readonly string[]): void {
    const [time, requests] = cells;
    if (cells.length !== 2 || time === undefined || requests === undefined) {
      throw this.#bad(`is ${quoted(line)}, which is not a time and a number, with a comma between`);
    }
    const at = parseTime(time);
    if (at === null) {
      throw this.#bad(
        `has the time ${quoted(time)}, which is not a minute such as 2026-01-31T12:00`,
      );
    }
    if (this.#requests.length >= MOST_MINUTES) throw this.#bad('is one minute more than two years');
    this.#follow(at);
    this.#requests.push(this.#parseRequests(requests));
  }

  #parseRequests(text: string): number {
    if (text === '') throw this.#bad('has no number of requests');
    if (/^-\d/.test(text)) throw this.#bad(`has ${text} requests: fewer than none`);
    if (!/^\d+(?:\.\d+)?$/.test(text)) {
      throw this.#bad(`has ${quoted(text)} requests, which is not a number in digits`);
    }
    if (Number(text) > MOST_REQUESTS)
      throw this.#bad(`has ${text} requests, more than anybody has`);
    return Number(text);
  }

  /** Each minute follows the one before it. */
  #follow(at: number): void {
    if (this.#requests.length === 0) {
      this.#startAt = at;
      return;
    }
    const due = this.#startAt + this.#requests.length * MINUTE_MS;
    if (at === due) return;
    const was = minuteText(due - MINUTE_MS);
    if (at === due - MINUTE_MS) throw this.#bad(`has ${was} a second time`);
    if (at < due) throw this.#bad(`goes back in time, from ${was} to ${minuteText(at)}`);
    const missing = Math.ceil((at - due) / MINUTE_MS);
    throw this.#bad(
      `is ${minuteText(at)}, right after ${was}: ${missing === 1 ? 'a minute is' : `${missing} minutes are`} missing`,
    );
  }

  #bad(problem: string, line = this.#line): InputFault {
    return badTrace(this.#file, line, problem);
  }
}

const TIME = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d)(?::00(?:\.0+)?)?(Z|[+-]\d\d:\d\d)?$/;

/** Without a zone it is UTC; a plain number counts minutes. Null when it is not the beginning of one. */
function parseTime(text: string): number | null {
  if (/^\d{1,7}$/.test(text)) return Number(text) * MINUTE_MS;
  const match = TIME.exec(text);
  if (!match) return null;
  const at = Date.parse(`${match[1]}T${match[2]}${match[3] ?? 'Z'}`);
  return Number.isNaN(at) ? null : at;
}

const minuteText = (at: number): string => new Date(at).toISOString().slice(0, 16);

const quoted = (text: string): string =>
  text.length > 40 ? `'${text.slice(0, 40)}…'` : `'${text}'`;

function badTrace(file: string, line: number | null, problem: string): InputFault {
  const where = line === null ? file : `line ${line} of ${file}`;
  return new InputFault({
    code: 'bad-trace',
    message: `${where} ${problem}`,
    subject: file,
    hint: HINT,
  });
}
