import { Fault } from '../kernel/fault.ts';

/** Names that users give: kebab-case, at most 40 characters, so that each is a DNS label too. */
export const MAX_NAME_LENGTH = 40;
const KEBAB_CASE = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;

/** What is wrong with a name, as the end of the sentence "the name …", or null when it is good. */
export function nameProblem(name: string): string | null {
  if (name === '') return 'is empty';
  if (name.length > MAX_NAME_LENGTH) {
    return `has ${name.length} characters; at most ${MAX_NAME_LENGTH} are allowed`;
  }
  if (!KEBAB_CASE.test(name)) {
    return 'is not kebab-case (lower-case letters, digits and single dashes, a letter first)';
  }
  return null;
}

/** The nearest good name, for a hint. May be empty. */
export function suggestName(name: string): string {
  return name
    .replace(/([a-z0-9])([A-Z])/g, '$1-$2')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^[^a-z]+|-+$/g, '')
    .slice(0, MAX_NAME_LENGTH)
    .replace(/-+$/, '');
}

/** @throws `bad-name` */
export function parseName(what: string, name: string): string {
  const problem = nameProblem(name);
  if (problem === null) return name;
  const suggestion = suggestName(name);
  throw new Fault({
    code: 'bad-name',
    message: `the ${what} name '${name}' ${problem}`,
    subject: name,
    hint: suggestion === '' ? undefined : `'${suggestion}' would do`,
  });
}
