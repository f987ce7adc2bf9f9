import { describe, expect, it, test } from 'vitest';
import { configuration, SimulatedControl } from '../../test/support/simulated-control.ts';
import type { Fault } from '../kernel/fault.ts';
import type { Configuration } from '../model/configuration.ts';
import type { Guard } from '../model/guard.ts';
import { readToken, type SignedPolicy } from '../model/signed-token.ts';
import type { SlotSpec } from '../runtime/driver.ts';

const KEY = 'shop/production';
const open: Guard = { path: '/*', signed: false, referers: null, bots: null, rate: null };
const signed: Guard = { ...open, path: '/videos/*', signed: true };

const withGuards = (...guards: Guard[]): Partial<Configuration> => ({
  traffic: { ...configuration.traffic, guards },
});

/** Production with these guards, and what its instances were given. */
async function guarded(...guards: Guard[]) {
  const simulated = new SimulatedControl();
  const started: SlotSpec[] = [];
  const { ensure } = simulated.runtime;
  simulated.runtime.ensure = (spec) => {
    started.push(spec);
    return ensure(spec);
  };
  await simulated.start();
  await simulated.deploy('one', withGuards(...guards));
  await simulated.settled();
  return Object.assign(simulated, { started });
}

const routed = ({ edge }: SimulatedControl, environment = KEY) =>
  edge.snapshot?.rules.find((rule) => rule.environment === environment)?.guards;
const ids = (simulated: SimulatedControl) => routed(simulated)?.keys.map(({ id }) => id);

const policyOf = (
  { clock }: SimulatedControl,
  fields: Partial<SignedPolicy> = {},
): SignedPolicy => ({
  path: '/videos/*',
  expires: Math.floor(clock.now() / 1_000) + 3_600,
  ...fields,
});

const refusal = async (work: () => unknown): Promise<Fault> => {
  try {
    await work();
  } catch (fault) {
    return fault as Fault;
  }
  throw new Error('it was not refused');
};

describe('guards', () => {
  it('are told to the edge, with keys where something has to be signed for', async () => {
    await using simulated = await guarded(
      { ...open, rate: { requestsPerSecond: 1, burst: 2 } },
      signed,
    );
    expect(routed(simulated)?.rules.map(({ path }) => path)).toEqual(['/*', '/videos/*']);
    expect(routed(simulated)?.keys).toEqual([
      { id: 'k1', secret: expect.stringMatching(/^[0-9a-f]{64}$/) },
    ]);
  });

  it('have no keys where nothing has to be signed for', async () => {
    await using simulated = await guarded(open);
    expect(routed(simulated)).toEqual({ rules: [open], keys: [] });
    expect(simulated.store.signingKeys(KEY)).toEqual({ made: 0, keys: [] });
    expect(simulated.started.some(({ variables }) => 'BELAY_SIGNING_KEY' in variables)).toBe(false);
  });

  it('are none where none are written', async () => {
    await using simulated = await guarded();
    expect(routed(simulated)).toBeNull();
  });
});

describe('a key', () => {
  it('is handed to instances, and to nobody who reads their release', async () => {
    await using simulated = await guarded(signed);
    const [key] = simulated.control.signing.keys('shop', 'production').keys;
    const variables = simulated.started.map((spec) => spec.variables);
    expect(variables.length).toBeGreaterThan(0);
    for (const each of variables) {
      expect(each).toMatchObject({ BELAY_SIGNING_KEY_ID: 'k1', BELAY_SIGNING_KEY: key?.secret });
    }
    const { queries } = simulated.control;
    expect(JSON.stringify(queries.release('shop', 'production', 1))).not.toContain(key?.secret);
    expect(JSON.stringify(queries.variables('shop', 'production'))).not.toContain(key?.secret);
    expect(JSON.stringify(simulated.store.events({ after: 0, limit: 1_000 }))).not.toContain(
      key?.secret,
    );
  });

  it('is handed to hooks that see what an instance would, and to no build', async () => {
    await using simulated = new SimulatedControl();
    const given = new Map<string, boolean>();
    const { ensure } = simulated.runtime;
    simulated.runtime.ensure = (spec) => {
      given.set(spec.id.replace(/-.*/, ''), 'BELAY_SIGNING_KEY' in spec.variables);
      return ensure(spec);
    };
    await simulated.start();
    const hook = {
      command: ['true'],
      variables: {},
      timeoutMs: 60_000,
      limits: { memoryBytes: null, cpu: null },
      turnsBack: true,
    };
    const hooks = { build: hook, migrate: hook, postdeploy: hook };
    await simulated.deploy('one', { ...withGuards(signed), hooks });
    await simulated.settled();
    expect(Object.fromEntries(given)).toEqual({
      build: false,
      migrate: true,
      i: true,
      postdeploy: true,
    });
  });

  it('stays over lives of the daemon', async () => {
    await using simulated = await guarded(signed);
    const before = routed(simulated)?.keys;
    await simulated.control.close();
    await simulated.start();
    await simulated.control.signing.rotate('shop', 'production', null);
    expect(routed(simulated)?.keys[1]).toEqual(before?.[0]);
  });

  it('signs what the edge lets pass', async () => {
    await using simulated = await guarded(signed);
    const policy = policyOf(simulated, { address: '203.0.113.7' });
    const view = simulated.control.signing.sign('shop', 'production', policy);
    expect(view).toMatchObject({ key: 'k1', needed: true });
    expect(readToken(view.token, routed(simulated)?.keys ?? [])).toEqual(policy);
  });

  it('is made when somebody signs before anything has to be signed for', async () => {
    await using simulated = await guarded();
    const { control } = simulated;
    expect(control.signing.sign('shop', 'production', policyOf(simulated))).toMatchObject({
      key: 'k1',
      needed: false,
    });
    expect(routed(simulated)).toBeNull();
  });

  it('is replaced by another, in force when that is answered, and passes until it is revoked', async () => {
    await using simulated = await guarded(signed);
    const { signing } = simulated.control;
    const before = simulated.edge.snapshot?.number ?? 0;
    const { token } = signing.sign('shop', 'production', policyOf(simulated));

    const rotated = await signing.rotate('shop', 'production', 'ann');
    expect(rotated.snapshot).toBe(before + 1);
    expect(rotated.keys.map(({ id }) => id)).toEqual(['k2', 'k1']);
    expect(ids(simulated)).toEqual(['k2', 'k1']);
    expect(signing.sign('shop', 'production', policyOf(simulated)).key).toBe('k2');
    expect(readToken(token, routed(simulated)?.keys ?? [])).not.toBeNull();

    const revoked = await signing.revoke('shop', 'production', 'k1', 'ann');
    expect(revoked).toMatchObject({ snapshot: before + 2, keys: [{ id: 'k2' }] });
    expect(readToken(token, routed(simulated)?.keys ?? [])).toBeNull();
    await signing.rotate('shop', 'production', null);
    expect(ids(simulated)).toEqual(['k3', 'k2']);
    const told = simulated.store
      .events({ after: 0, limit: 1_000 })
      .filter(({ type }) => type.startsWith('signing-key-'));
    expect(told.map(({ message }) => message)).toEqual([
      `${KEY} signs by key k2 from now on, says ann`,
      `${KEY} takes nothing signed by key k1 any more, says ann`,
      `${KEY} signs by key k3 from now on`,
    ]);
  });

  it('that signs is not revoked, nor one that is not there', async () => {
    await using simulated = await guarded(signed);
    const revoke = (id: string) =>
      refusal(() => simulated.control.signing.revoke('shop', 'production', id, null));
    expect(await revoke('k1')).toMatchObject({
      code: 'signing-key-in-use',
      hint: 'make another first: belay signing-keys rotate --app shop',
    });
    expect(await revoke('k7')).toMatchObject({ code: 'unknown-signing-key', hint: 'there is k1' });
    expect(ids(simulated)).toEqual(['k1']);
  });

  it('is one of a few', async () => {
    await using simulated = await guarded(signed);
    const rotate = () => simulated.control.signing.rotate('shop', 'production', null);
    for (let made = 2; made <= 5; made += 1) await rotate();
    expect(await refusal(rotate)).toMatchObject({ code: 'too-many-signing-keys' });
    expect(ids(simulated)).toEqual(['k5', 'k4', 'k3', 'k2', 'k1']);
  });

  it('is of one environment alone, until names are swapped', async () => {
    await using simulated = await guarded(signed);
    const { control } = simulated;
    const clone = { name: 'staging', configuration: null, variables: {} };
    await control.environments.clone('shop', 'production', clone, {
      ...{ by: null, message: null },
      overrides: [],
    });
    const staging = () => simulated.store.deployments('shop/staging', 1)[0]?.state;
    await simulated.until('staging runs', () => staging() === 'succeeded');
    const tokenOf = (name: string) => control.signing.sign('shop', name, policyOf(simulated)).token;
    const passes = (token: string, name: string) =>
      readToken(token, routed(simulated, `shop/${name}`)?.keys ?? []) !== null;
    const [ours, theirs] = [tokenOf('production'), tokenOf('staging')];
    const table = () =>
      [ours, theirs].map((token) => [passes(token, 'production'), passes(token, 'staging')]);
    expect(table()).toEqual([
      [true, false],
      [false, true],
    ]);
    await control.swap('shop', ['production', 'staging'], false);
    expect(table()).toEqual([
      [true, true],
      [true, true],
    ]);
    await control.swap('shop', ['production', 'staging'], false);
    expect(table()).toEqual([
      [true, false],
      [false, true],
    ]);
  });
});

describe('nothing is signed', () => {
  test.each<[what: string, fields: Partial<SignedPolicy>, code: string]>([
    ['that has expired', { expires: 1_000_000_000 }, 'bad-policy'],
    ['that ends before it begins', { starts: 4_000_000_000 }, 'bad-policy'],
    ['that leads elsewhere', { path: '/videos/../a' }, 'bad-policy'],
    ['that leads elsewhere once it is read', { path: '/videos/%2e%2e/a' }, 'bad-policy'],
    ['with two slashes', { path: '//videos/*' }, 'bad-policy'],
  ])('%s', async (_, fields, code) => {
    await using simulated = await guarded(signed);
    const { signing } = simulated.control;
    const fault = await refusal(() =>
      signing.sign('shop', 'production', policyOf(simulated, fields)),
    );
    expect(fault).toMatchObject({ code });
  });

  it('for an environment that is not there', async () => {
    await using simulated = await guarded(signed);
    const { signing } = simulated.control;
    for (const work of [
      () => signing.sign('shop', 'nowhere', policyOf(simulated)),
      () => signing.keys('shop', 'nowhere'),
      () => signing.rotate('shop', 'nowhere', null),
      () => signing.revoke('shop', 'nowhere', 'k1', null),
    ]) {
      expect(await refusal(work)).toMatchObject({ code: 'unknown-environment' });
    }
  });
});
