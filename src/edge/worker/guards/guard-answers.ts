import type { OwnAnswer } from '../own-answers.ts';

const refused = (text: string): OwnAnswer => ({
  status: 403,
  outcome: 'refused',
  text,
  fields: '',
});

/** To whom a guard does not let pass. */
export const guardAnswers = {
  unsigned: refused('This is for those who have a signed address or cookie for it.'),
  badToken: refused('The signature is not right.'),
  expired: refused('The signed permission for this has expired.'),
  early: refused('The signed permission for this does not hold yet.'),
  otherPath: refused('The signed permission is for something else.'),
  otherAddress: refused('The signed permission is for another network address.'),
  hotlink: refused('This may not be embedded in pages of other sites.'),
  bot: refused('This is not for automated clients such as yours.'),
  nameless: refused('This is not for clients that do not say what they are (User-Agent).'),
} as const;
