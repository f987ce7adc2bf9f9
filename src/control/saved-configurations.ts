import type { Clock } from '../kernel/clock.ts';
import { Fault } from '../kernel/fault.ts';
import { environmentKey } from '../model/environment.ts';
import { parseName } from '../model/name.ts';
import type { SavedConfiguration } from '../model/saved-configuration.ts';
import type { Store } from '../store/driver.ts';
import type { Records } from './records.ts';
import { command } from './refusals.ts';

/** Configurations kept under names, those of each application apart. */
export class SavedConfigurations {
  readonly #parts: { records: Records; store: Store; clock: Clock };

  constructor(parts: { records: Records; store: Store; clock: Clock }) {
    this.#parts = parts;
  }

  /** By name. */
  list(application: string): SavedConfiguration[] {
    const saved = this.#parts.store.savedConfigurations(application);
    return saved.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** @throws `unknown-saved-configuration` */
  find(application: string, name: string): SavedConfiguration {
    const all = this.list(application);
    const found = all.find((each) => each.name === name);
    if (found) return found;
    const names = all.map((each) => each.name);
    throw new Fault({
      code: 'unknown-saved-configuration',
      message: `${application} has no saved configuration '${name}'`,
      subject: name,
      hint:
        names.length === 0
          ? `save one with: belay config save ${name} -a ${application}`
          : `there is ${names.join(', ')}`,
    });
  }

  /**
   * Keeps what an environment runs by now.
   *
   * @throws `bad-name`, `unknown-environment`, `no-release`, `saved-configuration-exists`
   */
  save(
    application: string,
    name: string,
    {
      environment,
      message,
      replace,
    }: { environment: string; message: string | null; replace: boolean },
  ): SavedConfiguration {
    const { records, store, clock } = this.#parts;
    parseName('configuration', name);
    const source = records.environment(environmentKey(application, environment));
    const { key, capacity } = source;
    const release = source.release === null ? undefined : records.release(key, source.release);
    if (!release) {
      throw new Fault({
        code: 'no-release',
        message: `${key} has no release that ever was healthy`,
        subject: key,
        hint: `deploy one with: ${command('belay deploy', source)}`,
      });
    }
    const others = this.list(application).filter((each) => each.name !== name);
    if (!replace && others.length < this.list(application).length) throw exists(application, name);
    const { web } = release.configuration;
    const variables = { ...web.variables, ...release.variables };
    const saved: SavedConfiguration = {
      application,
      name,
      configuration: { ...release.configuration, web: { ...web, capacity, variables } },
      from: key,
      release: release.number,
      message,
      savedAt: clock.now(),
    };
    store.saveSavedConfigurations(application, [...others, saved]);
    return saved;
  }

  /** @throws `unknown-saved-configuration` */
  delete(application: string, name: string): SavedConfiguration {
    const gone = this.find(application, name);
    const left = this.list(application).filter((each) => each.name !== name);
    this.#parts.store.saveSavedConfigurations(application, left);
    return gone;
  }
}

const exists = (application: string, name: string): Fault =>
  new Fault({
    code: 'saved-configuration-exists',
    message: `${application} has a saved configuration '${name}' already`,
    subject: name,
    hint: 'choose another name, or replace it with --replace',
  });
