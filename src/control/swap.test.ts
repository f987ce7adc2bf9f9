import { describe, expect, it } from 'vitest';
import { configuration, SimulatedControl } from '../../test/support/simulated-control.ts';
import type { Fault } from '../kernel/fault.ts';
import { isRunning } from '../model/deployment.ts';

const PRODUCTION = ['shop.localhost', 'localhost', '127.0.0.1', '[::1]'];
const STAGING = ['staging.shop.localhost'];
const PAIR = ['production', 'staging'] as const;

/** Production runs one version, and its clone, by a deployment, another. */
async function blueAndGreen(): Promise<SimulatedControl> {
  const simulated = new SimulatedControl();
  await simulated.start();
  await simulated.deploy('one');
  await settled(simulated, 'production');
  const asked = { by: null, message: null, overrides: [] };
  const clone = { name: 'staging', configuration: null, variables: {} };
  await simulated.control.environments.clone('shop', 'production', clone, asked);
  await settled(simulated, 'staging');
  await deploy(simulated, 'staging', 'two');
  await settled(simulated, 'staging');
  return simulated;
}

async function deploy(
  simulated: SimulatedControl,
  environment: string,
  digest: string,
  domains = environment === 'production' ? configuration.domains : STAGING,
): Promise<void> {
  await simulated.control.operations.ask(
    { application: 'shop', environment },
    {
      kind: 'deploy',
      configuration: { ...configuration, domains },
      version: { digest, files: 1, sizeBytes: 1, author: null, commit: null },
      unchanged: 'deploy',
    },
    { by: null, message: null, force: false, otherwise: 'refuse' },
  );
}

async function settled(simulated: SimulatedControl, environment: string) {
  const last = () => simulated.store.deployments(`shop/${environment}`, 1)[0];
  await simulated.until('the deployment is settled', () => {
    const deployment = last();
    return deployment !== undefined && !isRunning(deployment);
  });
  return last();
}

/** Which release of which environment each host name leads to. */
function routes(simulated: SimulatedControl): Record<string, string> {
  const rules = simulated.edge.snapshot?.rules ?? [];
  return Object.fromEntries(
    rules.flatMap(({ hosts, forward }) =>
      hosts.map((host) => [host, forward.map(({ pool }) => pool).join(' ')]),
    ),
  );
}

const leadTo = (hosts: readonly string[], pool: string) =>
  Object.fromEntries(hosts.map((host) => [host, pool]));

const refusal = async (work: Promise<unknown>): Promise<Fault> =>
  await work.then(
    () => {
      throw new Error('it was not refused');
    },
    (fault: Fault) => fault,
  );

const unswapped = {
  ...leadTo(PRODUCTION, 'shop/production#1'),
  ...leadTo(STAGING, 'shop/staging#2'),
};
const swapped = {
  ...leadTo(PRODUCTION, 'shop/staging#2'),
  ...leadTo(STAGING, 'shop/production#1'),
};

describe('a swap', () => {
  it('exchanges the names with one snapshot, and the same command brings them back', async () => {
    await using simulated = await blueAndGreen();
    expect(routes(simulated)).toEqual(unswapped);
    const before = simulated.edge.snapshot?.number ?? 0;
    const view = await simulated.control.swap('shop', PAIR, false);
    expect(view).toMatchObject({
      snapshot: before + 1,
      environments: [
        { environment: 'production', domains: STAGING, namesOf: 'shop/staging' },
        { environment: 'staging', domains: ['shop.localhost'], namesOf: 'shop/production' },
      ],
    });
    expect(view.environments.map(({ receipt }) => receipt?.lost)).toEqual([0, 0]);
    expect(routes(simulated)).toEqual(swapped);
    expect(await simulated.status()).toMatchObject({
      url: expect.stringContaining('http://staging.shop.localhost'),
      namesOf: 'shop/staging',
    });
    await simulated.control.swap('shop', ['staging', 'production'], false);
    expect(routes(simulated)).toEqual(unswapped);
    expect(await simulated.status()).toMatchObject({ namesOf: null });
  });

  it('outlives deployments of both, and a rollback', async () => {
    await using simulated = await blueAndGreen();
    await simulated.control.swap('shop', PAIR, false);
    await deploy(simulated, 'production', 'three');
    expect(await settled(simulated, 'production')).toMatchObject({ state: 'succeeded' });
    await deploy(simulated, 'staging', 'three');
    expect(await settled(simulated, 'staging')).toMatchObject({ state: 'succeeded' });
    await simulated.ask({ kind: 'rollback', to: null });
    await settled(simulated, 'production');
    await simulated.until(
      'what drained is gone',
      () => simulated.edge.snapshot?.pools.length === 2,
    );
    expect(routes(simulated)).toEqual({
      ...leadTo(PRODUCTION, 'shop/staging#3'),
      ...leadTo(STAGING, 'shop/production#1'),
    });
  });

  it('keeps a deployment from giving an environment new names meanwhile', async () => {
    await using simulated = await blueAndGreen();
    await simulated.control.swap('shop', PAIR, false);
    const fault = await refusal(deploy(simulated, 'production', 'three', ['other.localhost']));
    expect(fault).toMatchObject({ code: 'names-swapped', details: { holder: 'shop/staging' } });
    expect(fault.hint).toContain('belay envs swap production staging');
    await simulated.control.swap('shop', PAIR, false);
    await deploy(simulated, 'production', 'three', ['other.localhost']);
    await settled(simulated, 'production');
    expect(routes(simulated)['other.localhost']).toBe('shop/production#2');
  });

  it('is refused while either is deployed, naming who holds it', async () => {
    await using simulated = await blueAndGreen();
    for (const [environment, number] of [
      ['production', 2],
      ['staging', 3],
    ] as const) {
      await deploy(simulated, environment, `next-${environment}`);
      const fault = await refusal(simulated.control.swap('shop', PAIR, false));
      expect(fault.code).toBe('operation-in-progress');
      expect(fault.message).toContain(`deploy ${number} of shop/${environment} is running`);
      await settled(simulated, environment);
    }
    await simulated.control.swap('shop', PAIR, false);
  });

  it('is refused with itself, and with what is not there', async () => {
    await using simulated = await blueAndGreen();
    const swap = (a: string, b: string) => refusal(simulated.control.swap('shop', [a, b], false));
    expect(await swap('staging', 'staging')).toMatchObject({ code: 'swap-with-itself' });
    const unknown = await swap('production', 'qa');
    expect(unknown).toMatchObject({ code: 'unknown-environment', subject: 'shop/qa' });
    expect(unknown.hint).toContain('shop/staging');
    expect(routes(simulated)).toEqual(unswapped);
  });

  it('is refused when nobody would answer', async () => {
    await using simulated = await blueAndGreen();
    simulated.control.operations.scale('shop', 'staging', { min: 0, desired: 0 });
    await simulated.until('staging is empty', () => simulated.edge.snapshot?.pools.length === 1);
    expect(await refusal(simulated.control.swap('shop', PAIR, false))).toMatchObject({
      code: 'not-ready',
      subject: 'shop/staging',
    });
  });

  it('is refused while one is frozen, unless forced', async () => {
    await using simulated = await blueAndGreen();
    simulated.control.operations.freeze('shop', 'production', {
      by: 'ann',
      reason: 'sale',
      until: null,
    });
    expect(await refusal(simulated.control.swap('shop', PAIR, false))).toMatchObject({
      code: 'deployments-frozen',
    });
    await simulated.control.swap('shop', PAIR, true);
    expect(routes(simulated)).toEqual(swapped);
  });

  it('is in force in the next life when the daemon dies before it is', async () => {
    await using simulated = await blueAndGreen();
    await simulated.control.close();
    await simulated.start(1);
    await refusal(simulated.control.swap('shop', PAIR, false));
    expect(simulated.crashed).toBe(true);
    expect(routes(simulated)).toEqual(unswapped);
    await simulated.bury();
    await simulated.start();
    await simulated.until('the swap is in force', () => {
      return routes(simulated)['shop.localhost'] === 'shop/staging#2';
    });
    expect(routes(simulated)).toEqual(swapped);
  });
});

describe('names that were swapped', () => {
  it('stay with who has them when the other ends, and come back with it', async () => {
    await using simulated = await blueAndGreen();
    await simulated.control.swap('shop', PAIR, false);
    simulated.control.operations.terminate('shop', 'production');
    await simulated.until('production is gone', () => simulated.edge.snapshot?.rules.length === 1);
    expect(routes(simulated)['shop.localhost']).toBe('shop/staging#2');
    const asked = { by: null, message: null, overrides: [] };
    await simulated.control.environments.rebuild('shop', 'production', asked);
    expect(await settled(simulated, 'production')).toMatchObject({ state: 'succeeded' });
    await simulated.control.swap('shop', PAIR, false);
    expect(routes(simulated)['shop.localhost']).toBe('shop/production#2');
    expect(routes(simulated)[STAGING[0] ?? '']).toBe('shop/staging#2');
  });
});
