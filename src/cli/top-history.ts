import type { Rates } from './top-rates.ts';

/** What has been seen since the view was opened. Pure: each second makes a new one. */
export interface TopHistory {
  /** When it was opened. */
  since: number;
  /** Requests per second of each instance, oldest first. */
  requestRates: ReadonlyMap<string, readonly number[]>;
  /** By environment, counted since the view was opened. */
  totals: ReadonlyMap<string, { lost: number; shed: number }>;
  /** Connections that were not let in since. */
  turnedAway: number;
}

/** As many as the widest line of bars. */
export const RATES_KEPT = 20;

export const noHistory = (since: number): TopHistory => ({
  since,
  requestRates: new Map(),
  totals: new Map(),
  turnedAway: 0,
});

/** Instances that are gone are forgotten. */
export function remember(history: TopHistory, rates: Rates): TopHistory {
  const instances = rates.environments.flatMap((environment) =>
    environment.instances.map((instance) => ({ environment, instance })),
  );
  return {
    since: history.since,
    turnedAway: history.turnedAway + rates.turnedAway,
    requestRates: new Map(
      instances.map(({ environment, instance }) => {
        const key = instanceKey(environment, instance.id);
        const before = history.requestRates.get(key) ?? [];
        return [key, [...before, instance.requestsPerSecond].slice(-RATES_KEPT)];
      }),
    ),
    totals: new Map(
      rates.environments.map((environment) => {
        const key = environmentKey(environment);
        const { lost = 0, shed = 0 } = history.totals.get(key) ?? {};
        return [key, { lost: lost + environment.lost, shed: shed + environment.shed }];
      }),
    ),
  };
}

interface Named {
  application: string;
  environment: string;
}

export const environmentKey = ({ application, environment }: Named): string =>
  `${application}/${environment}`;

/** A fixed address is called the same in every environment. */
export const instanceKey = (environment: Named, id: string): string =>
  `${environmentKey(environment)} ${id}`;
