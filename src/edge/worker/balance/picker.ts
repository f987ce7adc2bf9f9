/** How one of several targets is chosen, request by request. */
export interface Picker<Choice extends Pickable> {
  /**
   * One of the choices that has room: not one that is better left alone now, nor the one to avoid,
   * unless there is no other. Null when none has room.
   */
  pick(choices: readonly Choice[], avoid: Choice | null, nowMs: number): Choice | null;
}

/** What a picker looks at. Numbers throughout, because it looks at every request. */
export interface Pickable {
  /** A connection to it was refused a moment ago: better left alone until then. */
  readonly suspectUntilMs: number;
  /** Requests inside it. */
  readonly inFlight: number;
  /** It has no room for more than these; `UNBOUNDED` for no bound. */
  readonly mostInFlight: number;
  /** Until then it is in slow start, which began `slowStartMs` earlier; 0 when it is not. */
  readonly slowUntilMs: number;
  readonly slowStartMs: number;
  /** Shares of a turn it has saved up in slow start: the pickers' own. */
  turnCredit: number;
}

/** More than any target has inside, and still a small integer to the engine. */
export const UNBOUNDED = 2 ** 30;

export const hasRoom = (choice: Pickable): boolean => choice.inFlight < choice.mostInFlight;

/** The first with room where all are to be left alone, the one to avoid last. */
export function leastBad<Choice extends Pickable>(
  choices: readonly Choice[],
  avoid: Choice | null,
): Choice | null {
  for (const choice of choices) if (choice !== avoid && hasRoom(choice)) return choice;
  return avoid !== null && hasRoom(avoid) && choices.includes(avoid) ? avoid : null;
}
