import { DEFAULT_EDGE_SETTINGS, type EdgeSettings } from '../model/edge-settings.ts';
import type { Pool, Rule, Snapshot } from '../model/snapshot.ts';
import { type Balancing, DEFAULT_TRAFFIC } from '../model/traffic.ts';

/**
 * What a supervisor of an earlier version tells: a worker that is replaced under it runs the code
 * that lies on the disk by then.
 */
export interface EarlierSnapshot {
  number: number;
  settings?: Partial<EdgeSettings>;
  cookieKey?: string;
  rules: readonly Earlier<
    Rule,
    'admission' | 'stickyMs' | 'poolStickyMs' | 'wake' | 'cache' | 'guards'
  >[];
  pools: readonly (Omit<Pool, 'balancing' | 'external'> & {
    balancing?: Partial<Balancing>;
    external?: boolean;
  })[];
}

type Earlier<Whole, Later extends keyof Whole> = Omit<Whole, Later> & {
  [Key in Later]?: Whole[Key] extends object ? Partial<Whole[Key]> : Whole[Key];
};

/** With the defaults of what that version did not know; without parsing, which a worker has no time for. */
export function completed({ number, settings, ...told }: EarlierSnapshot): Snapshot {
  const { balancing, admission } = DEFAULT_TRAFFIC;
  return {
    number,
    settings: { ...DEFAULT_EDGE_SETTINGS, ...settings },
    cookieKey: told.cookieKey ?? '',
    rules: told.rules.map((rule) => ({
      ...rule,
      admission: { ...admission, ...rule.admission },
      stickyMs: rule.stickyMs ?? null,
      poolStickyMs: rule.poolStickyMs ?? null,
      wake: rule.wake ?? null,
      cache: (rule.cache ?? null) as Rule['cache'],
      guards: (rule.guards ?? null) as Rule['guards'],
    })),
    pools: told.pools.map((pool) => ({
      ...pool,
      balancing: { ...balancing, ...pool.balancing },
      external: pool.external ?? false,
    })),
  };
}
