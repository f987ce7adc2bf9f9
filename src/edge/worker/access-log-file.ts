import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Clock, Timer } from '../../kernel/clock.ts';
import { messageOf } from '../../kernel/fault.ts';
import type { Log } from '../../kernel/log.ts';
import type { EdgeSettings } from '../../model/edge-settings.ts';
import type { Access, AccessLog } from './access-log.ts';
import { type LineFormat, lineFormats } from './access-log-line.ts';

/** Lines wait for so long, or until there are so many of them, to be written together. */
const FLUSH_MS = 100;
const FLUSH_BYTES = 64 * 1024;
/** What may wait when the disk does not take it. */
const BUFFER_BYTES = 1024 * 1024;
/** How long the last lines may take. */
const CLOSE_MS = 500;
const WARN_PERIOD_MS = 60_000;

/** In append mode workers share a file; a pipe that nobody empties refuses, and does not block. */
const FLAGS = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NONBLOCK;

const NOTHING = Buffer.alloc(0);

export interface AccessLogFileOptions {
  path: string;
  clock: Clock;
  /** Hears what is wrong with the file. */
  log: Log;
}

/**
 * The access log on disk. Requests never wait for it: lines are kept in memory, up to a bound, and
 * written behind them; those beyond it are counted, and the log says how many there were.
 *
 * The file is opened for every writing, so whoever moves it away gets a new one in its place.
 */
export class AccessLogFile implements AccessLog {
  readonly #options: AccessLogFileOptions;
  #format: LineFormat = lineFormats.json;
  /** Lines that nobody has begun to write. */
  #text = '';
  /** Those being written, or that could not be. */
  #batch: Buffer = NOTHING;
  #dropped = 0;
  #timer: Timer | null = null;
  #writing: Promise<'written' | 'failed'> | null = null;
  #warnedAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: AccessLogFileOptions) {
    this.#options = options;
  }

  /** Lines are of that form from now on; null where there are to be none. */
  use(setting: EdgeSettings['accessLog']): AccessLog | null {
    if (setting === 'off') return null;
    this.#format = lineFormats[setting];
    return this;
  }

  write(access: Access): void {
    const line = this.#format.line(access, this.#options.clock.now());
    const isFull = this.#batch.length + this.#text.length + line.length > BUFFER_BYTES;
    if (this.#dropped > 0 || isFull) {
      this.#dropped += 1;
      return;
    }
    this.#text += line;
    if (this.#text.length < FLUSH_BYTES) this.#flushSoon();
    else if (this.#writing === null && this.#batch.length === 0) void this.#flush();
  }

  /** Writes what is left, unless that takes too long. */
  async close(): Promise<void> {
    const { clock, log, path } = this.#options;
    const done = new AbortController();
    const patience = clock.sleep(CLOSE_MS, done.signal);
    const outcome = await Promise.race([this.#writeRest(), patience]);
    done.abort();
    this.#timer?.cancel();
    if (outcome === 'written') return;
    const lines = this.#dropped + linesIn(this.#batch.toString('latin1')) + linesIn(this.#text);
    log.warn({ path, lines }, 'ended with lines of the access log unwritten');
  }

  async #writeRest(): Promise<'written' | 'failed'> {
    let outcome: 'written' | 'failed' = 'written';
    while (outcome === 'written' && !this.#isEmpty) outcome = await this.#flush();
    return outcome;
  }

  get #isEmpty(): boolean {
    return this.#text === '' && this.#batch.length === 0 && this.#dropped === 0;
  }

  #flushSoon(): void {
    this.#timer ??= this.#options.clock.after(FLUSH_MS, () => {
      this.#timer = null;
      if (!this.#isEmpty) void this.#flush();
    });
  }

  #flush(): Promise<'written' | 'failed'> {
    this.#writing ??= this.#writeBatches().finally(() => {
      this.#writing = null;
    });
    return this.#writing;
  }

  async #writeBatches(): Promise<'written' | 'failed'> {
    try {
      do {
        this.#takeBatch();
        await this.#writeBatch();
        this.#sayDropped();
      } while (this.#text.length >= FLUSH_BYTES);
      return 'written';
    } catch (thrown) {
      this.#warn(thrown);
      return 'failed';
    } finally {
      if (!this.#isEmpty) this.#flushSoon();
    }
  }

  /** Behind what was left of the last one. */
  #takeBatch(): void {
    if (this.#text === '') return;
    this.#batch = Buffer.concat([this.#batch, Buffer.from(this.#text, 'latin1')]);
    this.#text = '';
  }

  async #writeBatch(): Promise<void> {
    const file = await open(this.#options.path, FLAGS, 0o600);
    let written = 0;
    try {
      while (written < this.#batch.length) {
        written += (await file.write(this.#batch, written)).bytesWritten;
      }
    } finally {
      this.#batch = restOf(this.#batch, written);
      await file.close();
    }
  }

  #sayDropped(): void {
    if (this.#dropped === 0) return;
    this.#text += this.#format.dropped(this.#dropped, this.#options.clock.now());
    this.#dropped = 0;
  }

  #warn(thrown: unknown): void {
    const { clock, log, path } = this.#options;
    if (clock.monotonic() - this.#warnedAtMs < WARN_PERIOD_MS) return;
    this.#warnedAtMs = clock.monotonic();
    log.warn({ path, error: messageOf(thrown) }, 'cannot write the access log; requests go on');
  }
}

/**
 * What has to be written again. A line that was broken off stays so, for another worker may have
 * written behind it: it is ended, and follows once more, whole.
 */
function restOf(batch: Buffer, written: number): Buffer {
  if (written === batch.length) return NOTHING;
  const lineStart = written === 0 ? 0 : batch.lastIndexOf('\n', written - 1) + 1;
  const rest = batch.subarray(lineStart);
  return lineStart === written ? rest : Buffer.concat([Buffer.from('\n'), rest]);
}

const linesIn = (text: string): number => text.split('\n').length - 1;
