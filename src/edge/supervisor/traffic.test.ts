import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { COARSE_BITS, histogram, sum } from '../../kernel/histogram.ts';
import type { TargetTraffic } from '../../model/target.ts';
import { Traffic } from './traffic.ts';

const POOL = 'shop/production#1';

function counted(id: string, requests: number, latenciesUs: readonly number[] = []): TargetTraffic {
  const latency = histogram(COARSE_BITS);
  for (const us of latenciesUs) latency.record(us);
  return { pool: POOL, id, requests, appErrors: 0, failures: 0, latency: latency.toSparse() };
}

const targets = ['i-1', 'i-2'].map((id) => ({ pool: POOL, id }));
const requestsIn = (traffic: Traffic) => traffic.read(targets).map(({ requests }) => requests);

describe('traffic by target', () => {
  it('is the sum over workers, each as it told last', () => {
    const traffic = new Traffic();
    const [one, other] = [counted('i-1', 2, [100, 9_000]), counted('i-1', 1, [100])];
    traffic.told('a', [counted('i-1', 1)]);
    traffic.told('a', [{ ...one, appErrors: 1 }]);
    traffic.told('b', [{ ...other, failures: 1 }, counted('i-2', 5)]);
    expect(traffic.read(targets)).toEqual([
      { ...one, requests: 3, appErrors: 1, failures: 1, latency: sum(one.latency, other.latency) },
      counted('i-2', 5),
    ]);
  });

  it('is nothing where nothing has passed', () => {
    expect(new Traffic().read(targets)).toEqual([counted('i-1', 0), counted('i-2', 0)]);
  });

  it('keeps what an ended worker had told, and forgets targets that are gone', () => {
    const traffic = new Traffic();
    traffic.told('a', [counted('i-1', 3), counted('i-2', 4)]);
    traffic.fold('a');
    traffic.fold('a');
    traffic.told('b', [counted('i-1', 1), counted('i-2', 1)]);
    expect(requestsIn(traffic)).toEqual([4, 5]);
    traffic.keep(targets.slice(0, 1));
    traffic.keep(targets);
    expect(requestsIn(traffic)).toEqual([4, 0]);
  });

  it('never goes back while workers come, count and end', () => {
    const step = fc.record({
      worker: fc.constantFrom('a', 'b', 'c'),
      more: fc.nat(9),
      ends: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const traffic = new Traffic();
        const living = new Map<string, number>();
        let passed = 0;
        for (const { worker, more, ends } of steps) {
          passed += more;
          living.set(worker, (living.get(worker) ?? 0) + more);
          traffic.told(worker, [counted('i-1', living.get(worker) ?? 0)]);
          if (ends) {
            traffic.fold(worker);
            living.delete(worker);
          }
          expect(requestsIn(traffic)).toEqual([passed, 0]);
        }
      }),
    );
  });
});
