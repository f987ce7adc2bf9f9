/**
 * What may be said of any answer of a cache, without knowing how it works: whose it may be, and how
 * old. Times in seconds.
 */

export interface AppAnswer {
  status: number;
  /** Null: none is told. */
  maxAgeS: number | null;
  sharedMaxAgeS: number | null;
  flags: readonly ('no-store' | 'private' | 'no-cache' | 'must-revalidate' | 'public')[];
  /** Beyond the lifetime; null: nothing is said. */
  whileRevalidateS: number | null;
  ifErrorS: number | null;
  ageS: number;
  variesByA: boolean;
}

export interface Asked {
  path: string;
  a: string;
  isKnown: boolean;
  /** Of Cache-Control. */
  wish: 'none' | 'no-cache' | 'max-age=5' | 'max-stale=10' | 'no-store';
}

/** An answer of the app, to a request, at a moment. */
export interface Given {
  answer: AppAnswer;
  to: Asked;
  atS: number;
}

/** What happened while it was asked for. */
export interface Meanwhile {
  nowS: number;
  /** When something was changed at the address for the last time. */
  changedS: number;
  appFailed: boolean;
  /** The app said that it has not changed. */
  confirmed: boolean;
}

/** Why an answer of the app to another may not answer this; null: it may. */
export function objection(given: Given, asked: Asked, meanwhile: Meanwhile): string | null {
  const { answer, to, atS } = given;
  const has = (flag: AppAnswer['flags'][number]): boolean => answer.flags.includes(flag);
  if (to.path !== asked.path) return 'it is of another address';
  if (answer.variesByA && to.a !== asked.a) return 'it is another variant';
  if (meanwhile.confirmed) return null;
  if (has('private') || has('no-store')) return 'it may not be kept';
  if (to.wish === 'no-store') return 'it may not be kept for who asked';
  const isForAll = has('public') || has('must-revalidate') || answer.sharedMaxAgeS !== null;
  if (to.isKnown && !isForAll) return 'it is for somebody who is known';
  if (atS < meanwhile.changedS) return 'it was changed since';
  if (has('no-cache')) return 'it has to be asked about';
  const lifetimeS = answer.sharedMaxAgeS ?? answer.maxAgeS;
  if (lifetimeS === null) return 'nobody said for how long';
  const ageS = ageOf(given, meanwhile.nowS);
  // What a client wishes for is of no use when nobody can give it.
  if (!meanwhile.appFailed) {
    if (asked.wish === 'no-cache') return 'the client wants it asked about';
    if (asked.wish === 'max-age=5' && ageS > 5) return 'it is too old for the client';
  }
  return ageS < lifetimeS ? null : staleObjection(answer, asked, meanwhile, ageS - lifetimeS);
}

export const ageOf = ({ answer, atS }: Given, nowS: number): number => answer.ageS + nowS - atS;

function staleObjection(
  { flags, sharedMaxAgeS, whileRevalidateS, ifErrorS }: AppAnswer,
  { wish }: Asked,
  { appFailed }: Meanwhile,
  staleS: number,
): string | null {
  const saysMore = whileRevalidateS !== null || ifErrorS !== null;
  const isNever = flags.includes('must-revalidate') || (sharedMaxAgeS !== null && !saysMore);
  if (isNever) return 'it is never used stale';
  if (wish === 'max-stale=10' && staleS < 10) return null;
  if (appFailed && staleS < (ifErrorS ?? 0)) return null;
  return staleS < (whileRevalidateS ?? 0) ? null : 'it is too stale';
}
