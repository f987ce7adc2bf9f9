import { describe, expect, it } from 'vitest';
import { readResponseFields } from './response-fields.ts';
import { policyOf, targetedControl } from './targeted.ts';

const EXPIRES = 'Expires: Sun, 06 Nov 2994 08:49:37 GMT\r\n';
const policy = (lines: string) => policyOf(readResponseFields(lines));

describe('CDN-Cache-Control (RFC 9213)', () => {
  it('2.2: stands in the place of Cache-Control and Expires', () => {
    const { control, fields } = policy(
      `Cache-Control: no-store, s-maxage=1\r\n${EXPIRES}CDN-Cache-Control: max-age=60\r\n`,
    );
    expect(control).toMatchObject({ noStore: false, sharedMaxAgeS: null, maxAgeS: 60 });
    expect(fields.expires).toBeNull();
  });

  it('2.2: stands there also when it says nothing that is known', () => {
    const { control, fields } = policy(
      `Cache-Control: no-store\r\n${EXPIRES}CDN-Cache-Control: none\r\n`,
    );
    expect(control).toMatchObject({ noStore: false, maxAgeS: null });
    expect(fields.expires).toBeNull();
  });

  it.each(['', ' ', 'max-age=60,', 'public max-age=60', 'Max-Age=60', 'max-age=60; a b'])(
    '2.1, 2.2: is passed over when it is empty or malformed: %j',
    (value) => {
      const { control, fields } = policy(
        `CDN-Cache-Control: ${value}\r\nCache-Control: max-age=5\r\n${EXPIRES}`,
      );
      expect([control.maxAgeS, fields.expires]).not.toContain(null);
      expect(control.maxAgeS).toBe(5);
    },
  );

  it('2.2: is not there when it is not there', () => {
    expect(policy('Cache-Control: no-store\r\n').control.noStore).toBe(true);
    expect(policy('').control).toMatchObject({ noStore: false, maxAgeS: null });
  });

  it.each([
    ['max-age=60', { maxAgeS: 60 }],
    ['max-age=60;a=1', { maxAgeS: 60 }],
    ['max-age=5, max-age=60', { maxAgeS: 60 }],
    ['s-maxage=60', { sharedMaxAgeS: 60 }],
    ['no-store', { noStore: true }],
    ['no-store;a', { noStore: true }],
    ['no-store=?0', { noStore: false }],
    ['private', { private: true }],
    ['private="a, b"', { private: false, privateFields: ['a', 'b'] }],
    ['no-cache', { noCache: true }],
    ['no-cache="a"', { noCache: false, noCacheFields: ['a'] }],
    ['must-revalidate', { mustRevalidate: true }],
    ['stale-while-revalidate=5, stale-if-error=6', { staleWhileRevalidateS: 5, staleIfErrorS: 6 }],
  ])('2.1: has the directives of Cache-Control: %s', (value, directives) => {
    expect(targetedControl(value)).toMatchObject(directives);
  });

  it.each(['max-age="60"', 'max-age=60.5', 'max-age=-1', 'max-age', 'max-age=a', 'max-age=(60)'])(
    '2.1: takes for stale what is of another type: %s',
    (value) => {
      expect(targetedControl(value)).toMatchObject({ maxAgeS: 0 });
    },
  );

  it.each(['no-store=1', 'private=1', 'no-cache=(a)'])(
    '2.1: takes for forbidden what is of another type: %s',
    (value) => {
      const control = targetedControl(value);
      expect(control?.noStore || control?.private || control?.noCache).toBe(true);
    },
  );
});
