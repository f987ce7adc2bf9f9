import { connect, type Socket } from 'node:net';
import { systemClock } from '../../src/kernel/clock.ts';
import { HOST } from './load.ts';

/**
 * Asks at a fixed rate, on a schedule that waits for nobody, and counts each answer's time from when
 * its request was due. It looks at the clock without rest: a timer would be late by a millisecond.
 * Says a `FixedRateResult` as JSON.
 */
const [, , port = '', rate = '', seconds = ''] = process.argv;

export interface FixedRateResult {
  sent: number;
  failed: number;
  p50Us: number;
  p99Us: number;
}

const REQUEST = `GET /small HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`;
const STATUS = Buffer.from('HTTP/1.1 200 OK\r\n');
const HEAD_END = '\r\n\r\n';
const CONNECTIONS = 64;
/** Of the start, which is not counted: both sides have yet to warm up. */
const WARM_UP_MS = 1_000;
/** What is not answered so long after the last was due has failed. */
const PATIENCE_MS = 5_000;

const periodMs = 1000 / Number(rate);
const total = Math.round((WARM_UP_MS + Number(seconds) * 1000) / periodMs);
const latenciesUs = new Float64Array(total);
const free: Asker[] = [];
let sent = 0;
let answered = 0;
let failed = 0;
let beganMs = 0;
/** Node calls back before it reads again. */
const readBuffer = Buffer.allocUnsafeSlow(64 * 1024);
/** Of every answer; null before the first. */
let bodyBytes: number | null = null;

/** One connection with one request at a time. Bodies are alike, so their bytes are counted. */
class Asker {
  private readonly socket: Socket;
  private dueMs = 0;
  private index = 0;
  private leftBytes = 0;

  constructor() {
    this.socket = connect({
      ...{ port: Number(port), host: '127.0.0.1', noDelay: true },
      onread: {
        buffer: readBuffer,
        callback: (sizeBytes: number) => {
          this.onBytes(sizeBytes);
          return true;
        },
      },
    });
    this.socket.on('connect', () => {
      free.push(this);
      if (free.length === CONNECTIONS) begin();
    });
    this.socket.on('error', () => undefined);
    this.socket.on('close', () => {
      failed += 1;
    });
  }

  ask(index: number, dueMs: number): void {
    this.index = index;
    this.dueMs = dueMs;
    this.socket.write(REQUEST, 'latin1');
  }

  private onBytes(sizeBytes: number): void {
    if (this.leftBytes === 0) this.leftBytes = answerBytes(sizeBytes);
    this.leftBytes -= sizeBytes;
    if (this.leftBytes !== 0) return;
    latenciesUs[this.index] = (systemClock.monotonic() - this.dueMs) * 1000;
    answered += 1;
    free.push(this);
  }
}

/** How long the answer is that has just begun. Heads, which may tell an age, come in one piece. */
function answerBytes(sizeBytes: number): number {
  if (readBuffer.compare(STATUS, 0, STATUS.length, 0, STATUS.length) !== 0) failed += 1;
  const headBytes = readBuffer.indexOf(HEAD_END, 0, 'latin1') + HEAD_END.length;
  if (bodyBytes === null) {
    const text = readBuffer.toString('latin1', 0, sizeBytes);
    bodyBytes = Number(/content-length: (\d+)/i.exec(text)?.[1]);
  }
  return headBytes + bodyBytes;
}

function begin(): void {
  beganMs = systemClock.monotonic();
  send();
}

function send(): void {
  const nowMs = systemClock.monotonic();
  while (sent < total && beganMs + sent * periodMs <= nowMs) {
    const asker = free.pop();
    if (asker === undefined) break;
    asker.ask(sent, beganMs + sent * periodMs);
    sent += 1;
  }
  const isLate = nowMs > beganMs + total * periodMs + PATIENCE_MS;
  if (answered < total && !isLate) setImmediate(send);
  else finish();
}

function finish(): void {
  const warmUp = Math.round(WARM_UP_MS / periodMs);
  const sorted = latenciesUs.subarray(warmUp, sent).toSorted();
  const at = (share: number): number => sorted[Math.ceil(share * sorted.length) - 1] ?? 0;
  const result: FixedRateResult = {
    sent,
    failed: failed + total - answered,
    p50Us: at(0.5),
    p99Us: at(0.99),
  };
  process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0));
}

for (let each = 0; each < CONNECTIONS; each += 1) new Asker();
