import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { DEFAULT_EDGE_SETTINGS, type EdgeSettings } from '../model/edge-settings.ts';
import { edgeSettingsList, settingText, settingValue } from './edge-settings.ts';
import { type ScriptedDaemon, scriptedDaemon } from './scripted-daemon.ts';
import { belay } from './scripted-terminal.ts';

let daemon: ScriptedDaemon;
let settings: EdgeSettings;

beforeEach(async () => {
  settings = DEFAULT_EDGE_SETTINGS;
  daemon = scriptedDaemon({
    edgeSettings: () => ({ settings, snapshot: 12 }),
    setEdgeSettings({ body }) {
      settings = body as EdgeSettings;
      return { settings, snapshot: 13 };
    },
  });
  await daemon.start();
});
afterEach(() => daemon.close());

describe('edge', () => {
  test('shows every setting, its default where it is another, and what it is', async () => {
    settings = { ...settings, workers: 2, trustedProxies: ['10.0.0.0/8', '::1'] };
    const { code, out } = await belay(daemon, ['edge']);
    expect(code).toBe(0);
    expect(out).toMatchInlineSnapshot(`
      "SETTING                 VALUE           DEFAULT  WHAT IT IS
      workers                 2               1        processes that serve
      zone                    none                     where the edge stands: instances there are preferred
      trusted-proxies         10.0.0.0/8,::1  none     peers whose X-Forwarded-* are believed: 10.0.0.0/8,::1
      access-log              off                      a line for each request: off, json, combined
      head-size               32kb                     the largest head of a request or an answer
      url-size                8kb                      the longest path with its query
      header-fields           100                      the most fields in a head
      head-timeout            10s                      from the first byte of a head to its last
      idle-timeout            75s                      between two requests of a client’s connection
      body-timeout            30s                      without a byte of a body that is on its way
      connections             50000                    open connections of clients, each worker
      connections-per-client  none                     of one client address, each worker
      cache-memory            64mb                     what is kept of answers in memory, each worker
      cache-disk              1gb                      what is kept of them on disk, all workers; none for nothing
      "
    `);
    const { json } = await belay(daemon, ['edge', '--json']);
    expect(json).toEqual({ settings, snapshot: 12 });
  });

  test('has a name, a unit and a way back for every setting there is', () => {
    expect(edgeSettingsList.map(({ key }) => key)).toEqual(Object.keys(DEFAULT_EDGE_SETTINGS));
    for (const setting of edgeSettingsList) {
      const value = DEFAULT_EDGE_SETTINGS[setting.key];
      expect(settingValue(setting, settingText(setting, value))).toEqual(value);
    }
  });
});

describe('edge set', () => {
  test('changes what is named, keeps the rest and says what changed', async () => {
    const flags = ['--workers', '2', '--trusted-proxies', '10.0.0.0/8, ::1'];
    const { code, out } = await belay(daemon, ['edge', 'set', ...flags, '--head-timeout', '5s']);
    expect({ code, out }).toEqual({
      code: 0,
      out: [
        '  workers  1 → 2',
        '  trusted-proxies  none → 10.0.0.0/8,::1',
        '  head-timeout  10s → 5s',
        '✓ Every worker goes by it, since snapshot 13.',
        '',
      ].join('\n'),
    });
    expect(settings).toEqual({
      ...DEFAULT_EDGE_SETTINGS,
      workers: 2,
      trustedProxies: ['10.0.0.0/8', '::1'],
      headMs: 5_000,
    });
  });

  test('takes a bound away with none', async () => {
    settings = { ...settings, connectionsPerClient: 20, zone: 'a', trustedProxies: ['::1'] };
    const flags = ['--connections-per-client', 'none', '--zone=none', '--trusted-proxies=none'];
    const { json } = await belay(daemon, ['edge', 'set', ...flags, '--json']);
    expect(settings).toEqual(DEFAULT_EDGE_SETTINGS);
    expect(json).toMatchObject({
      snapshot: 13,
      changed: [
        { setting: 'zone', before: 'a', after: 'none' },
        { setting: 'trusted-proxies', before: '::1', after: 'none' },
        { setting: 'connections-per-client', before: '20', after: 'none' },
      ],
    });
  });

  test('keeps more in memory, and nothing on disk', async () => {
    const flags = ['--cache-memory', '128mb', '--cache-disk', 'none'];
    const { out } = await belay(daemon, ['edge', 'set', ...flags]);
    expect(out).toContain('  cache-memory  64mb → 128mb\n  cache-disk  1gb → none\n');
    expect(settings).toMatchObject({ cacheMemoryBytes: 128 * 1024 ** 2, cacheDiskBytes: 0 });
  });

  test.for([
    ['--workers', '0', '--workers is 0; the least is 1'],
    ['--workers', 'many', "--workers is 'many', which is not a whole number"],
    ['--workers', 'none', '--workers cannot be none'],
    ['--zone', 'Zone A', "--zone has 'Zone A', which is not a kebab-case name"],
    ['--access-log', 'clf', "--access-log is 'clf', which is none of off, json, combined"],
    ['--head-size', '5mb', '--head-size is 5mb; the most is 1mb'],
    ['--head-size', 'none', '--head-size is none; the least is 1kb'],
    ['--cache-memory', '100kb', '--cache-memory is 100kb; the least is 1mb'],
    ['--cache-memory', '64', "--cache-memory is '64', which is not a size"],
    ['--head-size', '32', "--head-size is '32', which is not a size"],
    ['--idle-timeout', '10ms', '--idle-timeout is 10ms; the least is 100ms'],
    ['--idle-timeout', '10', "--idle-timeout is '10', which is not a duration"],
    [
      '--trusted-proxies',
      '::1,10.0.0.0/40',
      "--trusted-proxies has '10.0.0.0/40', which is not an address or a range of them, such as 10.0.0.0/8",
    ],
  ])('refuses %s %s', async ([flag = '', text = '', message], { expect }) => {
    const { code, json } = await belay(daemon, ['edge', 'set', flag, text, '--json']);
    expect(code).toBe(64);
    expect(json).toMatchObject({ error: { code: 'bad-usage', message } });
    expect(settings).toBe(DEFAULT_EDGE_SETTINGS);
  });

  test('tells every problem at once, and changes nothing', async () => {
    const flags = ['--workers', '0', '--access-log', 'json', '--zone', 'A', '--head-timeout', '5'];
    const { code, err } = await belay(daemon, ['edge', 'set', ...flags]);
    expect(code).toBe(64);
    expect(err).toMatchInlineSnapshot(`
      "✗ 3 settings are wrong; nothing was changed
        --workers is 0; the least is 1
        --zone has 'A', which is not a kebab-case name
        --head-timeout is '5', which is not a duration: write a number and one of the units ms, s, m, h, d, as in '300ms', '5s' or '2m'
        Next:  see: belay edge set --help
      "
    `);
    expect(daemon.asked.map(({ route }) => route)).toEqual(['edgeSettings']);
  });

  test('needs a setting', async () => {
    expect((await belay(daemon, ['edge', 'set'])).code).toBe(64);
  });
});

describe('edge reset', () => {
  test('takes all settings back, or one', async () => {
    settings = { ...settings, workers: 2, accessLog: 'json' };
    await belay(daemon, ['edge', 'reset', 'access-log']);
    expect(settings).toEqual({ ...DEFAULT_EDGE_SETTINGS, workers: 2 });
    const { out } = await belay(daemon, ['edge', 'reset']);
    expect(out).toContain('workers  2 → 1');
    expect(settings).toEqual(DEFAULT_EDGE_SETTINGS);
    expect((await belay(daemon, ['edge', 'reset'])).out).toMatch(/Nothing changes/);
  });

  test('refuses a name it does not know', async () => {
    const { code, json } = await belay(daemon, ['edge', 'reset', 'worker', '--json']);
    expect(code).toBe(64);
    expect(json).toMatchObject({ error: { message: "'worker' is not a setting of the edge" } });
  });
});
