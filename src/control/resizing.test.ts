import { describe, expect, it } from 'vitest';
import {
  configuration,
  deployRequest,
  SimulatedControl,
} from '../../test/support/simulated-control.ts';
import { Fault } from '../kernel/fault.ts';
import type { Configuration, Limits } from '../model/configuration.ts';
import { type SizeName, sizes } from '../model/size.ts';
import type { SlotSpec } from '../runtime/driver.ts';

const MB = 1_048_576;

/** In production, with what each instance was started with. */
async function production(web: Partial<Configuration['web']> = {}) {
  const simulated = new SimulatedControl();
  const started: SlotSpec[] = [];
  const { ensure } = simulated.runtime;
  simulated.runtime.ensure = (spec) => {
    started.push(spec);
    return ensure(spec);
  };
  await simulated.start();
  const change = { web: { ...configuration.web, ...web } };
  await simulated.deploy('one', change);
  await simulated.settled();
  return {
    simulated,
    change,
    started,
    resize: (size: SizeName | null, force = false) =>
      simulated.ask({ kind: 'resize', size }, { force }),
    /** Of the instances that run, each that there is once. */
    async limits(): Promise<Limits[]> {
      const { instances } = await simulated.status();
      const ids = instances.map(({ id }) => id);
      const running = started.filter(({ id }) => ids.includes(id));
      return [...new Map(running.map(({ limits }) => [JSON.stringify(limits), limits])).values()];
    },
    [Symbol.asyncDispose]: () => simulated[Symbol.asyncDispose](),
  };
}

const faultOf = async (work: Promise<unknown>): Promise<Fault> => {
  const fault = await work.catch((thrown) => thrown);
  if (fault instanceof Fault) return fault;
  throw new Error('it was not refused');
};

describe('another size', () => {
  it('is a release of its own, rolled out, of the same version', async () => {
    await using shop = await production();
    await shop.resize('large');
    const deployment = await shop.simulated.settled();
    expect(deployment).toMatchObject({ kind: 'resize', state: 'succeeded', from: 1, to: 2 });
    expect(deployment.receipt).not.toBeNull();
    expect(await shop.limits()).toEqual([sizes.large]);
    expect(await shop.simulated.status()).toMatchObject({
      version: 'v1',
      allowance: { size: 'large', byCommand: true, ...sizes.large },
    });
  });

  it('stays over a deploy, until the configuration has its say again', async () => {
    await using shop = await production({ size: 'small', limits: sizes.small });
    await shop.resize('large');
    await shop.simulated.settled();
    await shop.simulated.deploy('two', shop.change);
    await shop.simulated.settled();
    expect(await shop.limits()).toEqual([sizes.large]);
    await shop.resize(null);
    await shop.simulated.settled();
    expect(await shop.limits()).toEqual([sizes.small]);
    expect((await shop.simulated.status()).allowance).toMatchObject({ byCommand: false });
  });

  it('is gone with a rollback to a release that had another', async () => {
    await using shop = await production({ size: 'small', limits: sizes.small });
    await shop.resize('large');
    await shop.simulated.settled();
    await shop.simulated.ask({ kind: 'rollback', to: 1 });
    await shop.simulated.settled();
    expect(await shop.limits()).toEqual([sizes.small]);
  });

  it('leaves alone what the configuration says by itself', async () => {
    const limits = { memoryBytes: 300 * MB, cpu: sizes.small.cpu };
    await using shop = await production({ size: 'small', limits });
    await shop.resize('large');
    await shop.simulated.settled();
    expect(await shop.limits()).toEqual([{ memoryBytes: 300 * MB, cpu: sizes.large.cpu }]);
  });

  it('is refused where it would change nothing, and nothing happens where it is so already', async () => {
    await using fixed = await production({ limits: { memoryBytes: 300 * MB, cpu: 0.3 } });
    expect(await faultOf(fixed.resize('large'))).toMatchObject({ code: 'size-has-no-say' });
    await using small = await production({ size: 'small', limits: sizes.small });
    expect(await small.resize('small')).toEqual({ deployment: null, ticket: null });
  });
});

describe('a machine that is too small', () => {
  const machine = { cores: 2, memoryBytes: 3_000 * MB };

  it('is told before a size is rolled out that it cannot hold', async () => {
    await using shop = await production();
    shop.simulated.machine = machine;
    const fault = await faultOf(shop.resize('large'));
    expect(fault).toMatchObject({ code: 'overcommitted' });
    expect(fault.message).toContain(
      '3 instances of 2048 MB need 6144 MB of memory, and the machine has 3000 MB',
    );
    expect(fault.hint).toContain('--force');
    await shop.resize('large', true);
    expect(await shop.simulated.settled()).toMatchObject({ state: 'succeeded' });
  });

  it('is told before a deploy, and only warned of what might come', async () => {
    await using shop = await production();
    shop.simulated.machine = machine;
    const web = { ...configuration.web, size: 'large' as const, limits: sizes.large };
    expect(await faultOf(shop.simulated.deploy('two', { web }))).toMatchObject({
      code: 'overcommitted',
    });
    const medium = { ...configuration.web, size: 'small' as const, limits: sizes.small };
    const limits = { ...sizes.small, cpu: 1 };
    const outcome = await shop.simulated.ask(deployRequest('two', { web: { ...medium, limits } }));
    expect(outcome.advice?.map(({ code }) => code)).toEqual([
      'memory-overcommitted',
      'cpu-overcommitted',
    ]);
    await shop.simulated.settled();
    const { allowance } = await shop.simulated.status();
    expect(allowance?.concerns.map(({ code, grave }) => [code, grave])).toEqual([
      ['memory-overcommitted', false],
      ['cpu-overcommitted', false],
    ]);
  });

  it('is not scaled beyond its memory unless it is forced', async () => {
    await using shop = await production({ size: 'medium', limits: sizes.medium });
    shop.simulated.machine = { cores: 8, memoryBytes: 4_096 * MB };
    const { operations } = shop.simulated.control;
    const scale = (desired: number, force = false) =>
      operations.scale('shop', 'production', { desired, max: 9 }, force);
    expect(() => scale(5)).toThrow('the machine has 4096 MB');
    scale(4);
    scale(5, true);
    // To take some away is never held up.
    scale(4);
  });
});

describe('concurrency', () => {
  const variablesWith = async (web: Partial<Configuration['web']>) => {
    await using shop = await production(web);
    return shop.started[0]?.variables;
  };

  it('is told to the app by the name that servers know, and by ours', async () => {
    expect(await variablesWith({ concurrency: 4 })).toMatchObject({
      WEB_CONCURRENCY: '4',
      BELAY_CONCURRENCY: '4',
    });
    expect(await variablesWith({})).not.toHaveProperty('WEB_CONCURRENCY');
  });

  it('leaves to the user what he sets himself', async () => {
    const variables = { WEB_CONCURRENCY: '9' };
    expect(await variablesWith({ concurrency: 4, variables })).toMatchObject({
      WEB_CONCURRENCY: '9',
      BELAY_CONCURRENCY: '4',
    });
  });
});
