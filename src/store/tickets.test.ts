import { expect, it } from 'vitest';
import type { Ticket } from '../model/ticket.ts';
import { openSqliteStore } from './sqlite.ts';

const KEY = 'shop/production';

const ticket = (number: number, endedAt: number | null): Ticket => ({
  environment: KEY,
  number,
  request: { kind: 'restart' },
  by: 'ann',
  message: null,
  force: false,
  askedAt: 0,
  state: endedAt === null ? 'waiting' : 'started',
  reason: null,
  deployment: endedAt === null ? null : number,
  endedAt,
});

it('gives tickets back newest first, as they were last written', () => {
  const store = openSqliteStore(':memory:');
  for (const number of [1, 2, 3]) store.saveTicket(ticket(number, null));
  store.saveTicket(ticket(2, 500));
  expect(store.tickets(KEY, 2)).toEqual([ticket(3, null), ticket(2, 500)]);
  expect(store.tickets('shop/staging', 2)).toEqual([]);
  store.close();
});

it('forgets what has waited long ago, but neither what waits nor the newest number', () => {
  const store = openSqliteStore(':memory:');
  store.saveTicket(ticket(1, 100));
  store.saveTicket(ticket(2, null));
  store.saveTicket(ticket(3, 900));
  store.saveTicket(ticket(4, 100));
  store.forgetBefore(500);
  expect(store.tickets(KEY, 10).map(({ number }) => number)).toEqual([4, 3, 2]);
  store.close();
});
