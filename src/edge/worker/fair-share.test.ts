import { describe, expect, it } from 'vitest';
import { manualClock } from '../../kernel/clock.ts';
import type { ConnectionShare } from '../worker-record.ts';
import { BEAT_MS, FairShare } from './fair-share.ts';

/** A worker on a clock of its own making, beside one other. */
function worker() {
  const clock = manualClock(1_000_000);
  const state = { open: 0, paused: false, told: null as ConnectionShare | null };
  let other: ConnectionShare | null = null;
  const share = new FairShare({
    clock,
    tell: (told) => {
      state.told = told;
    },
    open: () => state.open,
    pause: () => {
      state.paused = true;
      return true;
    },
    resume: () => {
      state.paused = false;
    },
  });
  return {
    clock,
    state,
    share,
    peer: { read: () => other, close: () => undefined },
    /** The other worker says this now. */
    otherSays(connections: number, accepts = true) {
      other = { connections, accepts, at: clock.now() };
    },
    has(open: number) {
      state.open = open;
      share.changed();
    },
  };
}

describe('a worker beside another', () => {
  it('leaves the listener to the other while it is ahead, and takes it up again', async () => {
    const { clock, has, otherSays, peer, share, state } = worker();
    otherSays(0);
    share.setPeers([peer]);
    has(2);
    expect(state.paused).toBe(false);
    has(4);
    expect(state).toMatchObject({ paused: true, told: { connections: 4, accepts: false } });
    otherSays(3);
    await clock.advance(1);
    expect(state).toMatchObject({ paused: false, told: { connections: 4, accepts: true } });
  });

  it('may have a sixteenth more of many', () => {
    const { has, otherSays, peer, share, state } = worker();
    otherSays(1_000);
    share.setPeers([peer]);
    has(1_060);
    expect(state.paused).toBe(false);
    has(1_100);
    expect(state.paused).toBe(true);
  });

  it('does not wait for one that says nothing any more', async () => {
    const { clock, has, otherSays, peer, share, state } = worker();
    otherSays(0);
    share.setPeers([peer]);
    has(10);
    expect(state.paused).toBe(true);
    await clock.advance(700);
    expect(state.paused).toBe(false);
  });

  it('does not wait for one that waits itself, or is gone', async () => {
    const { clock, has, otherSays, peer, share, state } = worker();
    otherSays(0, false);
    await clock.advance(30);
    share.setPeers([peer]);
    has(10);
    expect(state.paused).toBe(false);
    otherSays(0);
    await clock.advance(BEAT_MS);
    expect(state.paused).toBe(true);
    share.setPeers([]);
    expect(state.paused).toBe(false);
  });

  it('waits for one that began to wait just now, and will look again in a moment', async () => {
    const { clock, has, otherSays, peer, share, state } = worker();
    otherSays(3, false);
    share.setPeers([peer]);
    has(6);
    expect(state.paused).toBe(true);
    otherSays(3);
    await clock.advance(1);
    expect(state.paused).toBe(true);
    otherSays(4);
    await clock.advance(2);
    expect(state.paused).toBe(false);
  });

  it('takes it up when its own have left', () => {
    const { has, otherSays, peer, share, state } = worker();
    otherSays(0);
    share.setPeers([peer]);
    has(10);
    has(1);
    expect(state.paused).toBe(false);
  });

  it('says that it is there, and nothing at each of many connections', async () => {
    const { clock, has, otherSays, peer, share, state } = worker();
    otherSays(1_000);
    share.setPeers([peer]);
    has(1_000);
    has(1_010);
    expect(state.told?.connections).toBe(1_000);
    await clock.advance(BEAT_MS);
    expect(state.told).toEqual({ connections: 1_010, accepts: true, at: clock.now() });
  });
});

describe('a worker alone', () => {
  it('says nothing, looks at nothing, and leaves no timer', async () => {
    const { clock, has, share, state } = worker();
    has(1_000);
    share.setPeers([]);
    await clock.advance(10 * BEAT_MS);
    expect(state).toMatchObject({ paused: false, told: null });
  });
});
