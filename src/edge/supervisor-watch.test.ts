import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type ManualClock, manualClock } from '../kernel/clock.ts';
import { silentLog } from '../kernel/log.ts';
import { identityOf, isAlive } from './process-identity.ts';
import { watchSupervisor } from './supervisor-watch.ts';

let directory: string;
let record: string;
let owner: ChildProcess;
let clock: ManualClock;
let asked: number;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'be-'));
  record = join(directory, 'supervisor.json');
  owner = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1e6)'], { stdio: 'ignore' });
  await once(owner, 'spawn');
  clock = manualClock();
  asked = 0;
});
afterEach(async () => {
  if (owner.exitCode === null && owner.signalCode === null) {
    const ended = once(owner, 'exit');
    owner.kill('SIGKILL');
    await ended;
  }
  rmSync(directory, { recursive: true });
});

const watch = () =>
  watchSupervisor(record, clock, silentLog, () => {
    asked += 1;
  });

it('ends a supervisor that is asked and says nothing', async () => {
  const identity = identityOf(owner.pid ?? 0);
  writeFileSync(record, JSON.stringify(identity));
  const watching = watch();
  await clock.advance(9_999);
  expect(isAlive(identity)).toBe(true);
  expect(asked).toBe(8);
  const ended = once(owner, 'exit');
  await clock.advance(1);
  expect((await ended)[1]).toBe('SIGKILL');
  watching.close();
});

it('leaves one alone that says something now and then, and one that it watches no more', async () => {
  const identity = identityOf(owner.pid ?? 0);
  writeFileSync(record, JSON.stringify(identity));
  const watching = watch();
  for (let round = 0; round < 5; round += 1) {
    await clock.advance(9_000);
    watching.heard();
  }
  watching.close();
  await clock.advance(60_000);
  expect(isAlive(identity)).toBe(true);
  expect(clock.pending()).toBe(0);
});

it('ends nobody who has come to the process id of the owner since', async () => {
  const identity = identityOf(owner.pid ?? 0);
  writeFileSync(record, JSON.stringify({ ...identity, startTicks: 1 }));
  const watching = watch();
  await clock.advance(60_000);
  expect(isAlive(identity)).toBe(true);
  watching.close();
});

it('ends the owner of the time when the connection was made, not the next', async () => {
  const identity = identityOf(owner.pid ?? 0);
  writeFileSync(record, JSON.stringify({ pid: process.pid, startTicks: 1 }));
  const watching = watch();
  writeFileSync(record, JSON.stringify(identity));
  await clock.advance(60_000);
  expect(isAlive(identity)).toBe(true);
  watching.close();
});
