import { TOKEN_PARAMETER } from '../../../model/signed-token.ts';

/** A token in the query of a target, and the target without it. */
export interface SignedTarget {
  /** For the cache and for the app: one kept answer is for everybody who may have it. */
  unsigned: string;
  /** Empty where there is none. */
  token: string;
}

const OPENING = `${TOKEN_PARAMETER}=`;

/** Takes the token out of a target. One that is there twice is two that cannot be right. */
export function takeToken(target: string): SignedTarget {
  const mark = target.indexOf('?');
  if (mark === -1 || !target.includes(OPENING, mark)) return { unsigned: target, token: '' };
  const tokens: string[] = [];
  const others: string[] = [];
  for (const parameter of target.slice(mark + 1).split('&')) {
    if (parameter.startsWith(OPENING)) tokens.push(parameter.slice(OPENING.length));
    else others.push(parameter);
  }
  const query = others.length === 0 ? '' : `?${others.join('&')}`;
  return { unsigned: target.slice(0, mark) + query, token: tokens.join('&') };
}
