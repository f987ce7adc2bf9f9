import { describe, expect, it } from 'vitest';
import { homeFrom } from './home.ts';

describe('the home', () => {
  it.each([
    [{ BELAY_HOME: '/b', XDG_STATE_HOME: '/x', HOME: '/h' }, '/b'],
    [{ XDG_STATE_HOME: '/x', HOME: '/h' }, '/x/belay'],
    [{ BELAY_HOME: '', XDG_STATE_HOME: '', HOME: '/h' }, '/h/.local/state/belay'],
  ])('of %j is %s', (environment, root) => {
    const home = homeFrom(environment);
    expect(home.root).toBe(root);
    expect(home.socket).toBe(`${root}/belay.sock`);
  });

  it('is absolute even when it is given as relative', () => {
    expect(homeFrom({ BELAY_HOME: 'here' }).root).toBe(`${process.cwd()}/here`);
  });

  it('has to be somewhere', () => {
    expect(() => homeFrom({})).toThrow(expect.objectContaining({ code: 'no-home' }));
  });

  it('leaves room for the longest socket path below it, to the byte', () => {
    const longest = `/${'x'.repeat(79)}`;
    expect(homeFrom({ BELAY_HOME: longest }).root).toBe(longest);
    expect(() => homeFrom({ BELAY_HOME: `${longest}x` })).toThrow(
      expect.objectContaining({ code: 'home-too-long', subject: `${longest}x` }),
    );
    // What counts is bytes, not characters.
    expect(() => homeFrom({ BELAY_HOME: `/${'é'.repeat(40)}` })).toThrow(
      expect.objectContaining({ code: 'home-too-long' }),
    );
  });
});
