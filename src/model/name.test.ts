import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_NAME_LENGTH, nameProblem, parseName, suggestName } from './name.ts';

describe('a name', () => {
  it.each(['a', 'my-clothes', 'v2', 'a-1-b', 'x'.repeat(MAX_NAME_LENGTH)])('may be %s', (name) => {
    expect(nameProblem(name)).toBeNull();
  });

  it.each([
    ...['', 'My-clothes', 'my_clothes', 'my clothes', '1st', '-a', 'a-', 'a--b', 'é', 'a.b', 'a\n'],
    'x'.repeat(MAX_NAME_LENGTH + 1),
  ])('may not be %j', (name) => {
    expect(nameProblem(name)).not.toBeNull();
  });

  it('that is refused says which one would do', () => {
    expect(() => parseName('application', 'MyClothes Shop')).toThrow(
      expect.objectContaining({
        code: 'bad-name',
        subject: 'MyClothes Shop',
        hint: "'my-clothes-shop' would do",
      }),
    );
  });

  it('that is suggested is a good one, or there is none', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 80 }), (name) => {
        const suggestion = suggestName(name);
        expect(suggestion === '' ? null : nameProblem(suggestion)).toBeNull();
      }),
    );
  });

  it('that is good is suggested as it is', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z][a-z0-9]{0,8}(-[a-z0-9]{1,8}){0,3}$/), (name) => {
        expect(suggestName(name)).toBe(name);
      }),
    );
  });
});
