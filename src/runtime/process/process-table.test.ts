import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import {
  isAlive,
  parseStat,
  readProcess,
  readProcessIds,
  readProcessTable,
} from './process-table.ts';

/** A line of /proc/PID/stat: the fields of proc(5) from the state on, as numbers tell. */
function stat(name: string, change: Record<number, number | string> = {}): string {
  const fields = Array.from({ length: 50 }, (_, index) => String(change[index + 3] ?? 0));
  return `4711 (${name}) ${fields.join(' ')}\n`;
}

describe('a line of /proc/PID/stat', () => {
  const numbers = { 3: 'S', 4: 12, 5: 13, 6: 14, 14: 100, 15: 23, 20: 1, 22: 98_765, 24: 2_048 };
  const entry = {
    pid: 4711,
    parent: 12,
    group: 13,
    session: 14,
    zombie: false,
    cpuTicks: 123,
    startTicks: 98_765,
    residentPages: 2_048,
  };

  it.each(['node', 'tmux: server', '(sd-pam)', 'a) S 1 2 3 (b', ') Z', ''])(
    'is understood whatever the program is called: %j',
    (name) => {
      expect(parseStat(stat(name, numbers))).toEqual(entry);
    },
  );

  it.each(['Z', 'X', 'x'])('tells the ended by state %s', (state) => {
    expect(parseStat(stat('node', { ...numbers, 3: state }))?.zombie).toBe(true);
  });

  it.each(['R', 'S', 'D', 'T', 't', 'I'])('tells the living by state %s', (state) => {
    expect(parseStat(stat('node', { ...numbers, 3: state }))?.zombie).toBe(false);
  });

  it('counts a process as living while threads outlive its first', () => {
    expect(parseStat(stat('java', { ...numbers, 3: 'Z', 20: 7 }))?.zombie).toBe(false);
  });

  it('is nothing when it was cut short', () => {
    expect(parseStat('')).toBeNull();
    expect(parseStat('4711 (nod')).toBeNull();
  });
});

describe.skipIf(process.platform !== 'linux')('the process table', () => {
  it('holds this process and its parent', () => {
    const table = readProcessTable();
    expect(table.get(process.pid)?.parent).toBe(process.ppid);
    expect(table.has(process.ppid)).toBe(true);
    expect(readProcessIds()).toContain(process.pid);
  });

  it('has nothing under an id that is gone, and does not take a later process for it', async () => {
    const child = spawn('sleep', ['60']);
    const entry = readProcess(child.pid ?? 0);
    expect(isAlive(entry)).toBe(true);
    expect(isAlive(entry && { ...entry, startTicks: entry.startTicks + 1 })).toBe(false);
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(isAlive(entry)).toBe(false);
    expect(readProcess(child.pid ?? 0)).toBeNull();
  });

  it('does not count a zombie as living', async () => {
    // The shell hands its child to a program that never asks for its status, and does so first.
    const parent = spawn('sh', ['-c', 'sleep 0.2 & echo $!; exec sleep 60']);
    const [line] = await once(parent.stdout, 'data');
    const pid = Number(String(line));
    while (readProcess(pid)?.zombie === false) await new Promise(setImmediate);
    const zombie = readProcess(pid);
    expect(zombie?.zombie).toBe(true);
    expect(isAlive(zombie)).toBe(false);
    parent.kill('SIGKILL');
    await once(parent, 'exit');
  });
});
