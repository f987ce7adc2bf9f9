import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  contentRange,
  joinRanges,
  rangeOf,
  readContentRange,
  unsatisfiedRange,
} from './byte-ranges.ts';

const part = (start: number, end: number) => ({ kind: 'part', start, end });
const WHOLE = { kind: 'whole' };
const UNSATISFIABLE = { kind: 'unsatisfiable' };

describe('a Range for a hundred bytes (RFC 9110 14.1.2, 14.2)', () => {
  it.each([
    ['bytes=0-0', part(0, 1)],
    ['bytes=0-99', part(0, 100)],
    ['bytes=10-19', part(10, 20)],
    ['bytes=90-', part(90, 100)],
    ['bytes=90-1000', part(90, 100)],
    ['bytes=-1', part(99, 100)],
    ['bytes=-100', part(0, 100)],
    ['bytes=-101', part(0, 100)],
    ['bytes=99-99999999999999999999', part(99, 100)],
    ['Bytes=1-2', part(1, 3)],
    ['bytes=,1-2 ,', part(1, 3)],
  ])('asks for a part: %s', (range, asked) => {
    expect(rangeOf(range, 100)).toEqual(asked);
  });

  it.each([
    'bytes=100-',
    'bytes=100-200',
    'bytes=-0',
    'bytes=100-,-0',
    'bytes=99999999999999999999-',
  ])('asks for nothing that is there: %s', (range) => {
    expect(rangeOf(range, 100)).toEqual(UNSATISFIABLE);
  });

  it.each([
    'bytes=',
    'bytes=,',
    'bytes',
    'bytes 0-1',
    'bytes=a-b',
    'bytes=1',
    'bytes=-',
    'bytes=2-1',
    'bytes=0-1,2-1',
    'bytes=0x1-2',
    'bytes=+1-2',
    'bytes=1 - 2',
    'bytes=1-2;',
    'bytes=0-1, bytes=2-3',
    'lines=0-1',
    '',
  ])('that is none is passed over: %j', (range) => {
    expect(rangeOf(range, 100)).toEqual(WHOLE);
  });

  it('asks for all where there is none', () => {
    expect(rangeOf(null, 100)).toEqual(WHOLE);
  });

  it.each([
    ['bytes=0-9,10-19', part(0, 20)],
    ['bytes=10-19,0-9', part(0, 20)],
    ['bytes=0-50,40-60,-50', part(0, 100)],
    ['bytes=0-9,200-', part(0, 10)],
    ['bytes=0-9,20-29', WHOLE],
  ])('of several is answered when they are one: %s', (range, asked) => {
    expect(rangeOf(range, 100)).toEqual(asked);
  });

  it('of many is passed over (17.15)', () => {
    expect(rangeOf(`bytes=${'0-,'.repeat(16)}`, 100)).toEqual(part(0, 100));
    expect(rangeOf(`bytes=${'0-,'.repeat(17)}`, 100)).toEqual(WHOLE);
    expect(rangeOf(`bytes=${','.repeat(100_000)}0-1`, 100)).toEqual(WHOLE);
  });

  it('of nothing asks for all or for what is not there', () => {
    expect(rangeOf('bytes=-5', 0)).toEqual(WHOLE);
    expect(rangeOf('bytes=0-', 0)).toEqual(UNSATISFIABLE);
  });

  it('never reaches beyond what is there', () => {
    const number = fc.oneof(fc.nat(30), fc.bigInt({ min: 0n, max: 10n ** 30n })).map(String);
    const spec = fc.tuple(fc.option(number, { nil: '' }), fc.option(number, { nil: '' }));
    fc.assert(
      fc.property(fc.array(spec, { maxLength: 6 }), fc.nat(20), (specs, size) => {
        const asked = rangeOf(`bytes=${specs.map((one) => one.join('-')).join(',')}`, size);
        if (asked.kind !== 'part') return;
        expect(asked.start).toBeGreaterThanOrEqual(0);
        expect(asked.start).toBeLessThan(asked.end);
        expect(asked.end).toBeLessThanOrEqual(size);
      }),
    );
  });
});

describe('ranges', () => {
  it('are put in order, and joined where they overlap or touch', () => {
    const ranges = [
      { start: 8, end: 9 },
      { start: 0, end: 2 },
      { start: 2, end: 4 },
      { start: 1, end: 3 },
    ];
    expect(joinRanges(ranges)).toEqual([
      { start: 0, end: 4 },
      { start: 8, end: 9 },
    ]);
  });
});

describe('a Content-Range (RFC 9110 14.4)', () => {
  it('is written for a part, and for none', () => {
    expect(contentRange({ start: 0, end: 10 }, 100)).toBe('bytes 0-9/100');
    expect(unsatisfiedRange(100)).toBe('bytes */100');
  });

  it.each([
    ['bytes 0-9/100', { start: 0, end: 10, sizeBytes: 100 }],
    ['bytes 90-99/100', { start: 90, end: 100, sizeBytes: 100 }],
    ['bytes 90-99/*', { start: 90, end: 100, sizeBytes: null }],
  ])('is read: %s', (value, range) => {
    expect(readContentRange(value)).toEqual(range);
  });

  it.each([
    'bytes 9-0/100',
    'bytes 0-100/100',
    'bytes */100',
    'bytes=0-9/100',
    'lines 0-9/100',
    '',
  ])('is none: %s', (value) => {
    expect(readContentRange(value)).toBeNull();
  });
});
