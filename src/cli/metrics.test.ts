import { stripVTControlCharacters } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Fault } from '../kernel/fault.ts';
import type { GroupPoint, InstancePoint, MetricsView } from '../model/metrics.ts';
import { barsOver } from './chart.ts';
import { renderMetrics } from './metrics-text.ts';
import { paint, widthOf } from './paint.ts';
import { type ScriptedDaemon, scriptedDaemon } from './scripted-daemon.ts';
import { belay } from './scripted-terminal.ts';
import { environmentOf, NOW } from './scripted-views.ts';

const pointAt = (secondsAgo: number, fields: Partial<GroupPoint> = {}): GroupPoint => ({
  at: NOW - secondsAgo * 1_000,
  instances: 3,
  cpuPercent: 120,
  memoryBytes: 192 * 1024 * 1024,
  requestsPerMinute: 600 * (60 - (secondsAgo % 60)),
  errorsPerMinute: 0,
  cachedPerMinute: 0,
  concurrency: 4.5,
  waiting: 0,
  p50Ms: 4.2,
  p99Ms: 9.8,
  reported: {},
  ...fields,
});

/** Five minutes, with a minute in which nothing of the edge was measured. */
const unmeasured = {
  requestsPerMinute: null,
  errorsPerMinute: null,
  cachedPerMinute: null,
  concurrency: null,
  waiting: null,
  p50Ms: null,
  p99Ms: null,
};
const fiveMinutes = Array.from({ length: 300 }, (_, index) => 299 - index).map((ago) =>
  pointAt(ago, ago >= 120 && ago < 180 ? unmeasured : {}),
);

const viewOf = (fields: Partial<MetricsView> = {}): MetricsView => ({
  application: 'shop',
  environment: 'production',
  periodMs: 1_000,
  points: fiveMinutes,
  reported: {},
  ...fields,
});

describe('bars', () => {
  const over = (values: (number | null)[], columns: number) =>
    barsOver(
      values.map((value, index) => ({ at: index + 1, value })),
      { from: 0, to: values.length },
      columns,
    );

  test('begin at nothing, and leave out what was not measured', () => {
    expect(over([0, 1, 2, 4, 8, null, 8], 7)).toBe('▁▂▃▅█ █');
    expect(over([0, 0], 2)).toBe('▁▁');
    expect(over([null, null], 2)).toBe('  ');
  });

  test('show the largest of what lies together', () => {
    expect(over([1, 8, 1, 1, 1, 1, null, null], 4)).toBe('█▂▂ ');
  });

  test('stand where their time is', () => {
    const readings = [{ at: 95, value: 3 }];
    expect(barsOver(readings, { from: 0, to: 100 }, 10)).toBe('         █');
    expect(barsOver(readings, { from: 100, to: 200 }, 10)).toBe('          ');
  });
});

describe('the charts', () => {
  const span = { now: NOW, lastMs: 300_000 };

  test('have a row for each metric', () => {
    const points = fiveMinutes.map((point) => ({ ...point, reported: { backlog: 1_200 } }));
    const view = viewOf({ points, reported: { backlog: 1_200 } });
    expect(`${renderMetrics(view, span, 100, paint(false)).join('\n')}\n`).toMatchInlineSnapshot(`
      "shop/production  the last 5m, by the second, until 2026-01-31 12:00:00Z

                                                                            NOW     MIN     MAX
      requests   ▂▃▃▄▅▅▆▇▇██▂▃▃▄▅▅▆▇▇██          ▂▂▃▄▄▅▆▆▇███▃▃▄▅▅▆▇▇██   600/s    10/s   600/s
      p50        ██████████████████████          ██████████████████████  4.2 ms  4.2 ms  4.2 ms
      p99        ██████████████████████          ██████████████████████  9.8 ms  9.8 ms  9.8 ms
      5xx        ▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁          ▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁     0/s     0/s     0/s
      in flight  ██████████████████████          ██████████████████████     4.5     4.5     4.5
      CPU        ██████████████████████████████████████████████████████   120 %   120 %   120 %
      memory     ██████████████████████████████████████████████████████  201 MB  201 MB  201 MB
      instances  ██████████████████████████████████████████████████████       3       3       3
      backlog    ██████████████████████████████████████████████████████   1,200   1,200   1,200
      "
    `);
  });

  test('have the queue where anything waited', () => {
    const points = [...fiveMinutes.slice(0, -1), pointAt(0, { waiting: 70, concurrency: 80 })];
    const lines = renderMetrics(viewOf({ points }), span, 100, paint(false));
    expect(lines.find((line) => line.startsWith('waiting'))).toMatch(/70 +0 +70$/);
  });

  test.for([40, 60, 80, 100, 200])('fit into %i columns', (columns, { expect }) => {
    for (const colours of [paint(false), paint(true)]) {
      const lines = renderMetrics(viewOf(), span, columns, colours);
      expect(Math.max(...lines.map(widthOf))).toBeLessThanOrEqual(columns);
    }
  });

  test('have no escape codes without colours', () => {
    const plain = renderMetrics(viewOf(), span, 100, paint(false)).join('\n');
    const coloured = renderMetrics(viewOf(), span, 100, paint(true)).join('\n');
    expect(stripVTControlCharacters(plain)).toBe(plain);
    expect(stripVTControlCharacters(coloured)).toBe(plain);
    expect(coloured).not.toBe(plain);
  });

  test('say so when there is nothing to draw', () => {
    const lines = renderMetrics(viewOf({ points: [] }), span, 100, paint(false));
    expect(lines.at(-1)).toBe('Nothing was measured in this time.');
  });
});

describe('metrics', () => {
  let daemon: ScriptedDaemon;

  beforeEach(async () => {
    daemon = scriptedDaemon({
      environments: { environments: [environmentOf()] },
      metrics: viewOf(),
      instanceMetrics: { instance: 'i-0000000a', periodMs: 1_000, points: [instancePoint] },
      reportMetric: { reported: { backlog: 1_200 } },
    });
    await daemon.start();
  });
  afterEach(() => daemon.close());

  const instancePoint: InstancePoint = {
    at: NOW,
    cpuPercent: 12.5,
    memoryBytes: 64 * 1024 * 1024,
    requestsPerSecond: 200,
    errorsPerSecond: 0,
    inFlight: 3,
    p50Ms: 4,
    p99Ms: null,
  };

  test('draws the last five minutes of the only environment', async () => {
    const { code, out } = await belay(daemon, ['metrics']);
    expect(code).toBe(0);
    expect(out).toContain('shop/production  the last 5m, by the second');
    expect(stripVTControlCharacters(out)).toBe(out);
    expect(daemon.asked.at(-1)).toMatchObject({
      route: 'metrics',
      params: { application: 'shop', environment: 'production' },
      query: { lastMs: '300000' },
    });
  });

  test.for([
    [['--minutes', '10'], 600_000],
    [['--since', '1d'], 86_400_000],
    [['--since', '31d'], 31 * 86_400_000],
  ] as const)('goes back with %j', async ([flags, lastMs], { expect }) => {
    const { code, json } = await belay(daemon, ['metrics', ...flags, '--json']);
    expect({ code, json }).toMatchObject({ code: 0, json: viewOf() });
    expect(daemon.asked.at(-1)?.query).toEqual({ lastMs: String(lastMs) });
  });

  test('draws one instance', async () => {
    const { code, out } = await belay(daemon, ['metrics', '-i', 'i-0000000a']);
    expect(code).toBe(0);
    expect(out).toMatch(/^i-0000000a {2}the last/);
    expect(out).toMatch(/CPU .* 13 % +13 % +13 %\n/);
    expect(out).toMatch(/p99 .* – +– +–\n/);
    expect(daemon.asked.at(-1)).toMatchObject({
      route: 'instanceMetrics',
      params: { instance: 'i-0000000a' },
    });
  });

  test.for([
    ['--minutes', '0'],
    ['--minutes', 'many'],
    ['--since', '1y'],
    ['--since', '60d'],
    ['--since', '1d', '--minutes', '5'],
    ['-i', 'i-0000000a', '--minutes', '16'],
    ['--minutes', '999999'],
  ])('refuses %j', async (flags, { expect }) => {
    const { code, err } = await belay(daemon, ['metrics', ...flags]);
    expect({ code, err }).toMatchObject({
      code: 64,
      err: expect.stringMatching(/--minutes|--since/),
    });
  });

  test('prints a line each second off a terminal, until it is interrupted', async () => {
    let asked = 0;
    daemon.script.metrics = () => {
      asked += 1;
      if (asked === 2)
        throw new Fault({ code: 'edge-unreachable', message: 'away', retryable: true });
      return viewOf({ points: [...fiveMinutes, pointAt(-asked)] });
    };
    const terminal = { instant: true, leaveAfter: '00Z' };
    const { code, out } = await belay(daemon, ['metrics', '--follow'], terminal);
    expect(code).toBe(130);
    expect(out).toMatch(/^\d\d:\d\d:\d\dZ {2}requests .* instances 3\n/);
  });

  test('prints points as JSON, each once', async () => {
    let asked = 0;
    daemon.script.metrics = () => {
      asked += 1;
      return viewOf({ points: [pointAt(10), pointAt(9 - Math.floor(asked / 2))] });
    };
    const last = `"at":${pointAt(5).at}`;
    const terminal = { instant: true, leaveAfter: last };
    const { out } = await belay(daemon, ['metrics', '-f', '--json'], terminal);
    const ats = out
      .trim()
      .split('\n')
      .map((line) => (NOW - JSON.parse(line).at) / 1_000);
    expect(ats.slice(0, 5)).toEqual([9, 8, 7, 6, 5]);
  });

  test('takes the terminal to follow, and gives it back on q', async () => {
    const keys = { after: 'instances', press: 'q' };
    const terminal = { isTTY: true, instant: true, keys };
    const { code, out } = await belay(daemon, ['metrics', '-f'], terminal);
    expect(code).toBe(0);
    expect(out.startsWith('\u001b[?1049h\u001b[?25l')).toBe(true);
    expect(out.endsWith('\u001b[?25h\u001b[?1049l')).toBe(true);
  });

  test('reports a number', async () => {
    const { code, json } = await belay(daemon, ['metrics', 'report', 'backlog', '1200', '--json']);
    expect({ code, json }).toEqual({ code: 0, json: { reported: { backlog: 1_200 } } });
    expect(daemon.asked.at(-1)).toMatchObject({
      route: 'reportMetric',
      body: { name: 'backlog', value: 1_200 },
    });
  });

  test.for(['many', '', 'NaN', '1e999', '0x1f0x'])('reports no %j', async (text, { expect }) => {
    const { code, err } = await belay(daemon, ['metrics', 'report', 'backlog', text]);
    expect({ code, err }).toMatchObject({ code: 64, err: expect.stringContaining('VALUE') });
    expect(daemon.asked).toEqual([]);
  });
});
