import { DEFAULT_LIFECYCLE, type Lifecycle } from '../model/lifecycle.ts';
import { NO_SIGNING_KEYS, type SigningKeys } from '../model/signing-keys.ts';
import type { ClockReading, Store } from './driver.ts';
import { completeEdgeSettings } from './earlier-rows.ts';

/** What there is one of each, by name: settings, keys, readings. */

type Documents = Pick<
  Store,
  | 'edgeSettings'
  | 'saveEdgeSettings'
  | 'lifecycle'
  | 'saveLifecycle'
  | 'cookieKey'
  | 'signingKeys'
  | 'saveSigningKeys'
  | 'clockReading'
  | 'saveClockReading'
>;

type Run = (sql: string, ...values: string[]) => unknown;
type Bodies = <T>(sql: string, ...values: string[]) => T[];

export function documents(run: Run, bodies: Bodies): Documents {
  const read = <T>(name: string): T | undefined =>
    bodies<T>('select body from documents where name = ?', name)[0];
  const save = (name: string, body: unknown): void => {
    run(
      'insert into documents values (?, ?) on conflict do update set body = excluded.body',
      name,
      JSON.stringify(body),
    );
  };
  const lifecycleOf = (application: string): string => `lifecycle:${application}`;
  const signingKeysOf = (environment: string): string => `signing-keys:${environment}`;
  return {
    edgeSettings: () => completeEdgeSettings(read('edge-settings') ?? {}),
    saveEdgeSettings: (settings) => save('edge-settings', settings),

    lifecycle: (application) => read<Lifecycle>(lifecycleOf(application)) ?? DEFAULT_LIFECYCLE,
    saveLifecycle: (application, lifecycle) => save(lifecycleOf(application), lifecycle),

    cookieKey(fresh) {
      const kept = read<string>('cookie-key');
      if (kept === undefined) save('cookie-key', fresh);
      return kept ?? fresh;
    },

    signingKeys: (environment) => read<SigningKeys>(signingKeysOf(environment)) ?? NO_SIGNING_KEYS,
    saveSigningKeys: (environment, keys) => save(signingKeysOf(environment), keys),

    clockReading: () => read<ClockReading>('clock-reading') ?? null,
    saveClockReading: (reading) => save('clock-reading', reading),
  };
}
