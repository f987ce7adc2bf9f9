import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type ScriptedDaemon, scriptedDaemon } from './scripted-daemon.ts';
import { belay } from './scripted-terminal.ts';
import { daemonOf, environmentOf } from './scripted-views.ts';

let daemon: ScriptedDaemon;

beforeEach(async () => {
  daemon = scriptedDaemon({
    environments: { environments: [environmentOf()] },
    environment: environmentOf(),
    daemon: daemonOf(),
  });
  await daemon.start();
});
afterEach(() => daemon.close());

describe('doctor', () => {
  test('says whose a taken port is, and ends well without a problem', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    const environment = {
      BELAY_HTTP: String(port),
      BELAY_CONSOLE: '0',
      PATH: process.env.PATH ?? '',
    };
    const { code, json } = await belay(daemon, ['doctor', '--json'], { environment });
    server.close();
    expect(code).toBe(0);
    const { checks } = json as { checks: { name: string; says: string }[] };
    const edge = checks.find(({ name }) => name === 'edge port');
    expect(edge?.says).toContain(`${port} is taken by`);
    if (existsSync('/proc/net/tcp')) expect(edge?.says).toContain(`process ${process.pid}`);
  });

  test('ends with 2 when something will fail', async () => {
    const { code, out } = await belay(daemon, ['doctor'], { environment: { BELAY_HTTP: 'http' } });
    expect(code).toBe(2);
    expect(out).toContain('BELAY_HTTP=http is not a port');
  });
});
