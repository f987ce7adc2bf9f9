import type { RuleName, Setting } from './rule.ts';
import { needed, type SimulatedMinute } from './simulate.ts';

/** What a rule came to on a trace, beside an oracle that has just enough in every minute. */
export interface Account {
  rule: RuleName;
  minutes: number;
  /** Minutes in which more was asked than the serving instances can answer. */
  minutesShort: number;
  /** From the launch of each instance to its end. */
  instanceMinutes: number;
  oracleInstanceMinutes: number;
  costRatio: number;
  /** Changes of `desired`. */
  actions: number;
}

export function accountOf(
  rule: RuleName,
  minutes: Iterable<SimulatedMinute>,
  setting: Setting,
): Account {
  const account = { rule, minutes: 0, minutesShort: 0, instanceMinutes: 0, actions: 0 };
  let oracle = 0;
  for (const minute of minutes) {
    account.minutes += 1;
    if (isShort(minute, setting)) account.minutesShort += 1;
    account.instanceMinutes += minute.instanceMinutes;
    oracle += needed(minute.requests, setting);
    if (minute.decided !== minute.desired) account.actions += 1;
  }
  const { actions, instanceMinutes, ...counted } = account;
  return {
    ...counted,
    instanceMinutes: rounded(instanceMinutes),
    oracleInstanceMinutes: oracle,
    costRatio: rounded(instanceMinutes / oracle),
    actions,
  };
}

/** Instances may boot or end within a minute: thousandths are plenty. */
const rounded = (value: number): number => Math.round(value * 1000) / 1000;

export const isShort = ({ requests, serving }: SimulatedMinute, { unit }: Setting): boolean =>
  serving * unit < requests;
