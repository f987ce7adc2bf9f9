import type { Clock } from '../../kernel/clock.ts';
import { Fault } from '../../kernel/fault.ts';
import type { Environment, EnvironmentKey } from '../../model/environment.ts';
import type { MetricSource, ScalingPolicy } from '../../model/scaling.ts';
import type { EventFeed } from '../event-feed.ts';
import { goalNumber } from '../observe.ts';
import type { Records } from '../records.ts';
import { askNumber, type NumberAnswer } from './ask-number.ts';

/** How often a URL is asked, whatever it answers. */
const ASKING_PERIOD_MS = 5_000;
/** How long a number that was reported holds. */
const REPORT_VALID_MS = 120_000;
/** More names than anybody scales by; each is kept in memory and told in every point. */
const MAX_NAMES = 100;
const NAME = /^[a-z][a-z0-9-]{0,39}$/;

/**
 * A number of one name.
 *
 * unknown  nobody has said anything yet
 * known    it holds
 * missing  it was asked for in vain, or its time is over
 */
interface AppNumber {
  state: 'unknown' | 'known' | 'missing';
  value: number;
  /** When it was reported, or the URL is to be asked again, on the clock that nobody can set. */
  reportedAtMs: number;
  askDueMs: number;
  asking: boolean;
}

export interface AppNumberParts {
  records: Records;
  feed: EventFeed;
  clock: Clock;
}

/**
 * Numbers of the apps' own: asked for at the URLs of the policies in force, or reported by somebody.
 * What is not a number is as if nothing had been said, and there is an event at each change between
 * the two.
 */
export class AppNumbers {
  readonly #parts: AppNumberParts;
  readonly #numbers = new Map<EnvironmentKey, Map<string, AppNumber>>();
  readonly #closing = new AbortController();

  constructor(parts: AppNumberParts) {
    this.#parts = parts;
  }

  close(): void {
    this.#closing.abort();
  }

  /** Asks what is due, and lets go of what has become too old: to be called every second. */
  follow(running: readonly Environment[]): void {
    const keys = new Set(running.map(({ key }) => key));
    for (const key of this.#numbers.keys()) if (!keys.has(key)) this.#numbers.delete(key);
    for (const environment of running) {
      const sources = this.#sources(environment);
      for (const source of sources) {
        if (source.url !== null) this.#askIfDue(environment.key, source, source.url);
      }
      this.#expire(environment.key, sources);
    }
  }

  /** Those that hold now, by name. */
  of(key: EnvironmentKey): Readonly<Record<string, number>> {
    const values: Record<string, number> = {};
    for (const [name, { state, value }] of this.#numbers.get(key) ?? []) {
      if (state === 'known') values[name] = value;
    }
    return values;
  }

  /**
   * Takes a number that holds for two minutes.
   *
   * @throws `unknown-environment`, `bad-metric`
   */
  report(key: EnvironmentKey, name: string, value: number): void {
    const source = this.#sources(this.#parts.records.environment(key)).find(
      (each) => each.name === name,
    );
    if (source?.url != null) {
      throw badMetric(
        key,
        `'${name}' is read from ${withoutSecrets(source.url)}`,
        'report it under another name',
      );
    }
    if (!NAME.test(name)) {
      const hint = 'use lower-case letters, digits and dashes, at most 40, a letter first';
      throw badMetric(key, `'${name}' is not a name for a metric`, hint);
    }
    if (!Number.isFinite(value) || value < 0) {
      throw badMetric(key, `${value} is not a finite number from 0 on`, 'report one that is');
    }
    const names = this.#numbers.get(key);
    if (names && !names.has(name) && names.size >= MAX_NAMES) {
      const hint = 'a name is free again two minutes after its last report';
      throw badMetric(key, `${MAX_NAMES} metrics have been reported already`, hint);
    }
    const number = this.#number(key, name);
    number.reportedAtMs = this.#parts.clock.monotonic();
    this.#take(key, name, number, { kind: 'number', value }, 'is reported again');
  }

  /** Of the policies in force, each name once. */
  #sources(environment: Environment): MetricSource[] {
    const { records } = this.#parts;
    const goal = goalNumber(environment, records);
    const release = goal === null ? undefined : records.release(environment.key, goal);
    const policies = release?.configuration.web.scaling.policies ?? [];
    if (policies.length === 0) return [];
    const sources = policies.flatMap((policy) => sourceOf(policy) ?? []);
    return [...new Map(sources.map((source) => [source.name, source])).values()];
  }

  #number(key: EnvironmentKey, name: string): AppNumber {
    const names = this.#numbers.get(key) ?? new Map<string, AppNumber>();
    this.#numbers.set(key, names);
    const number = names.get(name) ?? {
      state: 'unknown',
      value: 0,
      reportedAtMs: Number.NEGATIVE_INFINITY,
      askDueMs: Number.NEGATIVE_INFINITY,
      asking: false,
    };
    names.set(name, number);
    return number;
  }

  #askIfDue(key: EnvironmentKey, { name }: MetricSource, url: string): void {
    const { clock } = this.#parts;
    const number = this.#number(key, name);
    if (number.asking || clock.monotonic() < number.askDueMs) return;
    number.asking = true;
    number.askDueMs = clock.monotonic() + ASKING_PERIOD_MS;
    void askNumber(url, clock, this.#closing.signal).then((answer) => {
      number.asking = false;
      const isForgotten = this.#numbers.get(key)?.get(name) !== number;
      if (isForgotten || this.#closing.signal.aborted) return;
      const shown = withoutSecrets(url);
      const why =
        answer.kind === 'none' ? `${shown}: ${answer.why}` : `${shown} answers with it again`;
      this.#take(key, name, number, answer, why);
    });
  }

  /** Reports that are too old; those that no policy goes by are forgotten. */
  #expire(key: EnvironmentKey, sources: readonly MetricSource[]): void {
    const names = this.#numbers.get(key);
    if (!names) return;
    const nowMs = this.#parts.clock.monotonic();
    for (const [name, number] of names) {
      const source = sources.find((each) => each.name === name);
      if (source?.url != null) continue;
      if (nowMs - number.reportedAtMs < REPORT_VALID_MS) continue;
      const why = `it was not reported for ${REPORT_VALID_MS / 60_000} minutes`;
      if (!source) names.delete(name);
      else if (number.state === 'known') {
        this.#take(key, name, number, { kind: 'none', why }, why);
      }
    }
  }

  /** One that fails from its beginning is told of; one that is right from then on is not. */
  #take(
    key: EnvironmentKey,
    name: string,
    number: AppNumber,
    answer: NumberAnswer,
    why: string,
  ): void {
    const before = number.state;
    number.state = answer.kind === 'number' ? 'known' : 'missing';
    if (answer.kind === 'number') number.value = answer.value;
    if (number.state === before) return;
    const { feed } = this.#parts;
    if (number.state === 'missing') {
      feed.publish({
        environment: key,
        severity: 'warning',
        type: 'metric-missing',
        message: `the metric '${name}' is missing: ${why}; nothing is scaled in meanwhile`,
      });
    } else if (before === 'missing') {
      feed.publish({
        environment: key,
        severity: 'info',
        type: 'metric-back',
        message: `the metric '${name}' is back: ${why}`,
      });
    }
  }
}

const sourceOf = (policy: ScalingPolicy): MetricSource | null =>
  policy.kind === 'track' || policy.kind === 'step' ? policy.source : null;

/** Events go far: a password in an address, or a token in its query, does not go with them. */
function withoutSecrets(url: string): string {
  const { origin, pathname } = new URL(url);
  return origin + pathname;
}

const badMetric = (subject: string, message: string, hint: string): Fault =>
  new Fault({ code: 'bad-metric', message, subject, hint });
