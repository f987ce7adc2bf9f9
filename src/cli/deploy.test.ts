import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { DeploymentDetail } from '../model/view.ts';
import { type ScriptedDaemon, scriptedDaemon } from './scripted-daemon.ts';
import { belay } from './scripted-terminal.ts';
import { deploymentOf, entryOf, environmentOf, outcomeOf, receiptOf } from './scripted-views.ts';

let daemon: ScriptedDaemon;

beforeEach(async () => {
  daemon = scriptedDaemon({
    environments: { environments: [environmentOf()] },
    environment: environmentOf(),
    bundle: { present: false },
    putBundle: { present: true },
    deploy: outcomeOf(deploymentOf({ state: 'running', receipt: null, steps: [] } as never)),
    deployment: deploymentOf(),
  });
  await daemon.start();
  const config = "export default { name: 'shop', web: { start: 'node server.js' } };\n";
  writeFileSync(join(daemon.home.root, 'belay.config.ts'), config);
});
afterEach(() => daemon.close());

const routesAsked = () => daemon.asked.map(({ route }) => route);

describe('deploy', () => {
  test('sends the bundle, shows the steps and ends with the receipt', async () => {
    const { code, out, err } = await belay(daemon, ['deploy', '-m', 'Faster search']);
    expect(code).toBe(0);
    expect(err.replace(/bundle .*/, 'bundle …')).toMatchInlineSnapshot(`
      "  left out belay.sock: is a socket
        bundle …
      deploy 4 of shop/production: v2, release 3 → v3, release 4, rolling
         0.8 s  ✓ launched    i-0000000a  zone a  0 of 2 desired
         1.2 s  ✓ in service  i-0000000a  passed its health check

      "
    `);
    expect(out).toMatchInlineSnapshot(`
      "╶╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╴
        shop/production               deploy 4
        v2, release 3 → v3, release 4

        requests ...................... 12,345
        lost ............................... 0
        retried ............................ 2
        drained ............................ 7
        cut ................................ 0
        app errors ......................... 0
        shed ............................... 0

        p50 .......................... 1.24 ms
        p99 .......................... 18.5 ms
        duration ........................ 12 s
      ╶╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╴

      ✓ Deployed v3 as release 4 in 12 s. Not one of 12,345 requests was lost.
      "
    `);
    expect(routesAsked()).toEqual(expect.arrayContaining(['bundle', 'putBundle', 'deploy']));
    expect(daemon.asked.find(({ route }) => route === 'deploy')?.body).toMatchObject({
      message: 'Faster search',
      unchanged: 'deploy',
      configuration: { web: { start: ['node', 'server.js'] } },
    });
  });

  test('does not send a bundle that is there already', async () => {
    daemon.script.bundle = { present: true };
    await belay(daemon, ['deploy']);
    expect(routesAsked()).not.toContain('putBundle');
  });

  test('ends its JSON with the line that scripts rely on', async () => {
    const { code, out, json } = await belay(daemon, ['deploy', '--policy', 'rolling', '--json']);
    expect(code).toBe(0);
    expect(out.trimEnd().split('\n')).toHaveLength(1);
    const { requests, lost, retried, drained, cut, appErrors, shed, p50Ms, p99Ms } = receiptOf();
    expect(json).toMatchObject({
      verdict: 'succeeded',
      cause: null,
      receipt: { requests, lost, retried, drained, cut, appErrors, shed, p50Ms, p99Ms },
      steps: deploymentOf().steps,
    });
  });

  test('that was rolled back ends with 4, the cause and the last 50 log lines', async () => {
    daemon.script.deployment = deploymentOf({
      state: 'rolled-back',
      cause: 'instance i-0000000c exited with code 7 before it was healthy',
      logTail: Array.from({ length: 60 }, (_, index) => `line ${index}`),
      steps: [
        entryOf(3, { kind: 'turn-back', instance: 'i-0000000c', reason: 'exited with code 7' }),
      ],
    });
    const { code, out } = await belay(daemon, ['deploy']);
    expect(code).toBe(4);
    expect(out).toContain('Rolled back to v2: instance i-0000000c exited with code 7');
    expect(out.match(/│ line \d+/g)).toHaveLength(50);
    expect(out).not.toContain('│ line 9\n');
  });

  test.each<[DeploymentDetail['state'], number]>([
    ['failed', 1],
    ['aborted', 4],
  ])('that ended %s ends with %i', async (state, expected) => {
    daemon.script.deployment = deploymentOf({ state, cause: 'it was so' });
    expect((await belay(daemon, ['deploy', '--json'])).code).toBe(expected);
  });

  test('goes on when the user leaves, and says how to come back', async () => {
    const leaving = new AbortController();
    daemon.script.deployment = () => {
      leaving.abort();
      return deploymentOf({ state: 'running' });
    };
    const { code, err } = await belay(daemon, ['deploy'], { interrupt: leaving.signal });
    expect(code).toBe(130);
    expect(err).toContain('belay attach -a shop');
    expect(routesAsked()).not.toContain('abort');
  });

  test('that does not end in time ends with 3 and goes on', async () => {
    daemon.script.deployment = deploymentOf({ state: 'running' });
    const { code, json } = await belay(daemon, ['deploy', '--timeout', '1ms', '--json']);
    expect(code).toBe(3);
    expect(json).toMatchObject({ error: { code: 'timed-out' } });
  });

  test('finds the daemon again after it died', async () => {
    let died = false;
    daemon.script.deployment = () => {
      if (died) return deploymentOf();
      died = true;
      // The answer is cut off with every other connection, as by a kill.
      void daemon.stop().then(() => daemon.start());
      return deploymentOf({ state: 'running' });
    };
    const { code, err } = await belay(daemon, ['deploy']);
    expect(code).toBe(0);
    expect(err).toContain('The daemon does not answer; trying again');
  });

  test('--detach returns as soon as it has started', async () => {
    const { code, json } = await belay(daemon, ['deploy', '--detach', '--json']);
    expect(code).toBe(0);
    expect(json).toMatchObject({ detached: true, deployment: 4 });
    expect(routesAsked()).not.toContain('deployment');
  });

  test('--abort succeeds when the old release runs again', async () => {
    const going = deploymentOf({ state: 'rolling-back' });
    daemon.script.abort = { deployment: going };
    daemon.script.deployment = deploymentOf({ state: 'aborted' });
    const { code, out } = await belay(daemon, ['deploy', '--abort']);
    expect(code).toBe(0);
    expect(out).toContain('Aborted: v2 runs as before.');
  });

  test('--attach tells how the last deployment ended when none runs', async () => {
    daemon.script.deployment = deploymentOf({ state: 'rolled-back', cause: 'it hung' });
    const { code, out, err } = await belay(daemon, ['deploy', '--attach']);
    expect(code).toBe(4);
    expect(err).toContain('No deployment runs');
    expect(out).toContain('Rolled back to v2: it hung.');
  });

  test('--app must not contradict the directory', async () => {
    const { code, err } = await belay(daemon, ['deploy', '-a', 'blog']);
    expect(code).toBe(64);
    expect(err).toContain('is shop, not blog');
  });
});
