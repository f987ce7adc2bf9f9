import { expect, it } from 'vitest';
import { type SizeName, sizes } from '../model/size.ts';
import { overcommitment } from './overcommitment.ts';

const MB = 1_048_576;
const machine = { cores: 2, memoryBytes: 4_096 * MB };

const concerns = (desired: number, max: number, size: SizeName, warm = 0) =>
  overcommitment({ desired, max, warm, size, limits: sizes[size] }, machine);

it('has nothing against what the machine has', () => {
  expect(concerns(4, 8, 'small')).toEqual([]);
});

it('refuses memory that is not there, with numbers and a size that fits', () => {
  expect(concerns(3, 3, 'large')[0]).toEqual({
    code: 'memory-overcommitted',
    grave: true,
    what: '3 instances of 2048 MB need 6144 MB of memory, and the machine has 4096 MB',
    instead: 'run 2 at most, or instances of size medium',
  });
});

it('warns of memory that is not there when there are as many as may be', () => {
  expect(concerns(1, 3, 'large')).toEqual([
    {
      code: 'memory-overcommitted',
      grave: false,
      what: '3 instances of 2048 MB, as max allows, would need 6144 MB of memory, and the machine has 4096 MB',
      instead: 'set max to 2 at most, or instances of size medium',
    },
  ]);
});

it('warns of processors that are promised more than once, with the ratio', () => {
  expect(concerns(3, 3, 'medium')).toEqual([
    {
      code: 'cpu-overcommitted',
      grave: false,
      what: '3 instances of 1 core may take 3 cores, 1.5 times the 2 there are',
      instead: 'count on less than that of each while all are busy',
    },
  ]);
});

it('says nothing of what has no limit', () => {
  const limits = { memoryBytes: null, cpu: null };
  expect(overcommitment({ desired: 100, max: 100, warm: 0, size: null, limits }, machine)).toEqual(
    [],
  );
});

it('names no number of instances where not one fits', () => {
  const small = { cores: 2, memoryBytes: 1_024 * MB };
  const [concern] = overcommitment(
    { desired: 1, max: 1, warm: 0, size: 'xlarge', limits: sizes.xlarge },
    small,
  );
  expect(concern?.instead).toBe('run fewer, or instances of size medium');
});

it('counts what is kept warm', () => {
  expect(concerns(2, 2, 'medium', 2)).toEqual([]);
  expect(concerns(2, 3, 'medium', 3)[0]).toMatchObject({
    grave: true,
    what: '5 instances (3 of them warm) of 1024 MB need 5120 MB of memory, and the machine has 4096 MB',
    instead: expect.stringMatching(/^run 1 at most/),
  });
});
