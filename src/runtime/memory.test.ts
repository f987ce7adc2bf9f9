import { describe, expect, it } from 'vitest';
import { type Clock, manualClock } from '../kernel/clock.ts';
import type { SlotSpec } from './driver.ts';
import { createMemoryRuntime } from './memory.ts';

const specOf = (number: number): SlotSpec => ({
  id: `i-${number}`,
  application: 'clothes',
  environment: 'production',
  release: 1,
  zone: 'a',
  directory: '/',
  bootstrap: null,
  command: ['serve'],
  variables: {},
  limits: { memoryBytes: null, cpu: null },
});
const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

/** A clock that counts what is asked of it. */
function countingClock() {
  const clock = manualClock();
  let asked = 0;
  const counted = <Args extends unknown[], Result>(call: (...args: Args) => Result) => {
    return (...args: Args): Result => {
      asked += 1;
      return call(...args);
    };
  };
  const counting: Clock = {
    now: counted(clock.now),
    monotonic: counted(clock.monotonic),
    after: counted(clock.after),
    every: counted(clock.every),
    sleep: counted(clock.sleep),
  };
  return { clock, counting, asked: () => asked };
}

/** What a fleet of so many asks of the clock, its behaviour and its watchers in a whole life. */
async function lifeOf(count: number) {
  const { clock, counting, asked } = countingClock();
  let behaved = 0;
  let told = 0;
  const behaviour = () => {
    behaved += 1;
    return { bootMs: 300, stopMs: 50 };
  };
  const runtime = createMemoryRuntime({ clock: counting, behaviour });
  runtime.watch(() => {
    told += 1;
  });
  for (const number of numbers(count)) await runtime.ensure(specOf(number));
  const timers = clock.pending();
  await clock.advance(300);
  const slots = await runtime.list();
  expect(slots.filter((slot) => slot.listening)).toHaveLength(count);
  const removed = Promise.all(slots.map(({ id }) => runtime.remove(id, 1_000)));
  await clock.advance(50);
  await removed;
  expect(await runtime.list()).toEqual([]);
  return { asked: asked(), behaved, told, timers };
}

describe('a fleet that exists only as data', () => {
  it('asks ten times as much for ten times the slots, and no more', async () => {
    const small = await lifeOf(1_000);
    const large = await lifeOf(10_000);
    for (const what of ['asked', 'behaved', 'told'] as const) {
      expect(large[what], what).toBeLessThanOrEqual(small[what] * 10);
    }
    expect(large.behaved).toBe(10_000);
  });

  it('sets one timer for all that fall due at once', async () => {
    expect((await lifeOf(10_000)).timers).toBe(1);
  });

  it('gives out each slot as it is, without a copy, until it changes', async () => {
    const clock = manualClock();
    const runtime = createMemoryRuntime({ clock });
    for (const number of numbers(10_000)) await runtime.ensure(specOf(number));
    const before = await runtime.list();
    runtime.kill('i-42');
    const after = await runtime.list();
    const changed = after.filter((slot, index) => slot !== before[index]);
    expect(changed.map(({ id }) => id)).toEqual(['i-42']);
  });

  it('ensures what is there without starting or telling anything', async () => {
    let told = 0;
    const runtime = createMemoryRuntime({ clock: manualClock() });
    for (const number of numbers(1_000)) await runtime.ensure(specOf(number));
    runtime.watch(() => {
      told += 1;
    });
    for (const number of numbers(1_000)) await runtime.ensure(specOf(number));
    expect(told).toBe(0);
    expect(await runtime.list()).toHaveLength(1_000);
  });
});
