import { describe, expect, it } from 'vitest';
import { manualClock, systemClock } from './clock.ts';

describe('a clock driven by hand', () => {
  it('stands still until it is moved', async () => {
    const clock = manualClock(1_000);
    let fired = 0;
    clock.after(10, () => {
      fired += 1;
    });
    await clock.advance(9);
    expect([clock.now(), clock.monotonic(), fired]).toEqual([1_009, 9, 0]);
    await clock.advance(1);
    expect([clock.now(), clock.monotonic(), fired]).toEqual([1_010, 10, 1]);
  });

  it('fires timers in the order of their times, then of their setting', async () => {
    const clock = manualClock();
    const fired: string[] = [];
    clock.after(20, () => fired.push('late'));
    clock.after(10, () => fired.push('first of two'));
    clock.after(10, () => fired.push('second of two'));
    await clock.advance(30);
    expect(fired).toEqual(['first of two', 'second of two', 'late']);
  });

  it('shows each timer the time it was set for', async () => {
    const clock = manualClock(0);
    const times: number[] = [];
    clock.after(10, () => {
      times.push(clock.now());
      clock.after(5, () => times.push(clock.now()));
    });
    await clock.advance(100);
    expect(times).toEqual([10, 15]);
  });

  it('repeats until cancelled', async () => {
    const clock = manualClock();
    let ticks = 0;
    const timer = clock.every(10, () => {
      ticks += 1;
    });
    await clock.advance(35);
    timer.cancel();
    await clock.advance(100);
    expect(ticks).toBe(3);
    expect(clock.pending()).toBe(0);
  });

  it('keeps durations when the wall clock is set', async () => {
    const clock = manualClock(1_000_000);
    let fired = false;
    clock.after(50, () => {
      fired = true;
    });
    clock.setWallClock(0);
    expect([clock.now(), clock.monotonic()]).toEqual([0, 0]);
    await clock.advance(50);
    expect(fired).toBe(true);
    expect([clock.now(), clock.monotonic()]).toEqual([50, 50]);
  });

  it('lets promises settle between two timers', async () => {
    const clock = manualClock();
    const order: string[] = [];
    clock.after(1, () => void Promise.resolve().then(() => order.push('promise')));
    clock.after(2, () => order.push('timer'));
    await clock.advance(2);
    expect(order).toEqual(['promise', 'timer']);
  });
});

describe('sleep', () => {
  it('ends when its time has passed', async () => {
    const clock = manualClock();
    const slept = clock.sleep(10);
    await clock.advance(10);
    expect(await slept).toBe('elapsed');
  });

  it('ends early at a signal, and leaves no timer behind', async () => {
    const clock = manualClock();
    const stop = new AbortController();
    const slept = clock.sleep(10, stop.signal);
    stop.abort();
    expect(await slept).toBe('aborted');
    expect(clock.pending()).toBe(0);
  });

  it('does not begin when the signal has come already', async () => {
    const clock = manualClock();
    expect(await clock.sleep(10, AbortSignal.abort())).toBe('aborted');
    expect(clock.pending()).toBe(0);
  });

  it('works on the machine’s own clock', async () => {
    const before = systemClock.monotonic();
    expect(await systemClock.sleep(2)).toBe('elapsed');
    expect(systemClock.monotonic()).toBeGreaterThan(before);
  });
});
