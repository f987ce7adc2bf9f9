import { expect, test } from 'vitest';
import { fold } from './fold.ts';
import { paint, widthOf } from './paint.ts';

test('leaves a line that fits as it is', () => {
  expect(fold('  url   http://shop.localhost:8080/', 80)).toEqual([
    '  url   http://shop.localhost:8080/',
  ]);
});

test('folds between words, below the column', () => {
  expect(fold('  status      a sentence that is too long for it', 30)).toEqual([
    '  status      a sentence that',
    '              is too long for',
    '              it',
  ]);
});

test('folds prose below its beginning', () => {
  expect(fold('✗ a sentence that is too long for it', 20)).toEqual([
    '✗ a sentence that is',
    'too long for it',
  ]);
});

test('does not count escape codes, and keeps them', () => {
  const ink = paint(true);
  const lines = fold(`${ink.dim('name')}  ${ink.red('one')} ${ink.green('two')} three`, 14);
  expect(lines.map(widthOf)).toEqual([13, 11]);
  expect(lines.join('')).toContain(ink.green('two'));
});

test('leaves a word longer than the line in one piece', () => {
  expect(fold(`see ${'x'.repeat(30)} there`, 20)).toEqual(['see', 'x'.repeat(30), 'there']);
});
