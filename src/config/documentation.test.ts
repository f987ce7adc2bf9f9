import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type CacheRule, HONOUR_THE_APP } from '../model/cache.ts';
import { type Guard, guardSchema } from '../model/guard.ts';
import { loadConfiguration } from './load.ts';

const page = readFileSync(join(import.meta.dirname, '../../docs/configuration.md'), 'utf8');
const example = /```ts\n([\s\S]*?)```/.exec(page)?.[1] ?? '';

/** Below a path of `edge.cache`. */
const ruleKeyPaths = [
  ...['ttl', 'ttl.min', 'ttl.default', 'ttl.max', 'key.query', 'key.headers', 'key.cookies'],
  ...['stale.whileRevalidate', 'stale.ifError', 'errors', 'heuristics', 'tags'],
];

function loadExample(environment: string) {
  const directory = mkdtempSync(join(tmpdir(), 'belay-docs-'));
  try {
    writeFileSync(join(directory, 'belay.config.ts'), example);
    return loadConfiguration(directory, environment);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

describe('the documentation', () => {
  it('has an example that loads, and that writes every key there is but upstream', () => {
    const { provenance } = loadExample('production');
    const unwritten = Object.keys(provenance).filter((path) => provenance[path] !== 'file');
    expect(unwritten).toEqual([]);
    expect(loadExample('staging').configuration.web.capacity).toEqual({
      min: 1,
      desired: 1,
      max: 1,
    });
  });

  it('describes every key of the example', () => {
    const { provenance } = loadExample('production');
    const keys = Object.keys(provenance).filter(
      (path) => !/^(web\.env\.|edge\.(cache|guard)\.|deploy\.policy)/.test(path),
    );
    const undescribed = keys.filter((path) => {
      const key = path.replace(/^(web|edge|deploy)\./, '');
      return !page.includes(`\`${key}\``);
    });
    expect(undescribed).toEqual([]);
  });

  it('writes and describes every key of a rule of the cache', () => {
    const { cache } = loadExample('production').configuration.traffic;
    const rule = cache?.rules.find(({ tags }) => tags.length > 0);
    const unchanged = Object.entries(HONOUR_THE_APP).filter(
      ([key, value]) => JSON.stringify(rule?.[key as keyof CacheRule]) === JSON.stringify(value),
    );
    expect(unchanged.map(([key]) => key)).toEqual(['bypass', 'heuristics', 'staleIfErrorS']);
    for (const key of ruleKeyPaths) expect(page).toContain(`\n| \`${key}\` |`);
  });

  it('writes every key of a guard', () => {
    const { guards } = loadExample('production').configuration.traffic;
    const written = Object.keys(guardSchema.shape).filter((key) =>
      guards.some((guard) => guard[key as keyof Guard]),
    );
    expect(written).toEqual(Object.keys(guardSchema.shape));
  });
});
