import type { SQLInputValue } from 'node:sqlite';
import { configurationSchema } from '../model/configuration.ts';
import type { SavedConfiguration } from '../model/saved-configuration.ts';
import type { Store } from './driver.ts';

/** Saved configurations, those of an application in one document: they are few, and read together. */
export function savedConfigurationRows(
  run: (sql: string, ...values: SQLInputValue[]) => unknown,
  bodies: <T>(sql: string, ...values: SQLInputValue[]) => T[],
): Pick<Store, 'savedConfigurations' | 'saveSavedConfigurations'> {
  return {
    savedConfigurations(application) {
      const [saved] = bodies<SavedConfiguration[]>(
        'select body from documents where name = ?',
        nameOf(application),
      );
      return (saved ?? []).map((each) => ({
        ...each,
        configuration: configurationSchema.parse(each.configuration),
      }));
    },
    saveSavedConfigurations(application, saved) {
      run(
        `insert into documents values (?, ?)
         on conflict do update set body = excluded.body`,
        nameOf(application),
        JSON.stringify(saved),
      );
    },
  };
}

const nameOf = (application: string): string => `saved-configurations/${application}`;
