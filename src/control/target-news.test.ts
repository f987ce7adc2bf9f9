import { expect, it } from 'vitest';
import type { DeepReport, TargetStatus } from '../model/target.ts';
import { TargetNews } from './target-news.ts';

const target = (id: string, changes: Partial<TargetStatus> = {}): TargetStatus => ({
  id,
  pool: 'shop/production#1',
  health: 'healthy',
  reason: null,
  description: '',
  since: 0,
  inFlight: 0,
  tunnels: 0,
  ejection: null,
  deep: null,
  ...changes,
});

const well: DeepReport = { passed: true, description: '', parts: [] };
const failing = (...names: string[]): DeepReport => ({
  passed: false,
  description: 'answered 503 to GET /readyz',
  parts: names.map((name) => ({ name, passed: false, detail: 'connection refused' })),
});

/** The messages of what has changed. */
const told = (news: TargetNews, ...targets: TargetStatus[]): string[] =>
  news.changes(targets).map(({ message }) => message);

it('tells a dependency that begins to fail once, however many instances say so', () => {
  const news = new TargetNews();
  expect(told(news, target('a', { deep: well }), target('b'))).toEqual([]);
  const down = { deep: failing('database') };
  expect(news.changes([target('a', down), target('b')])).toEqual([
    {
      severity: 'warning',
      type: 'dependency-failing',
      environment: 'shop/production',
      message: 'database: connection refused (a)',
    },
  ]);
  expect(told(news, target('a', down), target('b', down))).toEqual([]);
  expect(told(news, target('a', { deep: well }), target('b', down))).toEqual([]);
  expect(news.changes([target('a', { deep: well }), target('b', { deep: well })])).toEqual([
    {
      severity: 'info',
      type: 'dependency-recovered',
      environment: 'shop/production',
      message: 'database is well again',
    },
  ]);
});

it('tells one dependency apart from another', () => {
  const news = new TargetNews();
  told(news, target('a', { deep: failing('database') }));
  expect(told(news, target('a', { deep: failing('database', 'cache') }))).toEqual([
    'cache: connection refused (a)',
  ]);
  expect(told(news, target('a', { deep: failing('cache') }))).toEqual(['database is well again']);
});

it('does not take a dependency for well because nobody is asked any more', () => {
  const news = new TargetNews();
  told(news, target('a', { deep: failing('database') }));
  expect(told(news, target('a', { health: 'draining' }), target('b'))).toEqual([]);
  expect(told(news, target('b', { deep: failing('database') }))).toEqual([]);
  expect(told(news, target('b', { deep: well }))).toEqual(['database is well again']);
});

it('tells a deep check that names no parts', () => {
  const news = new TargetNews();
  expect(told(news, target('a', { deep: failing() }))).toEqual(['a: answered 503 to GET /readyz']);
  expect(told(news, target('a', { deep: well }))).toEqual(['the deep check is well again']);
});

it('tells when an instance is left out, and when it is taken back', () => {
  const news = new TargetNews();
  const out = { ejection: '5 errors in a row; left out for 30 s' };
  expect(news.changes([target('a', out), target('b')])).toMatchObject([
    {
      type: 'instance-left-out',
      instance: 'a',
      message: 'a gets no requests for a while: 5 errors in a row; left out for 30 s',
    },
  ]);
  expect(told(news, target('a', out), target('b'))).toEqual([]);
  expect(news.changes([target('a'), target('b')])).toMatchObject([
    { type: 'instance-taken-back', instance: 'a', message: 'a is not left out any more' },
  ]);
});

it('does not say that an instance is back that is gone', () => {
  const news = new TargetNews();
  told(news, target('a', { ejection: 'bad' }), target('b'));
  expect(told(news, target('b'))).toEqual([]);
});

it('says nothing of an environment that is gone', () => {
  const news = new TargetNews();
  told(news, target('a', { deep: failing('database'), ejection: 'bad' }));
  expect(told(news)).toEqual([]);
});
