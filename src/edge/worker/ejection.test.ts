import { describe, expect, it } from 'vitest';
import { Conduct, findOutlier, mostLeftOut, timesLeftOut } from './ejection.ts';

const settings = { consecutiveErrors: 5 };

/** A conduct after so many well answers, then so many errors. */
function conductOf(well: number, errors = 0): Conduct {
  const conduct = new Conduct();
  for (let i = 0; i < well; i += 1) conduct.note(true);
  for (let i = 0; i < errors; i += 1) conduct.note(false);
  return conduct;
}

/** One of whose answers every nth is an error, the last one is not. */
function everyNth(answers: number, nth: number): Conduct {
  const conduct = new Conduct();
  for (let i = 0; i < answers; i += 1) conduct.note(i % nth !== 0);
  return conduct;
}

describe('a run of errors', () => {
  const well = conductOf(100);

  it('makes an outlier at the configured length, among peers that are well', () => {
    expect(findOutlier([well, conductOf(100, 4), well], settings, false)).toBeNull();
    expect(findOutlier([well, conductOf(100, 5), well], settings, false)).toEqual({
      index: 1,
      reason: '5 errors in a row',
    });
  });

  it('is broken by any answer that is well', () => {
    const conduct = conductOf(0, 4);
    conduct.note(true);
    for (let i = 0; i < 4; i += 1) conduct.note(false);
    expect(findOutlier([well, conduct], settings, false)).toBeNull();
  });

  it('makes an outlier of a target whose peers have not answered anything yet', () => {
    expect(findOutlier([conductOf(0), conductOf(0, 5)], settings, false)).toMatchObject({
      index: 1,
    });
  });

  it('is nothing when the peers fail too, however long it gets', () => {
    for (const run of [5, 50, 5_000]) {
      const taking = [
        conductOf(1_000, run),
        conductOf(1_000, run),
        conductOf(1_000, run),
        conductOf(1_000, run),
      ];
      expect(findOutlier(taking, settings, true)).toBeNull();
    }
  });

  it('must be longer, the more the peers fail', () => {
    const shortest = (peer: Conduct) => {
      let run = 1;
      while (!findOutlier([peer, conductOf(0, run)], settings, false)) run += 1;
      return run;
    };
    expect(shortest(everyNth(1_000, 1_000))).toBe(5);
    expect(shortest(everyNth(1_000, 20))).toBeGreaterThan(5);
    expect(shortest(everyNth(1_000, 3))).toBeGreaterThanOrEqual(15);
    expect(shortest(everyNth(1_000, 2))).toBeGreaterThanOrEqual(25);
  });

  it('shows more than one bad target among good ones, the worst first', () => {
    const taking = [well, conductOf(0, 40), well, conductOf(0, 41), well];
    expect(findOutlier(taking, settings, false)).toMatchObject({ index: 3 });
    expect(findOutlier(taking.toSpliced(3, 1), settings, false)).toMatchObject({ index: 1 });
  });

  it('says nothing of a target without peers', () => {
    expect(findOutlier([conductOf(0, 100)], settings, true)).toBeNull();
  });
});

describe('a share of errors', () => {
  it('makes an outlier far above the peers, at the end of a window', () => {
    const taking = [everyNth(200, 100), everyNth(200, 3), everyNth(200, 100)];
    expect(findOutlier(taking, settings, false)).toBeNull();
    expect(findOutlier(taking, settings, true)).toEqual({
      index: 1,
      reason: '34% of 200 requests failed, 1% at its peers',
    });
  });

  it('works between two', () => {
    expect(findOutlier([everyNth(200, 2), conductOf(200)], settings, true)).toMatchObject({
      index: 0,
    });
  });

  it('needs fifty answers, of the target and of a peer', () => {
    expect(findOutlier([everyNth(49, 2), conductOf(200)], settings, true)).toBeNull();
    expect(findOutlier([everyNth(200, 2), conductOf(49)], settings, true)).toBeNull();
    expect(findOutlier([everyNth(50, 2), conductOf(50)], settings, true)).not.toBeNull();
  });

  it('does not make an outlier of one that is only a little above', () => {
    expect(
      findOutlier([everyNth(200, 12), conductOf(200), conductOf(200)], settings, true),
    ).toBeNull();
    const alike = [everyNth(200, 2), everyNth(200, 3), everyNth(200, 2), everyNth(200, 4)];
    expect(findOutlier(alike, settings, true)).toBeNull();
  });

  it('does not spare one because another is as bad', () => {
    const taking = [
      ...[everyNth(200, 2), everyNth(200, 2)],
      ...Array.from({ length: 8 }, () => conductOf(200)),
    ];
    expect(findOutlier(taking, settings, true)).toMatchObject({ index: 0 });
  });

  it('counts only what was answered within the window', () => {
    const conduct = everyNth(200, 2);
    conduct.beginWindow();
    for (let i = 0; i < 60; i += 1) conduct.note(true);
    expect(findOutlier([conduct, conductOf(200)], settings, true)).toBeNull();
  });
});

describe('a fault that all targets share', () => {
  /** Numbers from 0 to 1 that are the same every time. */
  function randomFrom(seed: number): () => number {
    let state = seed;
    return () => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return state / 2 ** 32;
    };
  }

  /** How many outliers are found in ten windows, with 100 answers a second of each target. */
  function outliers(count: number, errorShare: (target: number) => number, seed: number): number {
    const random = randomFrom(seed);
    const taking = Array.from({ length: count }, () => conductOf(1_000));
    let found = 0;
    for (let window = 0; window < 10; window += 1) {
      for (const conduct of taking) conduct.beginWindow();
      for (let i = 1; i <= 1_000 * count; i += 1) {
        const target = Math.floor(random() * count);
        taking[target]?.note(random() >= errorShare(target));
        if (findOutlier(taking, settings, i === 1_000 * count)) found += 1;
      }
    }
    return found;
  }

  it.each([0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 1])('at %f ejects nobody, of two or of six', (share) => {
    expect(outliers(2, () => share, 1)).toBe(0);
    expect(outliers(6, () => share, 2)).toBe(0);
  });

  it('does not hide a target that is worse than the rest', () => {
    expect(outliers(4, (target) => (target === 2 ? 1 : 0.2), 3)).toBeGreaterThan(0);
    expect(outliers(4, (target) => (target === 2 ? 0.6 : 0.2), 4)).toBeGreaterThan(0);
  });
});

describe('how many may be left out', () => {
  it.each([
    [1, 50, 0],
    [2, 50, 1],
    [3, 50, 1],
    [4, 50, 2],
    [10, 10, 1],
    [5, 10, 1],
    [4, 100, 3],
    [2, 1, 1],
    [1, 100, 0],
  ])('of %i at %i%% is %i', (members, maxPercent, most) => {
    expect(mostLeftOut(members, { maxPercent })).toBe(most);
  });
});

describe('the times a target was left out', () => {
  it.each([
    [0, 0, 1],
    [1, 0, 2],
    [9, 0, 10],
    [10, 29_999, 10],
    [3, 30_000, 3],
    [3, 90_000, 1],
    [3, 1e9, 1],
  ])('%i before, and %i ms of good conduct, make %i', (before, behavedMs, times) => {
    expect(timesLeftOut(before, behavedMs, { timeMs: 30_000 })).toBe(times);
  });
});
