import { expect, it } from 'vitest';
import type { Ejection } from '../../model/traffic.ts';
import { WINDOW_MS } from './ejection.ts';
import { Ejector, type Member } from './ejector.ts';
import { Standing } from './standing.ts';

const settings: Ejection = { consecutiveErrors: 5, timeMs: 30_000, maxPercent: 50 };

interface TestMember extends Member {
  passesChecks: boolean;
}

const byId = (members: readonly Member[]) =>
  new Map(members.map((member, i) => [`i-${i}`, member]));

/** Members that have answered well, and an ejector whose clock stands at 0. */
function pool(count: number, ejection: Ejection | null = settings) {
  const ejector = new Ejector(0);
  const members = Array.from({ length: count }, (): TestMember => {
    return { standing: new Standing(), passesChecks: true };
  });
  const answer = (target: number, well: boolean, times: number) => {
    for (let i = 0; i < times; i += 1) members[target]?.standing.conduct.note(well);
  };
  for (const target of members.keys()) answer(target, true, 100);
  return {
    members,
    answer,
    review: (nowMs: number) => ejector.review(byId(members), ejection, nowMs),
    leftOut: () =>
      members.flatMap(({ standing }, target) => (standing.leftOut === null ? [] : [target])),
  };
}

it('leaves a target out at once for a run of errors, and lets it back after its time', () => {
  const { members, answer, review, leftOut } = pool(3);
  answer(1, false, 5);
  expect(review(100)).toBe(true);
  expect(leftOut()).toEqual([1]);
  expect(members[1]?.standing.leftOut?.description).toBe('5 errors in a row; left out for 30 s');
  expect(review(30_099)).toBe(false);
  expect(leftOut()).toEqual([1]);
  expect(review(30_100)).toBe(true);
  expect(leftOut()).toEqual([]);
});

it('judges one that is back by what it does from then on', () => {
  const { answer, review, leftOut } = pool(3);
  answer(1, false, 50);
  review(0);
  review(30_000);
  answer(1, false, 4);
  expect(review(30_001)).toBe(false);
  answer(1, false, 1);
  expect(review(30_002)).toBe(true);
  expect(leftOut()).toEqual([1]);
});

it('leaves it out for longer each time, at most ten times as long, and forgets in time', () => {
  const { members, answer, review } = pool(2);
  const spans: number[] = [];
  let nowMs = 0;
  const leaveOut = () => {
    answer(0, false, 5);
    review(nowMs);
    const untilMs = members[0]?.standing.leftOut?.untilMs ?? Number.NaN;
    spans.push((untilMs - nowMs) / 1_000);
    nowMs = untilMs;
    review(nowMs);
  };
  for (let time = 0; time < 12; time += 1) leaveOut();
  expect(spans).toEqual([30, 60, 90, 120, 150, 180, 210, 240, 270, 300, 300, 300]);
  nowMs += 5 * 30_000;
  leaveOut();
  expect(spans.at(-1)).toBe(180);
});

it('leaves out the worst for their share of errors when the window ends', () => {
  const { answer, review, leftOut } = pool(4);
  for (let i = 0; i < 100; i += 1) {
    answer(2, i % 2 === 0, 1);
    for (const target of [0, 1, 3]) answer(target, true, 1);
  }
  expect(review(WINDOW_MS - 1)).toBe(false);
  expect(review(WINDOW_MS)).toBe(true);
  expect(leftOut()).toEqual([2]);
});

it('forgets shares when the window ends', () => {
  const { answer, review } = pool(2);
  answer(0, true, 300);
  review(WINDOW_MS);
  for (let i = 0; i < 40; i += 1) answer(0, i % 2 === 0, 1);
  answer(1, true, 100);
  expect(review(2 * WINDOW_MS)).toBe(false);
});

it('never leaves out more than the share, nor the last one', () => {
  const half = pool(5);
  for (const target of [0, 1, 2]) half.answer(target, false, 100);
  half.review(0);
  expect(half.leftOut()).toHaveLength(2);

  const all = pool(3, { ...settings, maxPercent: 100 });
  all.answer(0, false, 100);
  all.answer(1, false, 100);
  all.review(0);
  all.answer(2, false, 1_000);
  all.review(1);
  expect(all.leftOut()).toHaveLength(2);

  const one = pool(1);
  one.answer(0, false, 1_000);
  expect(one.review(WINDOW_MS)).toBe(false);
});

it('counts neither those that fail their checks nor what they answered', () => {
  const { members, answer, review, leftOut } = pool(3);
  for (const member of members.slice(1)) member.passesChecks = false;
  answer(0, false, 100);
  expect(review(0)).toBe(false);
  answer(1, false, 100);
  expect(review(1)).toBe(false);
  for (const member of members) member.passesChecks = true;
  expect(review(2)).toBe(true);
  expect(leftOut()).toEqual([0]);
});

it('begins anew with a target that has failed its checks meanwhile', () => {
  const { members, answer, review, leftOut } = pool(3);
  answer(1, false, 5);
  review(0);
  const [, failing] = members;
  if (failing) failing.passesChecks = false;
  expect(review(250)).toBe(true);
  if (failing) failing.passesChecks = true;
  expect(review(500)).toBe(false);
  expect(leftOut()).toEqual([]);
});

it('leaves nobody out where that is off, and lets back who was', () => {
  const ejector = new Ejector(0);
  const members = Array.from({ length: 2 }, () => ({
    standing: new Standing(),
    passesChecks: true,
  }));
  for (let i = 0; i < 9; i += 1) members[0]?.standing.conduct.note(false);
  expect(ejector.review(byId(members), null, 0)).toBe(false);
  expect(ejector.review(byId(members), settings, 1)).toBe(true);
  expect(ejector.review(byId(members), null, 2)).toBe(true);
  expect(members[0]?.standing.leftOut).toBeNull();
});
