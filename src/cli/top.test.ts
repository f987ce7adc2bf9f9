import { stripVTControlCharacters } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Fault } from '../kernel/fault.ts';
import { histogram } from '../kernel/histogram.ts';
import { emptyRow, type LedgerRow, noOutcomes } from '../model/ledger.ts';
import type { TrafficReading } from '../model/view.ts';
import { cutTo, paint, widthOf } from './paint.ts';
import { type ScriptedDaemon, scriptedDaemon } from './scripted-daemon.ts';
import { belay } from './scripted-terminal.ts';
import { environmentOf, instanceOf, NOW, targetOf, trafficOf } from './scripted-views.ts';
import { noHistory, remember } from './top-history.ts';
import { type Rates, ratesBetween } from './top-rates.ts';
import { type Frame, renderTop } from './top-screen.ts';

function latency(...us: number[]) {
  const counted = histogram();
  for (const each of us) counted.record(each);
  return counted.toSparse();
}

const rowOf = (fields: Partial<LedgerRow>): LedgerRow => ({
  ...emptyRow('shop/production'),
  pool: 'shop/production#4',
  release: 4,
  ...fields,
});

/** A reading so many seconds after the first, each second with as much more as the one before. */
function readingAfter(seconds: number, fields: Partial<TrafficReading> = {}): TrafficReading {
  const us = Array.from({ length: 100 * seconds }, (_, index) => 1_000 + (index % 100) * 100);
  const outcomes = { ...noOutcomes(), ok: 300 * seconds, lost: 2 * seconds, shed: seconds };
  const answers = { 'ok 2xx': 300 * seconds, 'lost 5xx': 2 * seconds };
  const row = rowOf({ outcomes, answers, latency: latency(...us) });
  return trafficOf({
    at: NOW + seconds * 1_000,
    ledger: { at: 0, rows: [row], unaccounted: 0, inFlight: 5, tunnels: 0 },
    targets: [
      targetOf('i-0000000a', { requests: 200 * seconds, latency: latency(...us), inFlight: 4 }),
      targetOf('i-0000000b', {
        requests: 100 * seconds,
        appErrors: 3 * seconds,
        failures: seconds,
        inFlight: 1,
      }),
    ],
    ...fields,
  });
}

describe('rates', () => {
  test('are what was added, by the second', () => {
    const { windowMs, environments } = ratesBetween(readingAfter(2), readingAfter(4));
    expect(windowMs).toBe(2_000);
    expect(environments[0]).toMatchObject({
      requestsPerSecond: 303,
      errorsPerSecond: 2,
      lost: 4,
      shed: 2,
      inFlight: 5,
      p50Ms: expect.closeTo(5.9, 0),
      p99Ms: expect.closeTo(10.8, 0),
    });
    const byId = new Map(environments[0]?.instances.map((each) => [each.id, each]));
    expect(byId.get('i-0000000a')).toMatchObject({ requestsPerSecond: 200, errorsPerSecond: 0 });
    expect(byId.get('i-0000000b')).toMatchObject({
      requestsPerSecond: 100,
      errorsPerSecond: 4,
      p50Ms: null,
    });
  });

  test('are none where counters went back, because a worker died', () => {
    const [environment] = ratesBetween(readingAfter(4), readingAfter(1)).environments;
    expect(environment).toMatchObject({ requestsPerSecond: 0, errorsPerSecond: 0, lost: 0 });
    expect(environment?.instances.map((each) => each.requestsPerSecond)).toEqual([0, 0]);
    expect(environment?.p50Ms).toBeNull();
  });

  test('begin at nothing for an instance that is new', () => {
    const before = readingAfter(1, { targets: [] });
    const [environment] = ratesBetween(before, readingAfter(2)).environments;
    expect(environment?.instances.map((each) => each.requestsPerSecond)).toEqual([200, 400]);
  });

  test('keep the targets of one environment from those of another', () => {
    const environments = [
      environmentOf(),
      environmentOf({ environment: 'staging', instances: [] }),
    ];
    const rates = ratesBetween(readingAfter(1), readingAfter(2, { environments }));
    expect(rates.environments.map(({ inFlight }) => inFlight)).toEqual([5, 0]);
  });

  test('tell of an address that Belay did not start', () => {
    const environments = [environmentOf({ instances: [] })];
    const targets = [targetOf('fixed', { requests: 50 })];
    const rates = ratesBetween(trafficOf({ targets: [] }), {
      ...trafficOf({ environments, targets }),
      at: NOW + 1_000,
    });
    expect(rates.environments[0]?.instances).toMatchObject([
      { id: 'fixed', release: 4, requestsPerSecond: 50, state: 'in-service' },
    ]);
  });
});

describe('the screen', () => {
  const instances = [
    instanceOf({ ejection: '5 errors in a row' }),
    instanceOf({ id: 'i-0000000b', zone: 'b', cpuPercent: null, rssBytes: null }),
    instanceOf({ id: 'i-0000000c', zone: 'b', state: 'draining', release: 3, version: 'v2' }),
    instanceOf({ id: 'i-0000000d', zone: 'a', health: 'unhealthy' }),
  ];
  const unwell = { health: 'degraded', cause: '1 instance of 4 is unhealthy' } as const;
  const environments = [
    environmentOf({ instances, ...unwell }),
    environmentOf({ environment: 'staging', instances: [] }),
  ];

  /** As after some seconds, each with its own number of requests. */
  function frameOf(fields: Partial<Frame> = {}): Frame {
    let history = noHistory(NOW);
    let rates: Rates | null = null;
    const atSecond = (second: number) => readingAfter(second ** 2, { environments });
    for (let second = 1; second <= 6; second += 1) {
      rates = ratesBetween(atSecond(second - 1), {
        ...atSecond(second),
        at: atSecond(second - 1).at + 1_000,
      });
      history = remember(history, rates);
    }
    if (!rates) throw new Error('no rates');
    const size = { columns: 130, rows: 24 };
    return { rates, history, notice: '', ...size, paint: paint(false), ...fields };
  }

  test('says how many connections were turned away since it was opened, where any were', () => {
    const title = (turnedAway: number) => {
      const frame = frameOf();
      return renderTop({ ...frame, history: { ...frame.history, turnedAway } })[0];
    };
    expect(title(0)).not.toContain('turned away');
    expect(title(1_200)).toContain('snapshot 12, 1,200 connections turned away');
    const earlier = readingAfter(1);
    const ledger = { ...earlier.ledger, turnedAway: 5 };
    expect(ratesBetween(earlier, { ...earlier, ledger }).turnedAway).toBe(5);
    expect(ratesBetween({ ...earlier, ledger }, earlier).turnedAway).toBe(0);
  });

  test('shows what passes through every environment and instance', () => {
    expect(`${renderTop(frameOf()).join('\n')}\n`).toMatchInlineSnapshot(`
      "belay top  12:00:26Z  1 edge worker, snapshot 12                                                                           q quits

      shop/production ● degraded  3,333 req/s  p50 5.9 ms  p99 10.8 ms  22 5xx/s  72 lost  36 shed  5 in flight  1 instance of 4 is unhe
        INSTANCE    ZONE  RELEASE  STATE      REQ/S                        IN FLIGHT     P50      P99  5XX/S    CPU   MEMORY
        i-0000000a  a     v3       ejected    2,200                ▂▃▅▆▇█          4  5.9 ms  10.8 ms      0  3.1 %  46.1 MB
        i-0000000d  a     v3       unhealthy      0                ▁▁▁▁▁▁          0       –        –      0  3.1 %  46.1 MB
        i-0000000b  b     v3       healthy    1,100                ▂▂▃▄▄▅          1       –        –     44      –        –
        i-0000000c  b     v2       draining       0                ▁▁▁▁▁▁          0       –        –      0  3.1 %  46.1 MB

      shop/staging ● ok  0 req/s  p50 –  p99 –  0 5xx/s  0 lost  0 shed  0 in flight
      "
    `);
  });

  test.for([40, 60, 80, 100, 200])('fits into %i columns', (columns, { expect }) => {
    for (const colours of [paint(false), paint(true)]) {
      const lines = renderTop(frameOf({ columns, paint: colours }));
      expect(Math.max(...lines.map(widthOf))).toBeLessThanOrEqual(columns);
    }
    expect(renderTop(frameOf({ columns }))[4]).toContain('i-0000000a');
  });

  test('fits into as many lines as there are, and says what is left out', () => {
    expect(renderTop(frameOf({ rows: 3 }))).toHaveLength(3);
    const lines = renderTop(frameOf({ rows: 10 }));
    expect(lines.length).toBeLessThanOrEqual(10);
    expect(lines.find((line) => line.includes('more'))).toMatch(/… \d more/);
  });

  test('has no escape codes without colours', () => {
    const plain = renderTop(frameOf()).join('\n');
    expect(stripVTControlCharacters(plain)).toBe(plain);
    const coloured = renderTop(frameOf({ paint: paint(true) })).join('\n');
    expect(stripVTControlCharacters(coloured)).toBe(plain);
    expect(coloured).not.toBe(plain);
  });

  test('cuts a line where it ends, and leaves no colour behind', () => {
    const { red } = paint(true);
    expect(cutTo(`ab${red('cdef')}g`, 4)).toBe(`ab${red('cd')}`);
    expect(cutTo('abc', 3)).toBe('abc');
  });
});

describe('top', () => {
  let daemon: ScriptedDaemon;
  let asked = 0;

  beforeEach(async () => {
    asked = 0;
    daemon = scriptedDaemon({
      traffic() {
        asked += 1;
        return readingAfter(asked);
      },
    });
    await daemon.start();
  });
  afterEach(() => daemon.close());

  test('prints one second off a terminal, and ends', async () => {
    const { code, out } = await belay(daemon, ['top'], { instant: true });
    expect(code).toBe(0);
    expect(out).toMatchInlineSnapshot(`
      "belay top  12:00:02Z  1 edge worker, snapshot 12

      shop/production ● ok  303 req/s  p50 5.9 ms  p99 10.8 ms  2 5xx/s  2 lost  1 shed  5 in flight
        INSTANCE    ZONE  RELEASE  STATE    REQ/S  IN FLIGHT     P50      P99  5XX/S    CPU   MEMORY
        i-0000000a  a     v3       healthy    200          4  5.9 ms  10.8 ms      0  3.1 %  46.1 MB
        i-0000000b  b     v3       healthy    100          1       –        –      4      –        –
      "
    `);
  });

  test('prints a line of JSON each second, until it is interrupted', async () => {
    const terminal = { instant: true, leaveAfter: '\n{' };
    const { code, out } = await belay(daemon, ['top', '--json', '-a', 'shop'], terminal);
    expect(code).toBe(130);
    const [first] = out.split('\n');
    expect(JSON.parse(first ?? '')).toMatchObject({
      windowMs: 1_000,
      environments: [{ application: 'shop', requestsPerSecond: 303, instances: [{}, {}] }],
    });
    const once = await belay(daemon, ['top', '--json', '--once', '-e', 'none'], { instant: true });
    expect({ code: once.code, json: once.json }).toMatchObject({
      code: 0,
      json: { environments: [] },
    });
  });

  test.for([
    ['q', 0],
    ['\u0003', 130],
  ] as const)('takes the terminal, and gives it back on %j', async ([press, code], { expect }) => {
    const keys = { after: 'req/s', press };
    const ended = await belay(daemon, ['top'], { isTTY: true, instant: true, keys });
    expect(ended.code).toBe(code);
    expect(ended.out.startsWith('\u001b[?1049h\u001b[?25l')).toBe(true);
    expect(ended.out.endsWith('\u001b[?25h\u001b[?1049l')).toBe(true);
  });

  test('gives the terminal back when it is interrupted', async () => {
    const terminal = { isTTY: true, instant: true, leaveAfter: '303' };
    const { code, out } = await belay(daemon, ['top'], terminal);
    expect(code).toBe(130);
    expect(out.endsWith('\u001b[?25h\u001b[?1049l')).toBe(true);
  });

  test('says that the edge is away, and goes on when it is back', async () => {
    daemon.script.traffic = () => {
      asked += 1;
      if (asked !== 2) return readingAfter(asked);
      throw new Fault({ code: 'edge-unreachable', message: 'the edge is away', retryable: true });
    };
    const keys = { after: '303', press: 'q' };
    const { code, out } = await belay(daemon, ['top'], { isTTY: true, instant: true, keys });
    expect(code).toBe(0);
    expect(out).toContain('the edge is away');
  });

  test('tells what is wrong from the start where it stays', async () => {
    await daemon.stop();
    const { code, out } = await belay(daemon, ['top'], { isTTY: true });
    expect({ code, out }).toEqual({ code: 5, out: '' });
  });
});
