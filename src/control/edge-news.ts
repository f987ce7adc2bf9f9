import type { EdgeEvent } from '../edge/driver.ts';
import type { NewEvent } from '../model/event.ts';

/** What is worth an event in what the edge says of itself; null for the rest. */
export function edgeNews(event: EdgeEvent): NewEvent | null {
  switch (event.kind) {
    case 'worker-died':
      return {
        severity: 'warning',
        type: 'edge-worker-died',
        message: `edge worker ${event.pid} was ended by ${event.signal ?? 'itself'}; at most ${event.unaccounted} requests have no account`,
      };
    case 'cache-disk':
      return cacheDiskNews(event);
    case 'disconnected':
      return {
        severity: 'warning',
        type: 'edge-disconnected',
        message: 'the edge’s supervisor is gone; its workers go on, and one of them starts another',
      };
    case 'connected':
      return {
        severity: 'info',
        type: 'edge-connected',
        message: `connected to the edge, generation ${event.status.generation}`,
      };
    default:
      return null;
  }
}

function cacheDiskNews({
  pid,
  trouble,
  detail,
}: Extract<EdgeEvent, { kind: 'cache-disk' }>): NewEvent {
  const by = `edge worker ${pid}`;
  switch (trouble) {
    case 'damaged':
      return {
        severity: 'warning',
        type: 'cache-damaged',
        message: `${by} has deleted a kept response instead of answering with it: ${detail}`,
      };
    case 'full':
      return {
        severity: 'warning',
        type: 'cache-disk-full',
        message: `${by} keeps no more responses on disk for now, and serves on without: ${detail}`,
      };
    case 'failed':
      return {
        severity: 'warning',
        type: 'cache-disk-failed',
        message: `${by} leaves the responses on disk alone for now, and serves on without: ${detail}`,
      };
    case 'recovered':
      return { severity: 'info', type: 'cache-disk-recovered', message: `${by}: ${detail}` };
  }
}
