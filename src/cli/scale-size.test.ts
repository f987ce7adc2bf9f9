import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { overcommitment } from '../plan/overcommitment.ts';
import { type ScriptedDaemon, scriptedDaemon } from './scripted-daemon.ts';
import { belay } from './scripted-terminal.ts';
import { deploymentOf, environmentOf } from './scripted-views.ts';

const MB = 1_048_576;
const limits = { memoryBytes: 512 * MB, cpu: 0.5 };
const machine = { cores: 1, memoryBytes: 1_024 * MB };
const commitment = { desired: 4, max: 4, warm: 0, size: 'small' as const, limits };

const view = environmentOf({
  allowance: {
    size: 'small',
    byCommand: true,
    ...limits,
    concerns: overcommitment(commitment, machine),
  },
});

let daemon: ScriptedDaemon;
beforeEach(async () => {
  daemon = scriptedDaemon({
    environments: { environments: [view] },
    environment: view,
    scale: view,
    resizeEnvironment: { deployment: null, ticket: null },
  });
  await daemon.start();
});
afterEach(() => daemon.close());

const bodyOf = (route: string) => daemon.asked.find((each) => each.route === route)?.body;

describe('scale --size', () => {
  it('asks for the size, and for the configuration’s own', async () => {
    const { code, out } = await belay(daemon, [
      'scale',
      '--size',
      'large',
      '-m',
      'sale',
      '--force',
    ]);
    expect({ code, out }).toEqual({
      code: 0,
      out: 'Nothing to change: its instances have this size already.\n',
    });
    expect(bodyOf('resizeEnvironment')).toMatchObject({
      size: 'large',
      message: 'sale',
      force: true,
      otherwise: 'refuse',
    });
    daemon.asked.length = 0;
    await belay(daemon, ['scale', '--size', 'configured']);
    expect(bodyOf('resizeEnvironment')).toMatchObject({ size: null, message: null, force: false });
  });

  it('tells what the machine has too little of, and goes on', async () => {
    daemon.script.resizeEnvironment = {
      ...{ deployment: deploymentOf({ kind: 'resize' }), ticket: null },
      advice: [{ code: 'cpu-overcommitted', grave: false, what: 'too few cores', instead: 'wait' }],
    };
    const { code, err } = await belay(daemon, ['scale', '--size', 'medium', '--no-wait']);
    expect(code).toBe(0);
    expect(err).toContain('! too few cores; wait\n');
  });

  it.each([
    ['a size that is none', ['--size', 'huge'], "--size is 'huge'"],
    ['a number beside it', ['3', '--size', 'large'], '--size goes with no number, --min or --max'],
    ['bounds beside it', ['--max', '3', '--size', 'large'], '--size goes with no number'],
  ])('refuses %s', async (_, args, problem) => {
    const { code, err } = await belay(daemon, ['scale', ...args]);
    expect(code).toBe(64);
    expect(err).toContain(problem);
    expect(bodyOf('resizeEnvironment')).toBeUndefined();
  });
});

describe('a machine that has too little', () => {
  it('is told with what is scaled', async () => {
    const { out } = await belay(daemon, ['scale', '4', '--no-wait', '--force']);
    expect(bodyOf('scale')).toEqual({ desired: 4, force: true });
    expect(out).toContain(
      '! 4 instances of 512 MB need 2048 MB of memory, and the machine has 1024 MB\n',
    );
  });

  it('is told in the status, beside the size', async () => {
    const { out } = await belay(daemon, ['status']);
    expect(out).toContain('  size        small: 0.5 cores and 512mb each, by belay scale\n');
    expect(out).toContain(
      '  too little  4 instances of 0.5 cores may take 2 cores, 2.0 times the 1 there are\n',
    );
  });
});
