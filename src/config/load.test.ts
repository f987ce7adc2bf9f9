import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DEFAULT_GROUP } from '../model/group.ts';
import { NO_SCALING } from '../model/scaling.ts';
import { DEFAULT_EJECTION, DEFAULT_TRAFFIC } from '../model/traffic.ts';
import { staticServerCommand } from './detect.ts';
import { loadConfiguration } from './load.ts';

let root: string;

beforeEach(() => {
  root = join(mkdtempSync(join(tmpdir(), 'belay-config-')), 'My Shop');
  mkdirSync(root);
});

afterEach(() => rmSync(dirname(root), { recursive: true }));

function write(files: Record<string, string>): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  }
}

const load = (environment = 'production') => loadConfiguration(root, environment);
const withSpec = (spec: string) =>
  write({
    'belay.config.ts': `import { app, rolling } from 'belay';\nexport default app('shop', ${spec});`,
  });
const refusal = (code: string) => expect.objectContaining({ code });

describe('defaults', () => {
  it('fills in every value, and says where each comes from', () => {
    withSpec("{ web: { start: 'node server.js', env: { A: '1' } } }");
    const { configuration, provenance, application, file } = load();
    expect(application).toBe('shop');
    expect(file).toBe(join(root, 'belay.config.ts'));
    expect(configuration).toEqual({
      web: {
        start: ['node', 'server.js'],
        bootstrap: null,
        upstream: null,
        health: {
          path: '/',
          matcher: { from: 200, to: 399 },
          intervalMs: 5_000,
          timeoutMs: 2_000,
          healthyThreshold: 2,
          unhealthyThreshold: 2,
          body: null,
          deepPath: null,
        },
        capacity: { min: 1, desired: 1, max: 4 },
        zones: ['a', 'b'],
        size: null,
        limits: { memoryBytes: null, cpu: null },
        concurrency: null,
        group: DEFAULT_GROUP,
        scaling: NO_SCALING,
        variables: { A: '1' },
        stopGraceMs: 10_000,
        drainMs: 30_000,
      },
      domains: ['shop.localhost'],
      windows: { ranges: [], timeZone: 'UTC' },
      hooks: { build: null, migrate: null, postdeploy: null },
      traffic: DEFAULT_TRAFFIC,
      rollout: {
        policy: 'rolling',
        batch: 1,
        extra: 1,
        healthyMs: 200,
        startTimeoutMs: 60_000,
        keepMs: 0,
        percent: 10,
        bakeMs: 300_000,
        minRequests: 100,
        probes: [],
        patienceMs: 3_600_000,
      },
    });
    expect(provenance).toMatchObject({
      'web.start': 'file',
      'web.env.A': 'file',
      'web.capacity.min': 'default',
      'edge.domains': 'default',
      'edge.eject.errors': 'default',
      'deploy.batch': 'default',
    });
  });

  it('follow each other: desired is min, max is at least desired, timeout at most interval', () => {
    withSpec("{ web: { start: 'x', capacity: { min: 7 }, health: { interval: '1s' } } }");
    const { web } = load().configuration;
    expect(web.capacity).toEqual({ min: 7, desired: 7, max: 7 });
    expect(web.health.timeoutMs).toBe(1_000);
  });
});

describe('an environment', () => {
  const spec = `{
    web: { start: 'node server.js', capacity: { min: 2, max: 6 }, env: { A: '1', B: '1' } },
    edge: { domains: ['shop.example'] },
    deploy: rolling({ batch: 2, keep: '1m' }),
    environments: {
      staging: {
        web: { capacity: { min: 1, max: 1, zones: ['z'] }, env: { B: '2' } },
        deploy: rolling({ batch: 1 }),
      },
      canned: { web: { upstream: 'http://127.0.0.1:9001' }, edge: { domains: ['canned.example'] } },
    },
  }`;

  it('overrides single keys and keeps the rest', () => {
    withSpec(spec);
    const { configuration, provenance } = load('staging');
    expect(configuration.web).toMatchObject({
      start: ['node', 'server.js'],
      capacity: { min: 1, desired: 1, max: 1 },
      zones: ['z'],
      variables: { A: '1', B: '2' },
    });
    expect(configuration.rollout).toMatchObject({ batch: 1, keepMs: 60_000 });
    expect(provenance).toMatchObject({
      'web.capacity.min': 'environment override',
      'web.env.A': 'file',
      'web.env.B': 'environment override',
      'deploy.keep': 'file',
    });
  });

  it('does not answer to the names of production', () => {
    withSpec(spec);
    expect(load().configuration.domains).toEqual(['shop.example']);
    expect(load('staging').configuration.domains).toEqual(['staging.shop.localhost']);
    expect(load('canned').configuration.domains).toEqual(['canned.example']);
  });

  it('may stand before a fixed address instead of a program', () => {
    withSpec(spec);
    const { web } = load('canned').configuration;
    expect(web).toMatchObject({ start: null, upstream: 'http://127.0.0.1:9001' });
  });

  it('has a name like any other, and is refused with a bad one', () => {
    withSpec(spec);
    expect(() => load('My Env')).toThrow(refusal('bad-name'));
    expect(load('never-heard-of').configuration.domains).toEqual(['never-heard-of.shop.localhost']);
  });
});

describe('how traffic is treated', () => {
  const withEdge = (edge: string, staging = '{}') =>
    withSpec(
      `{ web: { start: 'x' }, edge: ${edge}, environments: { staging: { edge: ${staging} } } }`,
    );

  it('is read into milliseconds, bytes and words', () => {
    withEdge(`{
      balance: 'least-outstanding', slowStart: '30s', sticky: '1h', maxConcurrency: 8,
      queue: { length: 10, wait: '2s' }, eject: { errors: 3, for: '10s', maxPercent: 30 },
      timeouts: { answer: '5s', quiet: '1m' }, limits: { body: '1mb', requestsPerSecond: 2.5, burst: 9 },
    }`);
    expect(load().configuration.traffic).toEqual({
      balancing: {
        algorithm: 'least-outstanding',
        slowStartMs: 30_000,
        maxConcurrency: 8,
        ejection: { consecutiveErrors: 3, timeMs: 10_000, maxPercent: 30 },
        responseHeadMs: 5_000,
        quietMs: 60_000,
      },
      admission: {
        requestBodyBytes: 1024 * 1024,
        queueLength: 10,
        queueMs: 2_000,
        perClient: { requestsPerSecond: 2.5, burst: 9 },
      },
      stickyMs: 3_600_000,
      cache: null,
      guards: [],
    });
  });

  it('keeps a sticky session for a day where nobody says how long', () => {
    withEdge('{ sticky: true }', '{ sticky: false }');
    expect(load().configuration.traffic.stickyMs).toBe(86_400_000);
    expect(load('staging').configuration.traffic.stickyMs).toBeNull();
  });

  it('admits the requests of one second at once where no burst is named', () => {
    withEdge('{ limits: { requestsPerSecond: 2.5 } }');
    expect(load().configuration.traffic.admission.perClient).toEqual({
      requestsPerSecond: 2.5,
      burst: 3,
    });
  });

  it('ejects or not as the nearest place says, with single keys from each', () => {
    withEdge('{ eject: false }', '{ eject: { errors: 2 } }');
    expect(load().configuration.traffic.balancing.ejection).toBeNull();
    expect(load().provenance).toMatchObject({ 'edge.eject': 'file' });
    expect(load('staging').configuration.traffic.balancing.ejection).toEqual({
      ...DEFAULT_EJECTION,
      consecutiveErrors: 2,
    });
    withEdge("{ eject: { for: '1m' } }", '{ eject: { errors: 2 } }');
    expect(load('staging').configuration.traffic.balancing.ejection).toEqual({
      ...DEFAULT_EJECTION,
      consecutiveErrors: 2,
      timeMs: 60_000,
    });
    withEdge("{ eject: { for: '1m' } }", '{ eject: false }');
    expect(load('staging').configuration.traffic.balancing.ejection).toBeNull();
  });
});

describe('a deployment policy', () => {
  const rollout = (spec: string) => {
    withSpec(`{ web: { start: 'x' }, deploy: ${spec} }`);
    return load().configuration.rollout;
  };

  it('is taken by name or with options', () => {
    expect(rollout("'immutable'")).toMatchObject({ policy: 'immutable', keepMs: 0 });
    expect(rollout("{ policy: 'all-at-once', keep: '1m' }")).toMatchObject({
      policy: 'all-at-once',
      keepMs: 60_000,
    });
    expect(rollout("{ policy: 'rolling', batch: '25%', extra: 0 }")).toMatchObject({
      batch: '25%',
      extra: 0,
    });
  });

  it('moves a share of the traffic at a time', () => {
    expect(rollout("{ policy: 'canary', percent: 5, bake: '1m', minRequests: 500 }")).toMatchObject(
      {
        percent: 5,
        bakeMs: 60_000,
        minRequests: 500,
        patienceMs: 3_600_000,
      },
    );
  });

  it('keeps the old fleet of a blue-green one warm unless told otherwise', () => {
    expect(rollout("'blue-green'").keepMs).toBe(300_000);
    expect(rollout("{ policy: 'blue-green', keep: '0s' }").keepMs).toBe(0);
  });

  it('may be another in an environment, whose batches then mean nothing', () => {
    const environments = "{ qa: { deploy: 'immutable' } }";
    withSpec(
      `{ web: { start: 'x' }, deploy: { policy: 'rolling', batch: 2 }, environments: ${environments} }`,
    );
    expect(load('qa').configuration.rollout.policy).toBe('immutable');
  });
});

describe('the file', () => {
  it('is read afresh each time, with what it imports', () => {
    const config = "import { start } from './shared.ts';\nexport default { web: { start } };";
    write({ 'belay.config.ts': config, 'shared.ts': "export const start: string = 'one';" });
    expect(load().configuration.web.start).toEqual(['one']);
    write({ 'shared.ts': "export const start: string = 'two';" });
    expect(load().configuration.web.start).toEqual(['two']);
    write({ 'belay.config.ts': "export default { web: { start: 'three' } };" });
    expect(load().configuration.web.start).toEqual(['three']);
  });

  it.each(['belay.config.ts', 'belay.config.js', 'belay.config.mjs'])(
    'may be %s, whatever package.json says about modules',
    (name) => {
      const source =
        "import { app } from 'belay';\nexport default app('shop', { web: { start: 'x' } });";
      write({ [name]: source, 'package.json': '{ "type": "commonjs" }' });
      expect(load().configuration.web.start).toEqual(['x']);
    },
  );

  it('need not name the application: the directory does', () => {
    write({ 'belay.config.ts': "export default { web: { start: 'x' } };" });
    expect(load().application).toBe('my-shop');
  });

  it('may leave the start command to detection', () => {
    withSpec('{ web: { capacity: { min: 3 } } }');
    write({ Procfile: 'web: NODE_ENV=production node server.js $PORT\n' });
    const { configuration, provenance } = load();
    expect(configuration.web).toMatchObject({
      start: ['node', 'server.js', '$PORT'],
      variables: { NODE_ENV: 'production' },
      capacity: { min: 3 },
    });
    expect(provenance).toMatchObject({
      'web.start': 'detected',
      'web.env.NODE_ENV': 'detected',
      'web.capacity.min': 'file',
    });
  });

  it('is told apart from a file that is not there', () => {
    mkdirSync(join(root, 'belay.config.ts'));
    expect(() => load()).toThrow(refusal('config-unreadable'));
    expect(() => loadConfiguration(join(root, 'nowhere'), 'production')).toThrow(
      refusal('config-unreadable'),
    );
  });

  it('cannot wait for anything', () => {
    write({ 'belay.config.ts': 'export default await Promise.resolve({});' });
    expect(() => load()).toThrow(refusal('config-threw'));
  });
});

describe('detection', () => {
  it('prefers Procfile, then package.json, then index.html', () => {
    write({ 'index.html': '' });
    expect(load().configuration.web.start).toEqual(staticServerCommand());
    write({ 'package.json': '{"scripts":{"start":"node app.js"}}' });
    expect(load().configuration.web.start).toEqual(['node', 'app.js']);
    write({ Procfile: 'worker: x\nweb: node proc.js\n' });
    expect(load().configuration.web.start).toEqual(['node', 'proc.js']);
  });

  it('passes over a Procfile without web, a Dockerfile and a package.json without start', () => {
    write({ Procfile: 'worker: x', Dockerfile: 'FROM x', 'package.json': '{}', 'index.html': '' });
    const { detection } = load();
    expect(detection.map(({ what }) => what)).toEqual([
      'Procfile',
      'Dockerfile',
      'package.json',
      'index.html',
    ]);
    expect(detection[1]?.why).toMatch(/container runtime, which is not supported yet/);
  });

  it('finds programs where npm would', () => {
    write({ 'package.json': '{"scripts":{"start":"next start"}}', 'node_modules/.bin/next': '' });
    expect(load().configuration.web.start).toEqual(['node_modules/.bin/next', 'start']);
  });

  it('refuses what only a shell or only Belay could do', () => {
    write({ 'package.json': '{"scripts":{"start":"build && node x"}}' });
    expect(() => load()).toThrow(refusal('config-invalid'));
    write({ Procfile: 'web: PORT=3000 node x' });
    expect(() => load()).toThrow(refusal('config-invalid'));
    write({ Procfile: 'worker: x', 'package.json': '{' });
    expect(() => load()).toThrow(refusal('config-unreadable'));
  });
});
