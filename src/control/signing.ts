import type { Clock } from '../kernel/clock.ts';
import { Fault } from '../kernel/fault.ts';
import { randomHex } from '../kernel/random.ts';
import { pathOf } from '../model/cache-key.ts';
import { type Environment, environmentKey } from '../model/environment.ts';
import { needsSigning } from '../model/guard.ts';
import { readingsOf } from '../model/path-readings.ts';
import { type SignedPolicy, signToken } from '../model/signed-token.ts';
import {
  MOST_SIGNING_KEYS,
  SIGNING_KEY_DIGITS,
  type SigningKeyChange,
  type SigningKeysView,
  type TokenView,
  withNewKey,
  withoutKey,
} from '../model/signing-keys.ts';
import type { EdgeView } from './edge-view.ts';
import type { EventFeed } from './event-feed.ts';
import { goalNumber } from './observe.ts';
import type { Records } from './records.ts';
import { command, terminating } from './refusals.ts';

export interface SigningParts {
  records: Records;
  view: EdgeView;
  feed: EventFeed;
  clock: Clock;
  /** Brings the edge in line with the records; throws while it cannot be reached. */
  publish: () => Promise<unknown>;
}

/** Signs for what an environment guards, and looks after its keys. */
export class Signing {
  readonly #parts: SigningParts;

  constructor(parts: SigningParts) {
    this.#parts = parts;
  }

  /** @throws `unknown-environment`, `bad-policy` */
  sign(application: string, name: string, policy: SignedPolicy): TokenView {
    const { records } = this.#parts;
    const environment = records.environment(environmentKey(application, name));
    refuseBadPolicy(policy, this.#parts.clock.now());
    const [key] = records.signingKeys(environment.key).keys;
    if (key === undefined) throw new Error(`${environment.key} has no signing key`);
    const needed = asksForTokens(environment, records);
    return { token: signToken(policy, key), key: key.id, needed };
  }

  /** @throws `unknown-environment` */
  keys(application: string, name: string): SigningKeysView {
    const { records } = this.#parts;
    const { key } = records.environment(environmentKey(application, name));
    return { application, environment: name, keys: [...records.signingKeys(key).keys] };
  }

  /** @throws `unknown-environment`, `environment-terminating`, `too-many-signing-keys` */
  async rotate(application: string, name: string, by: string | null): Promise<SigningKeyChange> {
    const { records, clock } = this.#parts;
    const environment = this.#liveEnvironment(application, name);
    const known = records.signingKeys(environment.key);
    if (known.keys.length >= MOST_SIGNING_KEYS) throw tooMany(environment);
    const changed = withNewKey(known, randomHex(SIGNING_KEY_DIGITS), clock.now());
    records.saveSigningKeys(environment.key, changed);
    this.#tell(environment, 'signing-key-made', `signs by key k${changed.made} from now on`, by);
    return this.#inForce(application, name);
  }

  /** @throws `unknown-environment`, `environment-terminating`, `unknown-signing-key`, `signing-key-in-use` */
  async revoke(
    application: string,
    name: string,
    id: string,
    by: string | null,
  ): Promise<SigningKeyChange> {
    const { records } = this.#parts;
    const environment = this.#liveEnvironment(application, name);
    const known = records.signingKeys(environment.key);
    const ids = known.keys.map((key) => key.id);
    if (!ids.includes(id)) throw unknownKey(environment, id, ids);
    if (ids[0] === id) throw keyInUse(environment, id);
    records.saveSigningKeys(environment.key, withoutKey(known, id));
    this.#tell(
      environment,
      'signing-key-revoked',
      `takes nothing signed by key ${id} any more`,
      by,
    );
    return this.#inForce(application, name);
  }

  #liveEnvironment(application: string, name: string): Environment {
    const environment = this.#parts.records.environment(environmentKey(application, name));
    if (environment.status === 'terminating') throw terminating(environment);
    return environment;
  }

  #tell({ key }: Environment, type: string, what: string, by: string | null): void {
    const message = `${key} ${what}${by === null ? '' : `, says ${by}`}`;
    this.#parts.feed.publish({ environment: key, severity: 'info', type, message });
  }

  async #inForce(application: string, name: string): Promise<SigningKeyChange> {
    const { publish, view } = this.#parts;
    const keys = this.keys(application, name);
    try {
      await publish();
      return { ...keys, snapshot: view.acknowledged };
    } catch {
      // It is on record; the loop goes on trying.
      return { ...keys, snapshot: null };
    }
  }
}

/** Whether the release that counts now has anything that has to be signed for. */
function asksForTokens(environment: Environment, records: Records): boolean {
  const goal = goalNumber(environment, records);
  const release = goal === null ? undefined : records.release(environment.key, goal);
  return needsSigning(release?.configuration.traffic.guards ?? []);
}

function refuseBadPolicy({ path, expires, starts = 0 }: SignedPolicy, now: number): void {
  if (readingsOf(pathOf(path)).crooked) {
    throw badPolicy(
      `${path} can be read in several ways, and the edge would refuse it`,
      "write it without '//', '.', '..', ';' and '\\'",
    );
  }
  if (expires * 1_000 <= now) {
    throw badPolicy('it would have expired already', 'say when it ends, from now on');
  }
  if (starts >= expires) {
    throw badPolicy('it would end before it begins', 'say an end after its beginning');
  }
}

const badPolicy = (what: string, hint: string): Fault =>
  new Fault({ code: 'bad-policy', message: `nothing was signed: ${what}`, hint });

const tooMany = (environment: Environment): Fault =>
  new Fault({
    code: 'too-many-signing-keys',
    message: `${environment.key} has ${MOST_SIGNING_KEYS} signing keys already`,
    subject: environment.key,
    hint: `take back the oldest first: ${command('belay signing-keys revoke ID', environment)}`,
  });

const unknownKey = (environment: Environment, id: string, ids: readonly string[]): Fault =>
  new Fault({
    code: 'unknown-signing-key',
    message: `${environment.key} has no signing key ${id}`,
    subject: environment.key,
    hint: `there is ${ids.join(', ')}`,
  });

const keyInUse = (environment: Environment, id: string): Fault =>
  new Fault({
    code: 'signing-key-in-use',
    message: `key ${id} of ${environment.key} is the one that signs`,
    subject: environment.key,
    hint: `make another first: ${command('belay signing-keys rotate', environment)}`,
  });
