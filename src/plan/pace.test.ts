import { expect, it } from 'vitest';
import type { JournalEntry, Step } from '../model/step.ts';
import { paceOf } from './pace.ts';

let id = 0;
function entry(step: Step, plannedAt: number, endedAt = plannedAt): JournalEntry {
  id += 1;
  const environment = 'shop/production';
  return { id, environment, deployment: 1, step, state: 'done', plannedAt, endedAt, error: null };
}

function life(instance: string, bootMs: number, drainMs: number, stopMs: number): JournalEntry[] {
  const reason = '';
  return [
    entry({ kind: 'launch', instance, release: 1, zone: 'a', reason }, 0),
    entry({ kind: 'admit', instance, reason }, bootMs),
    entry({ kind: 'retire', instance, reason }, 10_000),
    entry({ kind: 'terminate', instance, reason }, 10_000 + drainMs, 10_000 + drainMs + stopMs),
  ];
}

it('is what most instances took, so that one that was slow says little', () => {
  const entries = [...life('i-1', 300, 40, 5), ...life('i-2', 320, 60, 7)];
  const pace = paceOf([...entries, ...life('i-3', 9_000, 8_000, 7_000)]);
  expect(pace).toEqual({ bootMs: 320, drainMs: 60, stopMs: 7 });
});

it('does not take a return to service for a start', () => {
  const reason = '';
  const entries = [
    entry({ kind: 'retire', instance: 'i-1', reason }, 0),
    entry({ kind: 'hold', instance: 'i-1', reason }, 50),
    entry({ kind: 'admit', instance: 'i-1', reason }, 90_000),
  ];
  expect(paceOf(entries)).toEqual({ bootMs: null, drainMs: null, stopMs: null });
});
