import { Fault } from './fault.ts';

/**
 * A state machine is one table: from each state, the states it may go to. A state with an empty
 * list is final.
 */
export interface StateMachine<State extends string> {
  readonly name: string;
  readonly states: readonly State[];
  allows(from: State, to: State): boolean;
  isFinal(state: State): boolean;
  /** Returns `to`, or throws `illegal-transition`. */
  move(subject: string, from: State, to: State): State;
}

export function stateMachine<State extends string>(
  name: string,
  table: Readonly<Record<State, readonly State[]>>,
): StateMachine<State> {
  return {
    name,
    states: Object.keys(table) as State[],
    allows: (from, to) => table[from].includes(to),
    isFinal: (state) => table[state].length === 0,
    move(subject, from, to) {
      if (table[from].includes(to)) return to;
      throw new Fault({
        code: 'illegal-transition',
        message: `${name} ${subject} cannot go from ${from} to ${to}`,
        subject,
        details: { machine: name, from, to },
      });
    },
  };
}
