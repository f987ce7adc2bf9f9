import { describe, expect, it } from 'vitest';
import { freshness } from './conformance/freshness.fixture.ts';
import { reuse } from './conformance/reuse.fixture.ts';
import { run } from './conformance/run.fixture.ts';
import { storing } from './conformance/storing.fixture.ts';
import { validation } from './conformance/validation.fixture.ts';

/** What RFC 9111 and its neighbours require of a shared cache, each line over real sockets. */

const requirements = [...storing, ...freshness, ...reuse, ...validation];

describe('the cache', () => {
  it.each(requirements)('$rfc $id: $says', (requirement) => run(requirement));

  it('has a name of its own for each line', () => {
    expect(new Set(requirements.map(({ id }) => id)).size).toBe(requirements.length);
  });
});
