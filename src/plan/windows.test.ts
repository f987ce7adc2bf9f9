import { describe, expect, it, test } from 'vitest';
import { parseWindow, type Windows, windowText } from '../model/window.ts';
import { isOpen, nextOpening } from './windows.ts';

function windows(timeZone: string, ...texts: string[]): Windows {
  const ranges = texts.map((text) => {
    const range = parseWindow(text);
    if (!range) throw new Error(`not a window: ${text}`);
    return range;
  });
  return { ranges, timeZone };
}

const at = (text: string): number => Date.parse(text);
const opens = (given: Windows, now: string): string => {
  const moment = nextOpening(given, at(now));
  return moment === null ? 'never' : new Date(moment).toISOString();
};

describe('a window', () => {
  test.each([
    ['mon-thu 09:00-17:00', 'mon-thu 09:00-17:00'],
    ['daily 00:00-24:00', 'daily 00:00-24:00'],
    ['fri 22:00-02:00', 'fri 22:00-02:00'],
    ['sat-mon,wed 08:00-09:30', 'mon,wed,sat-sun 08:00-09:30'],
  ])('%s is read, and written as %s', (text, written) => {
    const range = parseWindow(text);
    expect(range && windowText(range)).toBe(written);
  });

  test.each([
    'mon 9-17',
    'monday 09:00-17:00',
    'mon 09:00-09:00',
    'mon 24:00-25:00',
    'mon 09:60-10:00',
    'mon-wed-fri 09:00-10:00',
    '',
  ])('%s is none', (text) => expect(parseWindow(text)).toBeNull());
});

describe('no window at all', () => {
  it('is always open', () => {
    expect(isOpen(windows('UTC'), at('2026-11-21T03:00:00Z'))).toBe(true);
  });
});

describe('office hours in Berlin', () => {
  const office = windows('Europe/Berlin', 'mon-thu 09:00-17:00');

  test.each([
    ['2026-11-23T07:59:59Z', false],
    ['2026-11-23T08:00:00Z', true],
    ['2026-11-23T15:59:59Z', true],
    ['2026-11-23T16:00:00Z', false],
    // A Friday.
    ['2026-11-27T10:00:00Z', false],
  ])('at %s are open: %s', (moment, open) => expect(isOpen(office, at(moment))).toBe(open));

  it('open next on Monday after a weekend', () => {
    expect(opens(office, '2026-11-20T12:34:56Z')).toBe('2026-11-23T08:00:00.000Z');
  });

  it('open an hour earlier by UTC once the clocks have gone forward', () => {
    expect(opens(office, '2026-03-27T12:00:00Z')).toBe('2026-03-30T07:00:00.000Z');
  });
});

describe('a window over midnight', () => {
  const night = windows('UTC', 'fri 22:00-02:00');

  test.each([
    ['2026-11-20T21:59:00Z', false],
    ['2026-11-20T23:00:00Z', true],
    ['2026-11-21T01:59:00Z', true],
    ['2026-11-21T02:00:00Z', false],
    ['2026-11-20T01:00:00Z', false],
  ])('at %s is open: %s', (moment, open) => expect(isOpen(night, at(moment))).toBe(open));
});

describe('on the day on which clocks change', () => {
  const early = windows('Europe/Berlin', 'sun 02:30-04:00');

  it('opens when the hour that is left out is over', () => {
    expect(opens(early, '2026-03-29T00:00:00Z')).toBe('2026-03-29T01:00:00.000Z');
    expect(isOpen(early, at('2026-03-29T01:59:00Z'))).toBe(true);
    expect(isOpen(early, at('2026-03-29T02:00:00Z'))).toBe(false);
  });

  it('opens in both of the hours that come twice', () => {
    const twice = windows('Europe/Berlin', 'sun 02:30-02:45');
    expect(isOpen(twice, at('2026-10-25T00:35:00Z'))).toBe(true);
    expect(isOpen(twice, at('2026-10-25T01:00:00Z'))).toBe(false);
    expect(isOpen(twice, at('2026-10-25T01:35:00Z'))).toBe(true);
    expect(opens(twice, '2026-10-25T00:50:00Z')).toBe('2026-10-25T01:30:00.000Z');
  });

  it('knows places that change by half an hour', () => {
    const lordHowe = windows('Australia/Lord_Howe', 'sun 02:10-03:00');
    expect(opens(lordHowe, '2026-10-03T15:00:00Z')).toBe('2026-10-03T15:30:00.000Z');
  });
});
