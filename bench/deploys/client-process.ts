/**
 * The independent client: a process of its own that knows nothing of who answers. It asks at a fixed
 * rate over ordinary kept-alive connections, on a schedule that waits for nobody, and tries nothing
 * twice. Started by client.ts; it talks over the IPC channel.
 */
import { Agent, get } from 'node:http';
import { systemClock } from '../../src/kernel/clock.ts';
import type { Account, ClientOptions, ClientRequest } from './client.ts';

const TICK_MS = 2;
const REQUEST_TIMEOUT_MS = 10_000;

const { port, host, ratePerSecond } = JSON.parse(process.argv[2] ?? '') as ClientOptions;
const clock = systemClock;
const agent = new Agent({ keepAlive: true, scheduling: 'fifo', maxSockets: 32 });

let account = newAccount();
let latenciesMs: number[] = [];
let lastSuccessMs: number | null = null;
let inFlight = 0;
let sending = false;
let dueMs = 0;

function newAccount(): Account {
  return { sent: 0, lost: 0, longestGapMs: 0, p99Ms: 0, lastAnswerAt: {}, failures: {} };
}

function sendDue(): void {
  for (; sending && dueMs <= clock.monotonic(); dueMs += 1000 / ratePerSecond) send(dueMs);
}

function send(scheduledMs: number): void {
  account.sent += 1;
  inFlight += 1;
  let ended = false;
  const end = (failure: string | null, body: string): void => {
    if (ended) return;
    ended = true;
    inFlight -= 1;
    if (failure === null) succeeded(scheduledMs, body);
    else lost(failure);
  };
  const headers = { host };
  const asked = get({ host: '127.0.0.1', port, agent, headers, timeout: REQUEST_TIMEOUT_MS });
  asked.on('response', (response) => {
    let body = '';
    response.setEncoding('utf8').on('data', (text: string) => {
      body += text;
    });
    response.on('end', () => {
      const isGood = response.statusCode === 200 && response.complete;
      end(isGood ? null : `status ${response.statusCode}`, body);
    });
    response.on('error', (error) => end(error.message, ''));
  });
  asked.on('timeout', () => asked.destroy(new Error('timed out')));
  asked.on('error', (error) => end(error.message, ''));
}

function lost(failure: string): void {
  account.lost += 1;
  account.failures[failure] = (account.failures[failure] ?? 0) + 1;
}

function succeeded(scheduledMs: number, body: string): void {
  const now = clock.monotonic();
  latenciesMs.push(now - scheduledMs);
  if (lastSuccessMs !== null) {
    account.longestGapMs = Math.max(account.longestGapMs, now - lastSuccessMs);
  }
  lastSuccessMs = now;
  account.lastAnswerAt[body] = clock.now();
}

async function finish(): Promise<Account> {
  sending = false;
  while (inFlight > 0) await clock.sleep(TICK_MS);
  latenciesMs.sort((a, b) => a - b);
  const p99Ms = latenciesMs[Math.ceil(latenciesMs.length * 0.99) - 1] ?? 0;
  return { ...account, p99Ms };
}

async function obey(request: ClientRequest): Promise<void> {
  if (request === 'begin') {
    account = newAccount();
    latenciesMs = [];
    lastSuccessMs = null;
    sending = true;
    dueMs = clock.monotonic();
    process.send?.('begun');
  } else process.send?.(await finish());
}

process.on('message', (request) => void obey(request as ClientRequest));
process.on('disconnect', () => process.exit(0));
clock.every(TICK_MS, sendDue);
