import { expect, it } from 'vitest';
import { seededRandom } from '../worker/balance/seeded-random.fixture.ts';
import { ask, edgeBefore, gullibleApp, KEPT_FOR_ALL, told } from './gullible-app.fixture.ts';
import { attacks, PLAIN, request } from './poisoning.fixture.ts';

/**
 * The attacks of the table, several in one request: a target of one with the method of another and
 * fields of a third. Whatever comes of it, the next client gets what it gets where nobody attacks.
 */

const ROUNDS = process.env.BELAY_NIGHTLY ? 8_000 : 300;
const MOST_FIELDS = 4;
const PATIENCE_MS = 300_000;

const [plainHead = ''] = request(PLAIN).split('\r\n\r\n');
const heads = attacks
  // What is refused in one is in all.
  .filter(({ safe }) => safe !== 'refused')
  .map(({ sends }) => sends.slice(0, sends.indexOf('\r\n\r\n')));
const parts = heads.map((head) => {
  const [line = '', ...fields] = head.split('\r\n');
  const [method = '', target = ''] = line.split(' ');
  return { method, target, fields: fields.filter((field) => !plainHead.includes(field)) };
});
const methods = [...new Set(['GET', ...parts.map(({ method }) => method)])];
const targets = [...new Set(parts.map(({ target }) => target))];
const fields = [...new Set(parts.flatMap((part) => part.fields))];

it.each([1, 2, 3, 4])(
  'attacks put together at random harm nobody else, with seed %i',
  async (seed) => {
    const random = seededRandom(seed);
    const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;
    const { origin } = await gullibleApp();
    const rules = [{ ...KEPT_FOR_ALL, query: { mode: 'except' as const, names: ['utm_*'] } }];
    const [attacked, quiet] = [
      await edgeBefore(origin.port, rules),
      await edgeBefore(origin.port, rules),
    ];
    const honest = told((await ask(quiet, request(PLAIN))).body, quiet);
    let kept = 0;
    for (let round = 0; round < ROUNDS / 4; round += 1) {
      // A page of its own for each, because what is kept by then would hide what comes after.
      const page = `/page-${seed}-${round}`;
      const named = Array.from({ length: Math.floor(random() * MOST_FIELDS) }, () => pick(fields));
      const method = random() < 0.6 ? 'GET' : pick(methods);
      const target = (random() < 0.6 ? PLAIN : pick(targets)).replaceAll(PLAIN, page);
      const body = random() < 0.2 ? 'page=evil' : '';
      const length = body === '' ? [] : [`Content-Length: ${body.length}`];
      const lines = ['Host: shop.example', ...named, ...length].join('\r\n');
      const sends = `${method} ${target} HTTP/1.1\r\n${lines}\r\n\r\n${body}`;
      await ask(attacked, sends);
      const victim = await ask(attacked, request(page));
      const got = told(victim.body, attacked).replaceAll(page, PLAIN);
      expect({ sends, status: victim.status, got }).toEqual({ sends, status: 200, got: honest });
      if (victim.cacheStatus.startsWith('belay; hit')) kept += 1;
    }
    // Some of them ask for nothing else than anybody.
    expect(kept).toBeGreaterThan(0);
  },
  PATIENCE_MS,
);
