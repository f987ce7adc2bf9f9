import { afterEach, describe, expect, it } from 'vitest';
import { manualClock } from '../../kernel/clock.ts';
import { WritePace } from './write-pace.ts';

describe('the pace of small files', () => {
  const clock = manualClock();
  let turns: string[] = [];
  let pace = begin();

  function begin(): WritePace {
    turns = [];
    const begun = new WritePace(clock, (key) => {
      turns.push(key);
      begun.admit(key);
    });
    return begun;
  }

  afterEach(() => {
    pace.close();
    pace = begin();
    expect(clock.pending()).toBe(0);
  });

  const ask = (count: number, name = 'key'): number =>
    Array.from({ length: count }, (_, index) => pace.admit(`${name} ${index}`)).filter(Boolean)
      .length;

  it('lets some be written at once', () => {
    expect(ask(200)).toBe(200);
    expect(ask(1, 'one more')).toBe(0);
  });

  it('gives those who wait their turn, in order, some at a time', async () => {
    ask(250);
    await clock.advance(100);
    expect(turns).toEqual(Array.from({ length: 20 }, (_, index) => `key ${200 + index}`));
    await clock.advance(200);
    expect(turns).toHaveLength(50);
  });

  it('lets new ones wait behind those who wait', async () => {
    ask(250);
    expect(ask(1, 'new')).toBe(0);
    await clock.advance(300);
    expect(turns.at(-1)).toBe('new 0');
  });

  it('is rested after a while, and looks at the clock no more', async () => {
    ask(200);
    await clock.advance(1_000);
    expect(clock.pending()).toBe(0);
    expect(ask(201, 'later')).toBe(200);
  });

  it('remembers only so many', async () => {
    ask(200 + 10_000 + 5);
    await clock.advance(60_000);
    expect(turns).toHaveLength(10_000);
  });

  it('has nobody wait for what is written by then', async () => {
    ask(201);
    await clock.advance(100);
    expect(turns).toEqual(['key 200']);
    await clock.advance(1_000);
    expect(turns).toHaveLength(1);
  });
});
