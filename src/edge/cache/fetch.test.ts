import type { ServerResponse } from 'node:http';
import { describe, expect, test } from 'vitest';
import { HONOUR_THE_APP } from '../../model/cache.ts';
import { httpOrigin, type RawClient, settled, testEdge } from '../worker/edge.fixture.ts';

/** Who gets what is fetched, by what comes of it, while it comes. */

const cache = { rules: [HONOUR_THE_APP], release: null, purgedUpTo: 0, purges: [] };

/** It tells each the language he asked for, piece by piece. */
async function languages() {
  const answers: ServerResponse[] = [];
  const app = await httpOrigin(({ headers }, response) => {
    response.setHeader('Cache-Control', 'max-age=60').setHeader('Vary', 'X-Language');
    response.write(`${headers['x-language']}, `);
    answers.push(response);
  });
  const edge = await testEdge([{ port: app.port }], { rule: { cache } });
  const ask = (language: string): RawClient => {
    const client = edge.connect();
    client.socket.write(`GET / HTTP/1.1\r\nHost: a\r\nX-Language: ${language}\r\n\r\n`);
    return client;
  };
  const end = async (): Promise<void> => {
    for (const answer of answers.splice(0)) answer.end('to the end');
    await settled();
  };
  return { answers, ask, edge, end };
}

describe('an answer that varies', () => {
  test('is not for who comes while it comes, and asks for another; he shares what he asks for', async () => {
    const { answers, ask, edge, end } = await languages();
    const first = ask('de');
    await first.until(/de, /);
    const others = [ask('fr'), ask('fr'), ask('de')];
    await settled();
    expect(answers).toHaveLength(2);
    await end();
    const [one, two, three] = await Promise.all(others.map((each) => each.until(/to the end/)));
    expect(one).toContain('fr, ');
    expect(two).toContain('fr, ');
    expect(three).toContain('de, ');
    expect(edge.outcomes()).toEqual({ ok: 2, cached: 2 });
  });

  test('is not for who waited for it, and asks for another', async () => {
    const { answers, ask, edge, end } = await languages();
    const all = ['de', 'fr', 'fr', 'en', 'de'].map(ask);
    await settled();
    expect(answers).toHaveLength(3);
    await end();
    const texts = await Promise.all(all.map((each) => each.until(/to the end/)));
    expect(texts.map((text) => /\n([a-z]{2}), /.exec(text)?.[1])).toEqual([
      'de',
      'fr',
      'fr',
      'en',
      'de',
    ]);
    expect(edge.outcomes()).toEqual({ ok: 3, cached: 2 });
  });
});
