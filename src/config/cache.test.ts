import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Fault } from '../kernel/fault.ts';
import { type CacheRule, HONOUR_THE_APP } from '../model/cache.ts';
import { loadConfiguration } from './load.ts';

const DAY_S = 86_400;

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'belay-cache-'));
});

afterEach(() => {
  rmSync(root, { recursive: true });
});

function load(edge: string, staging = '{}', environment = 'production') {
  const spec = `{ web: { start: 'node .' }, edge: ${edge}, environments: { staging: { edge: ${staging} } } }`;
  const text = `import { app } from 'belay';\nexport default app('shop', ${spec});\n`;
  writeFileSync(join(root, 'belay.config.ts'), text);
  const { configuration, provenance } = loadConfiguration(root, environment);
  return { cache: configuration.traffic.cache, provenance };
}

const rulesOf = (rules: string): CacheRule[] | undefined =>
  load(`{ cache: ${rules} }`).cache?.rules;

/** What of the only rule is not as it is where no rule is. */
function ruleOf(rule: string): Partial<CacheRule> {
  const [read] = rulesOf(`{ '/a/*': ${rule} }`) ?? [];
  const changed = Object.entries(read ?? {}).filter(
    ([key, value]) =>
      JSON.stringify(value) !== JSON.stringify(HONOUR_THE_APP[key as keyof CacheRule]),
  );
  const { path, ...others } = Object.fromEntries(changed);
  expect(path).toBe('/a/*');
  return others;
}

function problemsOf(edge: string): string[] {
  try {
    load(edge);
    return [];
  } catch (thrown) {
    if (!(thrown instanceof Fault) || thrown.code !== 'config-invalid') throw thrown;
    const problems = thrown.details?.problems as { keyPath: string; what: string }[];
    return problems.map(({ keyPath, what }) => `${keyPath} ${what}`);
  }
}

describe('the cache', () => {
  it('is off unless something is said of it', () => {
    expect(load('{}').cache).toBe(null);
    expect(load('{ cache: false }').cache).toBe(null);
  });

  it('is on without rules by one word, and each release has its own', () => {
    expect(load('{ cache: true }').cache).toEqual({ rules: [], onDeploy: 'switch' });
  });

  it.each(['switch', 'purge', 'keep'])('can %s on a deployment', (word) => {
    expect(load(`{ cache: true, cacheOnDeploy: '${word}' }`).cache?.onDeploy).toBe(word);
  });

  it('takes what a deployment does for every environment, although one has no cache', () => {
    const edge = "{ cache: true, cacheOnDeploy: 'keep' }";
    expect(load(edge, '{ cache: false }', 'staging').cache).toBe(null);
  });
});

describe('a rule', () => {
  it.each([
    ['true', {}],
    ['{}', {}],
    ['false', { bypass: true }],
    ["'1d'", { otherwiseS: DAY_S }],
    ["{ ttl: '1d' }", { otherwiseS: DAY_S }],
    ["{ ttl: { min: '10s' } }", { leastS: 10 }],
    ["{ ttl: { max: '1h' } }", { mostS: 3_600 }],
    ["{ ttl: { min: '1m', default: '1m', max: '1m' } }", { leastS: 60, otherwiseS: 60, mostS: 60 }],
    ["{ ttl: '0s' }", { otherwiseS: 0 }],
    ["{ ttl: '365d' }", { otherwiseS: 365 * DAY_S }],
    ["{ key: { query: 'all' } }", {}],
    ["{ key: { query: 'none' } }", { query: { mode: 'only', names: [] } }],
    [
      "{ key: { query: ['page', 'sort_*'] } }",
      { query: { mode: 'only', names: ['page', 'sort_*'] } },
    ],
    ["{ key: { query: { except: ['utm_*'] } } }", { query: { mode: 'except', names: ['utm_*'] } }],
    ["{ key: { query: ['filter[size]'] } }", { query: { mode: 'only', names: ['filter[size]'] } }],
    ["{ key: { headers: ['Accept-Language'] } }", { headers: ['accept-language'] }],
    ["{ key: { cookies: ['Currency'] } }", { cookies: ['Currency'] }],
    [
      "{ stale: { whileRevalidate: '30s', ifError: false } }",
      { staleWhileRevalidateS: 30, staleIfErrorS: 0 },
    ],
    ["{ stale: { whileRevalidate: false, ifError: '1d' } }", {}],
    ["{ errors: '10s' }", { errorS: 10 }],
    ['{ errors: false, heuristics: false }', {}],
    ['{ heuristics: true }', { heuristics: true }],
    ["{ tags: ['catalog', 'de'] }", { tags: ['catalog', 'de'] }],
  ])('%s is read', (written, changed) => {
    expect(ruleOf(written)).toEqual(changed);
  });

  it('has the place in which it is written', () => {
    const rules = rulesOf("{ '/b': true, '/a/*': '1m', '/*': false }");
    expect(rules?.map(({ path }) => path)).toEqual(['/b', '/a/*', '/*']);
  });

  it.each([
    ['/*', '/a'],
    ['/*', '/a/*'],
    ['/a/*', '/a/b/*'],
    ['/a/*', '/a/*.css'],
    ['/*.css', '/a/*.css'],
    ['/a**', '/a*'],
    ['/a*b*c', '/a*xbx*c'],
  ])('is refused behind %s where it is %s, which never counts', (before, after) => {
    expect(problemsOf(`{ cache: { '${before}': '1m', '${after}': '1m' } }`)).toEqual([
      `edge.cache.${after} never counts: '${before}' stands before it and matches all its paths`,
    ]);
  });

  it.each([
    ['/a', '/*'],
    ['/a/*', '/a*'],
    ['/a/*.css', '/a/*'],
    ['/a/*/c', '/a/*c'],
    ['/*.css', '/*.js'],
    ['/a/*', '/b/*'],
    ['/A/*', '/a/*'],
  ])('may stand behind %s where it is %s', (before, after) => {
    expect(rulesOf(`{ '${before}': '1m', '${after}': '1m' }`)).toHaveLength(2);
  });

  it.each([
    ['X-Forwarded-Proto', 'counts without being named, where a trusted proxy says it'],
    ['X-Forwarded-Prefix', 'is removed by the edge, so that no app sees it'],
    ['proxy-authorization', 'is removed by the edge, so that no app sees it'],
    ['If-None-Match', 'is read by the cache itself'],
    ['content-type', 'is of a body, and what has one is not kept'],
  ])('does not tell answers apart by %s', (field, why) => {
    expect(problemsOf(`{ cache: { '/': { key: { headers: ['${field}'] } } } }`)).toEqual([
      `edge.cache./.key.headers has '${field}', which ${why}`,
    ]);
  });

  it('is one of a hundred at most', () => {
    const paths = Array.from({ length: 101 }, (_, index) => `'/p${index}/': '1m'`);
    expect(problemsOf(`{ cache: { ${paths.join(', ')} } }`)).toEqual([
      'edge.cache has 101 paths; the most is 100',
    ]);
  });

  it.each([
    ["key: { headers: ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k'] }", 'headers'],
    ["key: { cookies: ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k'] }", 'cookies'],
  ])('has few names: %s', (rule, key) => {
    expect(problemsOf(`{ cache: { '/': { ${rule} } } }`)).toEqual([
      `edge.cache./.key.${key} has 11 names; the most is 10`,
    ]);
  });
});

describe('an environment', () => {
  const edge = "{ cache: { '/admin/*': false, '/assets/*': '1d' } }";
  const pathsOf = (staging: string) =>
    load(edge, staging, 'staging').cache?.rules.map(({ path, otherwiseS }) => [path, otherwiseS]);

  it('has the rules of the top level', () => {
    expect(pathsOf('{}')).toEqual([
      ['/admin/*', null],
      ['/assets/*', DAY_S],
    ]);
  });

  it('replaces a rule in its place, and puts others first', () => {
    expect(pathsOf("{ cache: { '/assets/*': '1m', '/new': '1h' } }")).toEqual([
      ['/new', 3_600],
      ['/admin/*', null],
      ['/assets/*', 60],
    ]);
  });

  it('may put all of them behind one of its own', () => {
    expect(pathsOf("{ cache: { '/*': false } }")).toEqual([
      ['/*', null],
      ['/admin/*', null],
      ['/assets/*', DAY_S],
    ]);
  });

  it.each([
    ['true', []],
    ['false', undefined],
  ])('puts them aside with %s', (written, rules) => {
    expect(pathsOf(`{ cache: ${written} }`)).toEqual(rules);
  });

  it('tells where a rule is from', () => {
    const { provenance } = load(edge, "{ cache: { '/new': '1h' } }", 'staging');
    expect(provenance).toMatchObject({
      'edge.cache': 'environment override',
      'edge.cache./new': 'environment override',
      'edge.cache./assets/*': 'file',
      'edge.cacheOnDeploy': 'default',
    });
  });
});
