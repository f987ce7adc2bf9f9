import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it, onTestFinished } from 'vitest';
import { statuses, testEdge } from './edge.fixture.ts';

const CLIENTS = 16;
const REQUESTS = 4_000;

/** An app in a process of its own, so that it can be killed; says its port. */
const APP = `
const server = require('node:http').createServer((request, response) => {
  setTimeout(() => response.end('ok'), 2);
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
`;

async function startApp(): Promise<{ port: number; process: ChildProcess }> {
  const child = spawn(process.execPath, ['-e', APP], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  });
  const [port] = child.stdout ? await once(child.stdout, 'data') : [];
  return { port: Number(port), process: child };
}

describe('an instance that is killed', () => {
  it('takes no GET with it whose response had not begun', async () => {
    const apps = await Promise.all([startApp(), startApp(), startApp()]);
    const edge = await testEdge(apps.map(({ port }) => ({ port })));
    let asked = 0;
    const answers: number[] = [];
    const client = async () => {
      const raw = edge.connect();
      while (asked < REQUESTS) {
        asked += 1;
        if (asked === REQUESTS / 4) apps[0]?.process.kill('SIGKILL');
        raw.socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
        await raw.until(/\r\n\r\n/);
        answers.push(...statuses(raw.take()));
      }
    };
    await Promise.all(Array.from({ length: CLIENTS }, client));
    expect(answers.filter((status) => status !== 200)).toEqual([]);
    expect(edge.outcomes()).toEqual({ ok: answers.length });
    const { rows } = edge.worker.report(null, 'everything');
    expect(rows.reduce((sum, row) => sum + row.retried, 0)).toBeGreaterThan(0);
  });
});
