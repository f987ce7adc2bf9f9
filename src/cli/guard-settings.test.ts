import { expect, it } from 'vitest';
import type { Guard } from '../model/guard.ts';
import { guardSettings } from './guard-settings.ts';

const open: Guard = { path: '/', signed: false, referers: null, bots: null, rate: null };

it('says that anybody may ask for anything', () => {
  expect(guardSettings([])).toEqual([['edge.guard', 'false']]);
});

it('writes guards as they are written in the file, in the order in which they count', () => {
  const own = { hosts: [], strict: false };
  const refuse = ['gptbot'];
  const guards: Guard[] = [
    { ...open, path: '/open/*' },
    { ...open, path: '/a', signed: true, rate: { requestsPerSecond: 5, burst: 10 } },
    { ...open, path: '/b', referers: own, bots: { refuse, allow: [], nameless: true } },
    { ...open, path: '/c', referers: { ...own, hosts: ['x.example'] } },
    { ...open, path: '/d', referers: { hosts: ['x.example'], strict: true } },
    { ...open, path: '/e', bots: { refuse, allow: ['google'], nameless: false } },
    { ...open, path: '/f', bots: { refuse: [], allow: [], nameless: false } },
  ];
  expect(guardSettings(guards)).toEqual([
    ['edge.guard', '/open/*, /a, /b, /c, /d, /e, /f'],
    ['edge.guard./open/*', 'false'],
    ['edge.guard./a', '{ signed: true, rate: { requestsPerSecond: 5, burst: 10 } }'],
    ['edge.guard./b', "{ referers: true, bots: ['gptbot'] }"],
    ['edge.guard./c', "{ referers: ['x.example'] }"],
    ['edge.guard./d', "{ referers: { hosts: ['x.example'], strict: true } }"],
    ['edge.guard./e', "{ bots: { refuse: ['gptbot'], allow: ['google'], nameless: false } }"],
    ['edge.guard./f', '{ bots: { nameless: false } }'],
  ]);
});
