import { describe, expect, it } from 'vitest';
import { SimulatedControl } from '../../test/support/simulated-control.ts';
import type { EdgeEvent } from '../edge/driver.ts';
import { edgeNews } from './edge-news.ts';

const ofDisk = (trouble: Extract<EdgeEvent, { kind: 'cache-disk' }>['trouble']): EdgeEvent => ({
  kind: 'cache-disk',
  pid: 812,
  trouble,
  detail: 'write /a: ENOSPC: no space left on device',
});

describe('what the edge says of itself', () => {
  it.each([
    ['damaged', 'warning', 'cache-damaged', 'has deleted a kept response'],
    ['full', 'warning', 'cache-disk-full', 'serves on without'],
    ['failed', 'warning', 'cache-disk-failed', 'serves on without'],
    ['recovered', 'info', 'cache-disk-recovered', ''],
  ] as const)('is an event when the disk of the cache is %s', (trouble, severity, type, said) => {
    const event = edgeNews(ofDisk(trouble));
    expect(event).toMatchObject({ severity, type });
    expect(event?.message).toContain('edge worker 812');
    expect(event?.message).toContain(said);
    expect(event?.message).toContain('ENOSPC');
  });

  it('is an event when a worker dies, with what is not accounted for', () => {
    const died = edgeNews({ kind: 'worker-died', pid: 7, signal: 'SIGKILL', unaccounted: 3 });
    expect(died).toMatchObject({ severity: 'warning', type: 'edge-worker-died' });
    expect(died?.message).toMatch(/worker 7 was ended by SIGKILL; at most 3 requests/);
  });

  it('is none where it is about targets', () => {
    expect(edgeNews({ kind: 'targets', targets: [] })).toBe(null);
    expect(edgeNews({ kind: 'wanted', environments: [] })).toBe(null);
  });

  it('is put on record, once', async () => {
    await using simulated = new SimulatedControl();
    await simulated.start();
    simulated.edge.setCacheDisk('full', 'ENOSPC: no space left on device');
    const events = simulated.store.events({ after: 0, limit: 100 });
    expect(events.filter(({ type }) => type.startsWith('cache-'))).toMatchObject([
      { severity: 'warning', type: 'cache-disk-full' },
    ]);
  });
});
