import { middleOf, type SparseHistogram } from '../kernel/histogram.ts';
import type { Capacity } from '../model/configuration.ts';
import { instanceMachine } from '../model/instance.ts';
import { type LedgerRow, outcomes, statusClasses } from '../model/ledger.ts';
import type { MetricsNow } from '../model/metrics.ts';
import type { DaemonView, EnvironmentView, InstanceView, TrafficReading } from '../model/view.ts';
import { cacheFamilies } from './cache-metrics.ts';
import type { Labels, MetricFamily, Sample } from './exposition.ts';

/**
 * What Prometheus is told. Counters are the ledger's own, which outlive the daemon and the edge;
 * those of an instance begin anew when a worker is killed. The names are an interface.
 */

/** Upper bounds in seconds: from what an edge alone takes to the longest that it waits by default. */
const BUCKETS_SECONDS = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
];
const US_PER_SECOND = 1_000_000;

/** @param reading null while the edge cannot be reached: what does not come from it is told on */
export function metricFamilies(
  daemon: DaemonView,
  environments: readonly EnvironmentView[],
  reading: TrafficReading | null,
  measured: readonly MetricsNow[],
): MetricFamily[] {
  return [
    family('belay_build_info', 'gauge', 'The version of Belay that runs.', [
      { labels: { version: daemon.version, runtime: daemon.runtime }, value: 1 },
    ]),
    single('belay_start_time_seconds', 'When the daemon started.', daemon.startedAt / 1000),
    single('belay_edge_up', 'Whether the edge answers the daemon.', reading ? 1 : 0),
    ...(reading ? [...requestFamilies(reading), ...edgeFamilies(reading)] : []),
    ...(reading ? [...targetFamilies(reading), ...cacheFamilies(reading)] : []),
    ...capacityFamilies(environments),
    ...usageFamilies(environments),
    ...measuredFamilies(measured),
  ];
}

function requestFamilies({ ledger }: TrafficReading): MetricFamily[] {
  const each = (read: (row: LedgerRow, labels: Labels) => Sample[]) =>
    ledger.rows.flatMap((row) => read(row, placeOf(row)));
  return [
    family(
      'belay_requests_total',
      'counter',
      'Requests that have ended, by outcome and by the class of the status that was answered.',
      each(requestSamples),
    ),
    family(
      'belay_request_duration_seconds',
      'histogram',
      'From the whole head of a request to the last byte of its answer; of those the cache did not answer.',
      each(durationSamples),
    ),
    family(
      'belay_retries_total',
      'counter',
      'Attempts beyond the first.',
      each((row, labels) => [{ labels, value: row.retried }]),
    ),
    family(
      'belay_drained_requests_total',
      'counter',
      'Requests that ended on an instance while it was taken out.',
      each((row, labels) => [{ labels, value: row.drained }]),
    ),
    single(
      'belay_unaccounted_total',
      'At most so many requests ended without an account, because a worker was killed.',
      ledger.unaccounted,
      'counter',
    ),
    single(
      'belay_connections_turned_away_total',
      'Connections that were not let in, by the bounds on them.',
      ledger.turnedAway ?? 0,
      'counter',
    ),
    single('belay_requests_in_flight', 'Requests accepted and not yet ended.', ledger.inFlight),
    single('belay_tunnels', 'Upgraded connections that are open.', ledger.tunnels),
  ];
}

/** Those that were answered by class; those that were not have none. */
function requestSamples({ outcomes: counts, answers }: LedgerRow, labels: Labels): Sample[] {
  return outcomes.flatMap((outcome) => {
    const answered = statusClasses.map((name) => ({
      name: name as string,
      value: answers[`${outcome} ${name}`] ?? 0,
    }));
    const rest = answered.reduce((left, { value }) => left - value, counts[outcome]);
    return [...answered, { name: 'none', value: Math.max(0, rest) }]
      .filter(({ value }) => value > 0)
      .map(({ name, value }) => ({ labels: { ...labels, outcome, class: name }, value }));
  });
}

function durationSamples({ latency }: LedgerRow, labels: Labels): Sample[] {
  const counts = BUCKETS_SECONDS.map(() => 0);
  let count = 0;
  let sumUs = 0;
  for (const [us, times] of valuesOf(latency)) {
    const index = BUCKETS_SECONDS.findIndex((bound) => us <= bound * US_PER_SECOND);
    if (index !== -1) counts[index] = (counts[index] ?? 0) + times;
    count += times;
    sumUs += us * times;
  }
  let below = 0;
  const buckets = BUCKETS_SECONDS.map((bound, index): Sample => {
    below += counts[index] ?? 0;
    return { labels: { ...labels, le: String(bound) }, value: below, suffix: '_bucket' };
  });
  return [
    ...buckets,
    { labels: { ...labels, le: '+Inf' }, value: count, suffix: '_bucket' },
    { labels, value: sumUs / US_PER_SECOND, suffix: '_sum' },
    { labels, value: count, suffix: '_count' },
  ];
}

function* valuesOf(latency: SparseHistogram): Iterable<[us: number, times: number]> {
  for (let index = 0; index + 1 < latency.length; index += 2) {
    yield [middleOf(latency[index] ?? 0), latency[index + 1] ?? 0];
  }
}

function edgeFamilies({ edge }: TrafficReading): MetricFamily[] {
  const accepting = edge.workers.filter((worker) => worker.accepting).length;
  return [
    single('belay_edge_workers', 'Workers that accept connections.', accepting),
    single('belay_edge_snapshot', 'The snapshot that every worker routes by.', edge.snapshot),
    single('belay_edge_generation', 'Counts upgrades of the edge from 1.', edge.generation),
  ];
}

function capacityFamilies(environments: readonly EnvironmentView[]): MetricFamily[] {
  const bound = (name: keyof Capacity, help: string) =>
    family(
      `belay_environment_instances_${name}`,
      'gauge',
      help,
      environments.map(({ application, environment, capacity }) => ({
        labels: { application, environment },
        value: capacity[name],
      })),
    );
  return [
    bound('min', 'Instances that there are at least.'),
    bound('desired', 'Instances that are to be in service.'),
    bound('max', 'Instances that there are at most.'),
    family(
      'belay_environment_instances',
      'gauge',
      'Instances by their state.',
      environments.flatMap(({ application, environment, instances }) =>
        liveStates.map((state) => ({
          labels: { application, environment, state },
          value: instances.filter((instance) => instance.state === state).length,
        })),
      ),
    ),
  ];
}

/** What was not measured has no sample. */
function measuredFamilies(measured: readonly MetricsNow[]): MetricFamily[] {
  return [
    family(
      'belay_environment_requests_waiting',
      'gauge',
      'Requests that wait for an instance.',
      measured.flatMap(({ application, environment, waiting }) =>
        waiting === null ? [] : [{ labels: { application, environment }, value: waiting }],
      ),
    ),
    family(
      'belay_app_metric',
      'gauge',
      'Numbers of the apps’ own, as they scale by them.',
      measured.flatMap(({ application, environment, reported }) =>
        Object.entries(reported).map(([name, value]) => ({
          labels: { application, environment, name },
          value,
        })),
      ),
    ),
  ];
}

/** What passed through each instance, and whether it is fit for more. */
function targetFamilies({ environments, targets }: TrafficReading): MetricFamily[] {
  const instances = instancesOf(environments);
  const known = new Map(instances.map(({ view, labels }) => [view.id, labels]));
  const passed = targets.map((target) => ({
    target,
    labels: known.get(target.id) ?? { ...poolLabels(target.pool), instance: target.id },
  }));
  return [
    family(
      'belay_instance_requests_total',
      'counter',
      'Requests that ended at an instance.',
      passed.map(({ target, labels }) => ({ labels, value: target.requests })),
    ),
    family(
      'belay_instance_errors_total',
      'counter',
      'Of these, the app’s own 5xx (kind="app") and those that were lost or cut (kind="failure").',
      passed.flatMap(({ target, labels }) => [
        { labels: { ...labels, kind: 'app' }, value: target.appErrors },
        { labels: { ...labels, kind: 'failure' }, value: target.failures },
      ]),
    ),
    family(
      'belay_instance_in_flight',
      'gauge',
      'Requests inside an instance.',
      passed.map(({ target, labels }) => ({ labels, value: target.inFlight })),
    ),
    family(
      'belay_instance_up',
      'gauge',
      'Whether it is in service and passes its checks.',
      instances.map(({ view, labels }) => ({ labels, value: isUp(view) })),
    ),
  ];
}

/** What was not measured has no sample. */
function usageFamilies(environments: readonly EnvironmentView[]): MetricFamily[] {
  const gauge = (name: string, help: string, read: (view: InstanceView) => number | null) =>
    family(
      name,
      'gauge',
      help,
      instancesOf(environments).flatMap(({ view, labels }) => {
        const value = read(view);
        return value === null ? [] : [{ labels, value }];
      }),
    );
  return [
    gauge('belay_instance_cpu_cores', 'Processor time it uses, in cores.', ({ cpuPercent }) =>
      cpuPercent === null ? null : cpuPercent / 100,
    ),
    gauge('belay_instance_memory_bytes', 'Memory it uses.', ({ rssBytes }) => rssBytes),
  ];
}

const instancesOf = (
  environments: readonly EnvironmentView[],
): { view: InstanceView; labels: Labels }[] =>
  environments.flatMap(({ application, environment, instances }) =>
    instances.map((view) => ({ view, labels: labelsOf(application, environment, view) })),
  );

const liveStates = instanceMachine.states.filter((state) => !instanceMachine.isFinal(state));

const isUp = ({ state, health }: InstanceView): number =>
  state === 'in-service' && health === 'healthy' ? 1 : 0;

const labelsOf = (application: string, environment: string, view: InstanceView): Labels => ({
  application,
  environment,
  release: String(view.release),
  zone: view.zone,
  instance: view.id,
});

function placeOf({ environment: key, release, zone }: LedgerRow): Labels {
  const [application = '', environment = ''] = key.split('/');
  return { application, environment, release: String(release ?? ''), zone: zone ?? '' };
}

function poolLabels(pool: string): Labels {
  const [key = '', release = ''] = pool.split('#');
  const [application = '', environment = ''] = key.split('/');
  return { application, environment, release };
}

const family = (
  name: string,
  type: MetricFamily['type'],
  help: string,
  samples: readonly Sample[],
): MetricFamily => ({ name, type, help, samples });

const single = (
  name: string,
  help: string,
  value: number,
  type: MetricFamily['type'] = 'gauge',
): MetricFamily => family(name, type, help, [{ labels: {}, value }]);
