import type { CacheCounts, CacheRoom } from '../model/cache.ts';
import type { TrafficReading } from '../model/view.ts';
import type { Labels, MetricFamily, Sample } from './exposition.ts';

/** What Prometheus is told of caches: counters of environments, and what the edge keeps. */

/** What became of the requests of clients. */
const RESULTS = ['hits', 'stale', 'collapsed', 'stored', 'passed'] as const;

export function cacheFamilies({ ledger, edge }: TrafficReading): MetricFamily[] {
  const counted = Object.entries(ledger.cache ?? {}).map(([key, counts]) => {
    const [application = '', environment = ''] = key.split('/');
    return { counts, labels: { application, environment } };
  });
  const counter = (name: string, help: string, read: (counts: CacheCounts) => number) => ({
    name,
    type: 'counter' as const,
    help,
    samples: counted.map(({ counts, labels }) => ({ labels, value: read(counts) })),
  });
  return [
    {
      name: 'belay_cache_requests_total',
      type: 'counter',
      help: 'Requests that came to the cache: answered by it (hits, stale, collapsed), or by the app (stored, passed).',
      samples: counted.flatMap(({ counts, labels }) =>
        RESULTS.map((result) => ({ labels: { ...labels, result }, value: counts[result] })),
      ),
    },
    counter(
      'belay_cache_refreshes_total',
      'Requests of the cache’s own, to refresh what it keeps.',
      ({ refreshes }) => refreshes,
    ),
    counter(
      'belay_cache_saved_bytes_total',
      'Of bodies that did not come from the app.',
      ({ savedBytes }) => savedBytes,
    ),
    counter(
      'belay_cache_app_bytes_total',
      'Of bodies that did, kept or not.',
      ({ appBytes }) => appBytes,
    ),
    ...roomFamilies('memory', 'in memory, by worker', memoryOf(edge)),
    ...roomFamilies('disk', 'on disk, by all workers', diskOf(edge)),
  ];
}

interface Place {
  labels: Labels;
  room: CacheRoom;
}

function memoryOf({ workers }: TrafficReading['edge']): Place[] {
  return workers.flatMap(({ pid, cacheMemory: room }) =>
    room ? [{ labels: { worker: String(pid) }, room }] : [],
  );
}

/** All know of the same disk. */
function diskOf({ workers }: TrafficReading['edge']): Place[] {
  const room = workers.find((each) => each.accepting && each.cacheDisk)?.cacheDisk;
  return room ? [{ labels: {}, room }] : [];
}

function roomFamilies(name: string, where: string, places: readonly Place[]): MetricFamily[] {
  const samples = (read: (room: CacheRoom) => number | null): Sample[] =>
    places.flatMap(({ labels, room }) => {
      const value = read(room);
      return value === null ? [] : [{ labels, value }];
    });
  return [
    {
      name: `belay_cache_${name}_bytes`,
      type: 'gauge',
      help: `What is kept of responses ${where}.`,
      samples: samples(({ sizeBytes }) => sizeBytes),
    },
    {
      name: `belay_cache_${name}_responses`,
      type: 'gauge',
      help: `Responses that are kept ${where}.`,
      samples: samples(({ count }) => count),
    },
  ];
}
