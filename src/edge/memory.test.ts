import { describe, expect, it } from 'vitest';
import { manualClock } from '../kernel/clock.ts';
import { poolId, type Snapshot, snapshotSchema, type Target } from '../model/snapshot.ts';
import type { EdgeEvent } from './driver.ts';
import { createMemoryEdge } from './memory.ts';

const POOL = poolId('shop/production', 1);

function snapshot(number: number, states: Record<string, Target['state']>): Snapshot {
  const targets = Object.entries(states).map(
    ([id, state]): Target => ({
      id,
      host: '127.0.0.1',
      port: 1,
      zone: 'a',
      state,
      drainUntil: null,
    }),
  );
  const health = {
    path: '/',
    matcher: { from: 200, to: 299 },
    intervalMs: 1_000,
    timeoutMs: 500,
    healthyThreshold: 2,
    unhealthyThreshold: 2,
  };
  const pool = { id: POOL, environment: 'shop/production', release: 1, health, targets };
  return snapshotSchema.parse({ number, rules: [], pools: [pool] });
}

describe('the edge that exists only as data', () => {
  it('gives targets the health of their state, and tells only what has changed', async () => {
    const edge = createMemoryEdge({ now: manualClock().now });
    const told: EdgeEvent[] = [];
    edge.watch((event) => told.push(event));
    await edge.publish(snapshot(1, { a: 'active', b: 'standby' }));
    await edge.publish(snapshot(2, { a: 'draining', b: 'standby' }));
    const healths = told.map((event) =>
      event.kind === 'targets' ? event.targets.map(({ id, health }) => `${id} ${health}`) : [],
    );
    expect(healths).toEqual([['a healthy', 'b unused'], ['a draining']]);
    expect((await edge.status()).snapshot).toBe(2);
  });

  it('keeps the health it was told across snapshots', async () => {
    const edge = createMemoryEdge({ now: manualClock().now, health: () => 'initial' });
    await edge.publish(snapshot(1, { a: 'active' }));
    edge.setHealth(POOL, 'a', 'unhealthy', 'answered 500');
    await edge.publish(snapshot(2, { a: 'active', b: 'active' }));
    const { targets } = await edge.status();
    expect(targets.map(({ id, health, reason }) => [id, health, reason])).toEqual([
      ['a', 'unhealthy', 'Target.FailedHealthChecks'],
      ['b', 'initial', 'Elb.InitialHealthChecking'],
    ]);
  });

  it('lets a standby target have what its checks said once it is routed to', async () => {
    const edge = createMemoryEdge({ now: manualClock().now });
    await edge.publish(snapshot(1, { a: 'standby', b: 'standby' }));
    edge.setHealth(POOL, 'a', 'unhealthy');
    const { targets: waiting } = await edge.status();
    expect(waiting.map(({ health, standby }) => [health, standby?.condition])).toEqual([
      ['unused', 'unhealthy'],
      ['unused', 'healthy'],
    ]);
    await edge.publish(snapshot(2, { a: 'active', b: 'active' }));
    const { targets: routed } = await edge.status();
    expect(routed.map(({ health, standby }) => [health, standby])).toEqual([
      ['unhealthy', undefined],
      ['healthy', undefined],
    ]);
  });

  it('refuses a snapshot that is not newer, and says which one it holds', async () => {
    const edge = createMemoryEdge({ now: manualClock().now });
    await edge.publish(snapshot(7, {}));
    await expect(edge.publish(snapshot(7, {}))).rejects.toMatchObject({
      code: 'stale-snapshot',
      details: { current: 7 },
    });
  });

  it('cannot be asked while it is out of reach, and says when it is back', async () => {
    const edge = createMemoryEdge({ now: manualClock().now });
    const told: string[] = [];
    edge.watch(({ kind }) => told.push(kind));
    edge.setReachable(false);
    await expect(edge.status()).rejects.toMatchObject({ code: 'edge-unreachable' });
    edge.setReachable(true);
    expect(told).toEqual(['disconnected', 'connected']);
    expect((await edge.status()).pid).toBeGreaterThan(0);
  });
});
