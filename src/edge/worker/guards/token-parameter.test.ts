import { expect, test } from 'vitest';
import { takeToken } from './token-parameter.ts';

test.each([
  ['/a', '/a', ''],
  ['/a?', '/a?', ''],
  ['/a?b=1&c', '/a?b=1&c', ''],
  ['/a?belay-token=x', '/a', 'x'],
  ['/a?belay-token=', '/a', ''],
  ['/a?b=1&belay-token=x&c=2', '/a?b=1&c=2', 'x'],
  ['/a?belay-token=x&b=1', '/a?b=1', 'x'],
  ['/a?&belay-token=x', '/a?', 'x'],
  ['/a?belay-token=x&belay-token=y', '/a', 'x&y'],
  ['/a?belay-token', '/a?belay-token', ''],
  ['/a?xbelay-token=x', '/a?xbelay-token=x', ''],
  ['/a?Belay-Token=x', '/a?Belay-Token=x', ''],
  ['/a?belay%2Dtoken=x', '/a?belay%2Dtoken=x', ''],
  ['/a?b=belay-token=x', '/a?b=belay-token=x', ''],
  ['/belay-token=x', '/belay-token=x', ''],
  ['/belay-token=x?b', '/belay-token=x?b', ''],
  ['/a?b?belay-token=x', '/a?b?belay-token=x', ''],
])('of %s goes on %s', (target, unsigned, token) => {
  expect(takeToken(target)).toEqual({ unsigned, token });
});
