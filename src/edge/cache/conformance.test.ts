import { describe, expect, it } from 'vitest';
import { conditions } from './conformance/conditions.fixture.ts';
import { directives } from './conformance/directives.fixture.ts';
import { freshness } from './conformance/freshness.fixture.ts';
import { invalidation } from './conformance/invalidation.fixture.ts';
import { parts } from './conformance/parts.fixture.ts';
import { ranges } from './conformance/ranges.fixture.ts';
import { reports } from './conformance/reports.fixture.ts';
import { app, FRESH, kept, line, type Step } from './conformance/requirement.fixture.ts';
import { reuse } from './conformance/reuse.fixture.ts';
import { run } from './conformance/run.fixture.ts';
import { immutable, staleness } from './conformance/staleness.fixture.ts';
import { storing } from './conformance/storing.fixture.ts';
import { targeted } from './conformance/targeted.fixture.ts';
import { validation } from './conformance/validation.fixture.ts';

/** What RFC 9111 and its neighbours require of a shared cache, each line over real sockets. */

const requirements = [
  ...storing,
  ...freshness,
  ...reuse,
  ...validation,
  ...conditions,
  ...invalidation,
  ...directives,
  ...ranges,
  ...parts,
  ...staleness,
  ...immutable,
  ...reports,
  ...targeted,
];

describe('the cache', () => {
  it.each(requirements)('$rfc $level $id: $says', (requirement) => run(requirement));
});

describe('the table', () => {
  it('has a name of its own for each line', () => {
    const ids = requirements.map(({ id }) => id);
    expect(ids.filter((id, i) => ids.indexOf(id) !== i)).toEqual([]);
  });

  it.each<[string, Step[]]>([
    ['the app is asked, and should not be', [app([]), kept()]],
    ['the app is not asked, and should be', [app(FRESH), app(FRESH)]],
    ['another status comes', [app(FRESH), kept({ status: 404 })]],
    ['another body comes', [app(FRESH), kept({ gets: 'x' })]],
    ['a field is missing', [app(FRESH, { has: ['X-A: 1'] })]],
    ['a field is there', [app(FRESH, { lacks: ['Date'] })]],
    ['the app is not told', [app(FRESH, { told: ['X-A: 1'] })]],
    ['the app is told', [app(FRESH, { untold: ['Host'] })]],
    ['another report comes', [app(FRESH, { reports: ['hit'] })]],
  ])('notices when %s', async (_, steps) => {
    await expect(run(line('x', ['9111', 'MUST'], 'x', ...steps))).rejects.toThrow();
  });
});
