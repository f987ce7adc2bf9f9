import { ask, expectThat } from '../edge/answer-check.ts';
import type { Contender } from '../edge/contender.ts';
import { KEPT_BYTES, ofKept } from './origin.ts';

/** Each of several workers, which keep for themselves, has had a request by then. */
const ASKED_FIRST = 8;
/** What says of itself where it is from says so: Cache-Status, X-Cache-Status. */
const HIT = /\bhit\b/i;

/** Throws unless everything that may be kept comes whole, and from what is kept. */
export async function checkKept(contender: Contender, origin: Contender): Promise<void> {
  for (const [name, sizeBytes] of Object.entries(KEPT_BYTES)) {
    await warm(contender, [`/${name}`]);
    const got = await ofKept(origin, contender.name, () => ask(contender, 'GET', `/${name}`, 0));
    const status = got.fields['cache-status'] ?? got.fields['x-cache-status'] ?? 'hit';
    const isRight = got.status === 200 && got.sizeBytes === sizeBytes && HIT.test(`${status}`);
    expectThat(contender, `GET /${name}`, isRight, got);
  }
}

/** Has these kept. */
export async function warm(contender: Contender, paths: readonly string[]): Promise<void> {
  for (let each = 0; each < ASKED_FIRST; each += 1) {
    for (const path of paths) await ask(contender, 'GET', path, 0);
  }
}
