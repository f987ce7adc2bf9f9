import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { liveLine } from './live-line.ts';
import { output } from './output.ts';

const CLEAR = '\r\u001b[2K';

function liveOn(isTTY: boolean) {
  const stream = Object.assign(new PassThrough({ encoding: 'utf8' }), { isTTY, columns: 20 });
  return { live: liveLine(output(stream, {})), written: () => stream.read() as string | null };
}

test('keeps what is printed above what changes', () => {
  const { live, written } = liveOn(true);
  live.show('one');
  live.print('done');
  live.show('two');
  live.clear();
  live.clear();
  expect(written()).toBe(`one${CLEAR}done\none${CLEAR}two${CLEAR}`);
});

test('does not show a line that would wrap, because it could not be taken back', () => {
  const { live, written } = liveOn(true);
  live.show('x'.repeat(20));
  expect(written()).toBeNull();
});

test('writes only the lines that stay off a terminal', () => {
  const { live, written } = liveOn(false);
  live.show('one');
  live.print('done');
  live.clear();
  expect(written()).toBe('done\n');
});
