import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Fault } from '../kernel/fault.ts';
import { parseCommandLine } from './command.ts';
import { formatDuration, parseDuration } from './duration.ts';
import { locateKey } from './locate.ts';
import { editDistance, nearest } from './nearest.ts';
import { formatSize, parseSize } from './size.ts';

function messageOf(run: () => unknown): string {
  try {
    return `gave ${JSON.stringify(run())}`;
  } catch (thrown) {
    // Anything but a fault has no hint, and the assertion shows it.
    const { message, hint } = thrown as Fault;
    return `${message} | ${hint}`;
  }
}

describe('a duration', () => {
  it.each([
    ['300ms', 300],
    ['5s', 5_000],
    ['1.5s', 1_500],
    ['2m', 120_000],
    ['1h', 3_600_000],
    ['1d', 86_400_000],
    ['0s', 0],
  ])('%s is %d ms', (text, durationMs) => {
    expect(parseDuration(text)).toBe(durationMs);
  });

  it.each([[5], ['5'], ['s'], ['-5s'], ['5 s'], ['5S'], ['8d'], [null], [true], ['']])(
    '%j is refused',
    (value) => {
      expect(() => parseDuration(value)).toThrow(expect.objectContaining({ code: 'bad-duration' }));
    },
  );

  it('is read back as it is shown', () => {
    fc.assert(
      fc.property(fc.nat(7 * 86_400_000), (durationMs) => {
        expect(parseDuration(formatDuration(durationMs))).toBe(durationMs);
      }),
    );
  });
});

describe('a size', () => {
  it('has a unit, in powers of 1024', () => {
    expect(parseSize('64mb')).toBe(67_108_864);
    expect(parseSize('1.5GB')).toBe(1.5 * 1024 ** 3);
    expect(formatSize(67_108_864)).toBe('64mb');
    expect(messageOf(() => parseSize(256))).toMatch(/bare number 256.*\| write '256mb'/);
    expect(messageOf(() => parseSize('1mb', 16 * 1024 ** 2))).toMatch(/16mb/);
    expect(messageOf(() => parseSize('lots'))).toMatch(/not a size/);
  });
});

describe('a command line', () => {
  it.each([
    ['node server.js', ['node', 'server.js']],
    ['  node\tserver.js  ', ['node', 'server.js']],
    ['node server.js --x "a b" $PORT', ['node', 'server.js', '--x', 'a b', '$PORT']],
    ["sh -c 'exit; now'", ['sh', '-c', 'exit; now']],
    ['a"b"\'c\'d', ['abcd']],
    ['a "" \'\'', ['a', '', '']],
    ['a\\ b', ['a b']],
    ['a "q\\"q" "x\\y"', ['a', 'q"q', 'x\\y']],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: what a user writes
    ['a --listen=${HOST}:$PORT', ['a', '--listen=${HOST}:$PORT']],
    ['a 5$', ['a', '5$']],
    ['a NAME=x', ['a', 'NAME=x']],
    ['"NAME=x" a', ['NAME=x', 'a']],
  ])('%s', (line, command) => {
    expect(parseCommandLine(line)).toEqual({ variables: {}, command });
  });

  it('takes leading assignments as variables', () => {
    expect(parseCommandLine('NODE_ENV=production GREETING="good day" node x')).toEqual({
      variables: { NODE_ENV: 'production', GREETING: 'good day' },
      command: ['node', 'x'],
    });
  });

  it.each([
    ['a && b', /uses '&&'/],
    ['a || b', /uses '\|\|'/],
    ['a | b', /uses '\|'/],
    ['a; b', /uses ';'/],
    ['a > f', /uses '>'/],
    ['a < f', /uses '<'/],
    ['a &', /uses '&'/],
    ['(a)', /uses '\('/],
    ['a `b`', /uses '`'/],
    ['a $(b)', /uses '\$\('/],
    ['a "$(b)"', /uses '\$\('/],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: what a user writes
    ['a ${B:-c}', /uses '\$\{'/],
    ["a '$HOME'", /quotes '\$HOME'/],
    ['a \\$HOME', /quotes '\$HOME'/],
    ['a\nb', /more than one line/],
    ['a "b', /never closed/],
    ["a 'b", /never closed/],
    ['a \\', /ends with a backslash/],
    ['X=$Y a', /uses a variable/],
    ['X=1', /names no program/],
    ['', /names no program/],
  ])('%s is refused, with a way out', (line, message) => {
    const said = messageOf(() => parseCommandLine(line));
    expect(said).toMatch(message);
    expect(said).not.toMatch(/undefined/);
  });

  it('never hangs and never throws anything but a fault, whatever it is given', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'ab \'"\\$`&|;=(){}\n') }), (line) => {
        expect(messageOf(() => parseCommandLine(line))).not.toMatch(/undefined/);
      }),
    );
  });
});

describe('the nearest key', () => {
  it.each([
    ['strat', 'start'],
    ['stop_grace', 'stopGrace'],
    ['Health', 'health'],
    ['colour', undefined],
    ['enviroment', undefined],
  ])('to %s is %s', (word, expected) => {
    expect(nearest(word, ['start', 'stopGrace', 'health', 'env', 'cpu'])).toBe(expected);
  });

  it('is a distance: symmetric, and zero only for the same', () => {
    const words = fc.string({ maxLength: 8, unit: fc.constantFrom('a', 'b', 'c') });
    fc.assert(
      fc.property(words, words, (a, b) => {
        expect(editDistance(a, b)).toBe(editDistance(b, a));
        expect(editDistance(a, b) === 0).toBe(a === b);
        expect(editDistance(a, b)).toBeLessThanOrEqual(Math.max(a.length, b.length));
      }),
    );
  });
});

describe('the line of a key', () => {
  const source = [
    "import { app, rolling } from 'belay'; // web: { start: 1 }", // 1
    'const capacity = {', // 2
    '  max: 2,', // 3
    '};', // 4
    'export default app("x", {', // 5
    '  web: {', // 6
    "    'start': `node { a: 1`,", // 7
    '    health: { path: "/a,b:{", /* timeout: 1 */ interval: fast ? "1s" : "5s", timeout: "9s" },', // 8
    '    capacity,', // 9
    '  },', // 10
    '  edge: { domains: ["a", "B"] },', // 11
    '  deploy: rolling({', // 12
    '    batch: 0,', // 13
    '  }),', // 14
    '  environments: {', // 15
    '    staging: { web: { start: "y", cpu: 1 } },', // 16
    '  },', // 17
    '});', // 18
  ].join('\n');

  it.each([
    ['web.start', 7],
    ['web.health', 8],
    ['web.health.timeout', 8],
    ['web.capacity.max', 3],
    ['web.cpu', 6],
    ['web.capacity.min', 6],
    ['edge.domains', 11],
    ['deploy.batch', 13],
    ['environments.staging.web.start', 16],
    ['environments.staging.web.cpu', 16],
    ['environments.staging.deploy', 16],
    ['name', 5],
    ['', 5],
  ])('%s is line %d', (keyPath, line) => {
    expect(locateKey(source, keyPath)).toBe(line);
  });
});
