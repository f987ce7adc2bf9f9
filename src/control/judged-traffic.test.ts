import { describe, expect, it } from 'vitest';
import { silentLog } from '../kernel/log.ts';
import type { Deployment } from '../model/deployment.ts';
import type { TargetTraffic } from '../model/target.ts';
import { JudgedTraffic } from './judged-traffic.ts';

const key = 'shop/production';
const deploy = { state: 'running', kind: 'deploy', number: 7, from: 1, to: 2 } as Deployment;
const serving = [{ release: 2, state: 'in-service' }] as const;
const starting = [{ release: 2, state: 'pending' }] as const;

const reading = (release: number, requests: number, appErrors = 0): TargetTraffic => ({
  pool: `${key}#${release}`,
  id: `of-${release}`,
  requests,
  appErrors,
  failures: 0,
  latency: [40, requests],
});

/** What is judged when the edge says first the one and then the other. */
async function judged(first: TargetTraffic[], then: TargetTraffic[]): Promise<TargetTraffic[]> {
  let told = first;
  const judge = new JudgedTraffic({ edge: { traffic: async () => told }, log: silentLog });
  await judge.read(key, deploy, starting);
  told = then;
  return await judge.read(key, deploy, serving);
}

describe('what a release is judged by', () => {
  it('counts the old release from the beginning of the deployment, and the new one whole', async () => {
    const before = [reading(1, 1_000_000, 20)];
    const after = [reading(1, 1_000_300, 23), reading(2, 100, 5)];
    expect(await judged(before, after)).toEqual([reading(1, 300, 3), reading(2, 100, 5)]);
  });

  it('takes counters that began anew as they are', async () => {
    const after = [reading(1, 40, 1)];
    expect(await judged([reading(1, 1_000)], after)).toEqual(after);
  });

  it('leaves out what is of no side', async () => {
    expect(await judged([], [reading(3, 40)])).toEqual([]);
  });

  it('asks nobody before an instance of the new release serves, nor for a rollback', async () => {
    let asked = 0;
    const traffic = async () => {
      asked += 1;
      return [reading(1, 10), reading(2, 10)];
    };
    const judge = new JudgedTraffic({ edge: { traffic }, log: silentLog });
    expect(await judge.read(key, { ...deploy, kind: 'rollback' }, serving)).toEqual([]);
    expect(asked).toBe(0);
    await judge.read(key, deploy, starting);
    expect(await judge.read(key, deploy, starting)).toEqual([]);
    expect(asked).toBe(1);
  });

  it('is nothing while the edge cannot be asked', async () => {
    const traffic = () => Promise.reject(new Error('gone'));
    const judge = new JudgedTraffic({ edge: { traffic }, log: silentLog });
    expect(await judge.read(key, deploy, serving)).toEqual([]);
  });
});
