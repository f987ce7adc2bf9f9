import type { Receipt } from '../model/receipt.ts';
import type { JournalEntry, Step } from '../model/step.ts';
import type {
  DaemonView,
  DeploymentDetail,
  EnvironmentView,
  InstanceView,
  Outcome,
  TargetReading,
  TrafficReading,
} from '../model/view.ts';

/** For tests: views as a daemon would give them, each with what the test is about put in. */

/** The moment at which tests look. */
export const NOW = Date.UTC(2026, 0, 31, 12, 0, 0);

export const receiptOf = (fields: Partial<Receipt> = {}): Receipt => ({
  requests: 12_345,
  lost: 0,
  retried: 2,
  drained: 7,
  cut: 0,
  appErrors: 0,
  shed: 0,
  clientAborted: 0,
  unaccounted: 0,
  p50Ms: 1.24,
  p99Ms: 18.5,
  durationMs: 12_300,
  ...fields,
});

export const entryOf = (
  id: number,
  step: Step,
  fields: Partial<JournalEntry> = {},
): JournalEntry => ({
  id,
  environment: 'shop/production',
  deployment: 4,
  step,
  state: 'done',
  plannedAt: NOW - 12_000 + id * 400,
  endedAt: NOW - 12_000 + id * 400 + 100,
  error: null,
  ...fields,
});

export const deploymentOf = (fields: Partial<DeploymentDetail> = {}): DeploymentDetail => ({
  environment: 'shop/production',
  number: 4,
  kind: 'deploy',
  from: 3,
  to: 4,
  fromVersion: 'v2',
  toVersion: 'v3',
  author: null,
  commit: null,
  policy: 'rolling',
  state: 'succeeded',
  cause: null,
  logTail: [],
  stage: null,
  hooks: [],
  boot: null,
  by: null,
  message: null,
  overrides: [],
  promoted: false,
  aborted: false,
  startedAt: NOW - 12_300,
  turnedAt: null,
  endedAt: NOW,
  receipt: receiptOf(),
  steps: [
    entryOf(1, {
      kind: 'launch',
      instance: 'i-0000000a',
      release: 4,
      zone: 'a',
      reason: '0 of 2 desired',
    }),
    entryOf(2, { kind: 'admit', instance: 'i-0000000a', reason: 'passed its health check' }),
  ],
  ...fields,
});

/** The answer to whoever asks for a deployment. */
export const outcomeOf = (deployment: DeploymentDetail | null): Outcome => ({
  deployment,
  ticket: null,
});

export const instanceOf = (fields: Partial<InstanceView> = {}): InstanceView => ({
  id: 'i-0000000a',
  state: 'in-service',
  zone: 'a',
  release: 4,
  version: 'v3',
  health: 'healthy',
  reason: '',
  pid: 4242,
  port: 26_400,
  startedAt: NOW - 90_000,
  isProtected: false,
  wish: null,
  cpuPercent: 3.14,
  rssBytes: 46_080_000,
  limit: 'watched',
  boot: null,
  ejection: null,
  deep: null,
  wait: null,
  ...fields,
});

export const environmentOf = (fields: Partial<EnvironmentView> = {}): EnvironmentView => ({
  application: 'shop',
  environment: 'production',
  status: 'ready',
  health: 'ok',
  cause: '2 instances in service in 2 zones',
  release: 4,
  version: 'v3',
  url: 'http://shop.localhost:8080/',
  domains: ['shop.localhost'],
  namesOf: null,
  capacity: { min: 1, desired: 2, max: 4 },
  asleepSince: null,
  allowance: null,
  warm: 0,
  scaling: null,
  instances: [
    instanceOf({ id: 'i-0000000b', zone: 'b', cpuPercent: null, rssBytes: null }),
    instanceOf(),
  ],
  fixed: null,
  traffic: {
    windowMs: 60_000,
    requestsPerSecond: 203.4,
    p50Ms: 1.24,
    p99Ms: 18.5,
    lost: 0,
    appErrors: 0,
    serverErrors: 0,
  },
  deployment: deploymentOf(),
  waiting: [],
  freeze: null,
  ...fields,
});

export const daemonOf = (port = 8080): DaemonView => ({
  pid: 4000,
  version: '0.1.0',
  home: '/home',
  startedAt: NOW - 60_000,
  edge: {
    pid: 4001,
    generation: 1,
    snapshot: 12,
    listeners: [{ host: '127.0.0.1', port }],
    workers: [{ pid: 4002, generation: 1, snapshot: 12, accepting: true }],
  },
  runtime: 'process',
});

/** A target of shop/production, release 4. */
export const targetOf = (id: string, fields: Partial<TargetReading> = {}): TargetReading => ({
  pool: 'shop/production#4',
  id,
  requests: 0,
  appErrors: 0,
  failures: 0,
  latency: [],
  inFlight: 0,
  tunnels: 0,
  ...fields,
});

export const trafficOf = (fields: Partial<TrafficReading> = {}): TrafficReading => ({
  at: NOW,
  environments: [environmentOf()],
  ledger: { at: NOW, rows: [], unaccounted: 0, inFlight: 0, tunnels: 0 },
  targets: [targetOf('i-0000000a'), targetOf('i-0000000b')],
  edge: {
    pid: 4001,
    generation: 1,
    snapshot: 12,
    listeners: [{ host: '127.0.0.1', port: 8080 }],
    workers: [{ pid: 4002, generation: 1, snapshot: 12, accepting: true }],
  },
  ...fields,
});
