import type { Socket } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ManualClock, manualClock } from '../../kernel/clock.ts';
import { HONOUR_THE_APP } from '../../model/cache.ts';
import { rawOrigin, settled, type TestEdge, testEdge } from '../worker/edge.fixture.ts';
import { readAnswer } from './conformance/answer.fixture.ts';
import {
  type AppAnswer,
  type Asked,
  ageOf,
  type Given,
  objection,
} from './conformance/oracle.fixture.ts';
import { httpDate } from './http-date.ts';

/** Whatever is asked and answered, in whatever order: nobody gets what is not for him, or too old. */

const NIGHTLY = process.env.BELAY_NIGHTLY !== undefined;
/** So long after it has failed the app is not asked again for the same. */
const NOT_ASKED_AGAIN_S = 2;
const RUNS = NIGHTLY ? 3_000 : 60;

const time = fc.option(fc.constantFrom(0, 10, 30), { nil: null });
const appAnswer: fc.Arbitrary<AppAnswer> = fc.record({
  status: fc.constantFrom(200, 200, 200, 404),
  maxAgeS: fc.option(fc.constantFrom(0, 10, 30), { nil: null, freq: 6 }),
  sharedMaxAgeS: fc.option(fc.constantFrom(0, 20), { nil: null, freq: 1 }),
  flags: fc.oneof(
    { weight: 3, arbitrary: fc.constant([]) },
    {
      weight: 1,
      arbitrary: fc.subarray(
        ['no-store', 'private', 'no-cache', 'must-revalidate', 'public'] as const,
        { maxLength: 2 },
      ),
    },
  ),
  whileRevalidateS: time,
  ifErrorS: time,
  ageS: fc.constantFrom(0, 0, 5),
  variesByA: fc.boolean(),
});

/** How the app answers when it is asked in a step. */
const app = fc.record({
  answer: appAnswer,
  fails: fc.constantFrom('no', 'no', 'no', 'no', '503', 'dead'),
  /** What is asked about has not changed. */
  confirms: fc.boolean(),
});

const asked = fc.record({
  path: fc.constantFrom('/a', '/b'),
  a: fc.constantFrom('', '1', '2'),
  isKnown: fc.constantFrom(false, false, false, true),
  wish: fc.constantFrom(
    ...(['none', 'none', 'none', 'no-cache', 'max-age=5', 'max-stale=10', 'no-store'] as const),
  ),
});

const step = fc.record({
  afterS: fc.constantFrom(0, 1, 7, 15, 40),
  asked,
  app,
  method: fc.constantFrom('GET', 'GET', 'GET', 'GET', 'HEAD', 'POST'),
  range: fc.constantFrom('', '', '', 'bytes=2-4'),
});
type Step = typeof step extends fc.Arbitrary<infer Each> ? Each : never;

/** One world for all runs: an app whose answers are numbered, and the edge before it. */
class World {
  readonly given: Given[] = [];
  readonly changed = new Map<string, number>();
  /** When the app failed at an address for the last time. */
  private readonly failed = new Map<string, number>();
  edge: TestEdge | null = null;
  private readonly clock: ManualClock;
  private now: { step: Step; asked: Asked } | null = null;
  private confirmed = -1;
  private firstOfStep = 0;

  constructor(clock: ManualClock) {
    this.clock = clock;
  }

  get nowS(): number {
    return this.clock.monotonic() / 1000;
  }

  /** What the app says to a request. Its body is its number. */
  answerTo(request: string, socket: Socket): void {
    if (this.now === null) return;
    const {
      asked: to,
      step: { app: told, method },
    } = this.now;
    if (told.fails !== 'no') this.failed.set(to.path, this.nowS);
    if (told.fails === 'dead') {
      socket.destroy();
      return;
    }
    const { answer } = told;
    const mine = Number(/\r\nIf-None-Match: "(\d+)"/i.exec(request)?.[1] ?? -1);
    const lines = linesOf(answer, this.clock.now());
    if (told.fails === '503') {
      socket.write('HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n');
    } else if (mine >= 0 && told.confirms) {
      const before = this.given[mine];
      // The status is that of before, and so is whom it was for.
      if (before)
        this.given[mine] = {
          answer: { ...answer, status: before.answer.status },
          to,
          atS: this.nowS,
        };
      this.confirmed = mine;
      socket.write(`HTTP/1.1 304 Same\r\n${lines}ETag: "${mine}"\r\n\r\n`);
    } else {
      const number = this.given.push({ answer, to, atS: this.nowS }) - 1;
      const body = bodyOf(number);
      const head = `HTTP/1.1 ${answer.status} Said\r\n${lines}ETag: "${number}"\r\nContent-Length: ${body.length}\r\n\r\n`;
      socket.write(method === 'HEAD' && request.startsWith('HEAD') ? head : head + body);
      if (method === 'POST' && answer.status < 400) this.changed.set(to.path, this.nowS);
    }
  }

  async take(each: Step, run: string): Promise<void> {
    await this.clock.advance(each.afterS * 1000);
    const to = { ...each.asked, path: `/${run}${each.asked.path}` };
    this.now = { step: each, asked: to };
    this.confirmed = -1;
    this.firstOfStep = this.given.length;
    const before = [...this.given];
    const changedS = this.changed.get(to.path) ?? -1;
    const answer = await ask(this.edge, each, to);
    await settled(3);
    if (each.method !== 'GET' || ![200, 206, 404].includes(answer.status)) return;
    const number = Number(/\d{6}/.exec(answer.tag)?.[0] ?? answer.tag.replaceAll('"', ''));
    const confirmed = this.confirmed === number && !answer.isHit;
    const given = confirmed ? this.given[number] : (before[number] ?? this.given[number]);
    const whole = bodyOf(number);
    expect(answer.body).toBe(answer.status === 206 ? whole.slice(2, 5) : whole);
    expect(given).toBeDefined();
    if (given === undefined || number >= this.firstOfStep) return;
    const meanwhile = {
      nowS: this.nowS,
      changedS,
      appFailed: this.nowS - (this.failed.get(to.path) ?? -1_000) < NOT_ASKED_AGAIN_S,
      confirmed,
    };
    expect({ number, why: objection(given, to, meanwhile) }).toEqual({ number, why: null });
    expect(answer.ageS).toBe(Math.floor(ageOf(given, this.nowS)));
  }
}

const bodyOf = (number: number): string => `body ${String(number).padStart(6, '0')}`;

function linesOf(answer: AppAnswer, now: number): string {
  const directives = [
    ...answer.flags,
    ...(answer.maxAgeS === null ? [] : [`max-age=${answer.maxAgeS}`]),
    ...(answer.sharedMaxAgeS === null ? [] : [`s-maxage=${answer.sharedMaxAgeS}`]),
    ...(answer.whileRevalidateS === null
      ? []
      : [`stale-while-revalidate=${answer.whileRevalidateS}`]),
    ...(answer.ifErrorS === null ? [] : [`stale-if-error=${answer.ifErrorS}`]),
  ];
  return (
    `Date: ${httpDate(now)}\r\nCache-Control: ${directives.join(', ')}\r\n` +
    (answer.ageS > 0 ? `Age: ${answer.ageS}\r\n` : 'Age: 0\r\n') +
    `Vary: ${answer.variesByA ? 'X-A' : ''}\r\n`
  );
}

async function ask(edge: TestEdge | null, { method, range }: Step, to: Asked) {
  if (edge === null) throw new Error('there is no edge');
  const client = edge.connect();
  client.socket.write(
    `${method} ${to.path} HTTP/1.1\r\nHost: a\r\n` +
      (to.a === '' ? '' : `X-A: ${to.a}\r\n`) +
      (to.isKnown ? 'Authorization: Basic YTpi\r\n' : '') +
      (to.wish === 'none' ? '' : `Cache-Control: ${to.wish}\r\n`) +
      (range === '' ? '' : `Range: ${range}\r\n`) +
      '\r\n',
  );
  const read = await new Promise<NonNullable<ReturnType<typeof readAnswer>>>((resolve) => {
    const look = (ended: boolean) => {
      const answer = readAnswer(client.received(), method === 'HEAD', ended);
      if (answer !== null) resolve(answer);
    };
    client.socket.on('data', () => look(false)).once('close', () => look(true));
  });
  client.socket.destroy();
  const field = (name: string): string =>
    read.lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2) ?? '';
  return {
    status: read.status,
    body: read.body,
    tag: field('ETag'),
    ageS: Number(field('Age')),
    isHit: field('Cache-Status').includes('; hit'),
  };
}

describe('the cache, whatever happens', () => {
  it('gives nobody what is not for him, or too old', async () => {
    const clock = manualClock();
    const world = new World(clock);
    const held = new Map<Socket, string>();
    const origin = await rawOrigin((socket, bytes) => {
      const text = (held.get(socket) ?? '') + bytes;
      const isWhole = text.includes('\r\n\r\n');
      held.set(socket, isWhole ? '' : text);
      if (isWhole) world.answerTo(text, socket);
    });
    const rule = { ...HONOUR_THE_APP, staleIfErrorS: 0 };
    world.edge = await testEdge([{ port: origin.port }], {
      clock,
      rule: { cache: { rules: [rule], release: null, purgedUpTo: 0, purges: [] } },
    });
    let runs = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 2, maxLength: 12 }), async (steps) => {
        runs += 1;
        for (const each of steps) await world.take(each, String(runs));
      }),
      { numRuns: RUNS },
    );
  });
});
