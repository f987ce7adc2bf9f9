import { Fault } from '../kernel/fault.ts';
import { MOST_CACHE_PURGES } from '../model/cache-purges.ts';
import type { PurgeRequest } from '../model/cache-view.ts';

/** What is asked to be purged, checked whole: of several of which one is malformed, none is purged. */

const LONGEST = 4_000;
/** As in Cache-Tag: commas and spaces stand between two. */
const TAG = /^[!-+\--~]+$/;

/** What is wrong with one of them, and how to write it instead. */
interface Problem {
  what: string;
  hint: string;
}

/**
 * As they go on record: what ends with a star, as CloudFront has it, is a prefix.
 *
 * @throws `bad-purge`
 */
export function readPurges(asked: readonly PurgeRequest[]): PurgeRequest[] {
  refuseAltogether(asked);
  const problems = asked.flatMap((each) => {
    const problem = problemOf(each);
    return problem === null ? [] : [{ ...problem, what: `${nameOf(each)} ${problem.what}` }];
  });
  const [first] = problems;
  if (first) {
    throw badPurge(
      problems.length === 1
        ? `nothing was purged: ${first.what}`
        : [
            `nothing was purged: ${problems.length} of ${asked.length} are malformed`,
            ...problems.map(({ what }) => what),
          ].join('\n'),
      first.hint,
      { problems },
    );
  }
  return asked.map(plain);
}

function refuseAltogether(asked: readonly PurgeRequest[]): void {
  if (asked.length === 0) {
    throw badPurge(
      'nothing was purged: nothing is named',
      'name what: --path /a, --prefix /assets/, --tag catalog, or --everything',
    );
  }
  if (asked.length > 1 && asked.some(({ kind }) => kind === 'everything')) {
    throw badPurge(
      'nothing was purged: everything and something else are named together',
      'to purge everything, name nothing else; otherwise leave out --everything',
    );
  }
  if (asked.length > MOST_CACHE_PURGES) {
    throw badPurge(
      `nothing was purged: ${asked.length} are named at a time, and ${MOST_CACHE_PURGES} are the most`,
      'name what they have in common, by --prefix or --tag, or --everything',
    );
  }
}

function problemOf({ kind, value }: PurgeRequest): Problem | null {
  if (kind === 'everything') {
    return value === '' ? null : { what: 'has a value', hint: 'leave the value empty' };
  }
  if (value === '') return { what: 'is empty', hint: `write --${kind} ${EXAMPLES[kind]}, say` };
  if (value.length > LONGEST) {
    return {
      what: `has ${value.length} characters, and 4,000 are the most`,
      hint: 'name a prefix of it, as in --prefix /assets/',
    };
  }
  return kind === 'tag' ? tagProblem(value) : pathProblem(value);
}

const EXAMPLES = { path: '/a', prefix: '/assets/', tag: 'catalog' } as const;

function tagProblem(value: string): Problem | null {
  if (TAG.test(value)) return null;
  return {
    what: 'is no tag: these have neither spaces nor commas, and are ASCII',
    hint: 'give each tag a --tag of its own',
  };
}

function pathProblem(value: string): Problem | null {
  if (!value.startsWith('/')) return { what: 'does not begin with /', hint: pathHint(value) };
  if (value.includes('#')) {
    return { what: 'has a #, which stays with browsers', hint: 'leave out what begins with the #' };
  }
  const unwritable = unwritableIn(value);
  if (unwritable !== null) return unwritable;
  if (!value.slice(0, -1).includes('*')) return null;
  return {
    what: 'has a * that is not its end',
    hint: 'name what comes before the first *, as in --prefix /assets/',
  };
}

/** What no request has, because it would be written otherwise. */
function unwritableIn(value: string): Problem | null {
  const position = value.search(/[^!-~]/);
  if (position === -1) return null;
  const [character = ''] = value.slice(position);
  const code = character.charCodeAt(0);
  if (code < 0x20 || code === 0x7f) {
    return { what: 'has a control character', hint: 'leave it out' };
  }
  const shown = `'${String.fromCodePoint(value.codePointAt(position) ?? 0)}'`;
  return {
    what: `has ${code === 0x20 ? 'a space' : shown}, which requests write otherwise`,
    hint: `write it as it is asked for: ${value.toWellFormed().replace(/[^!-~]/gu, encodeURIComponent)}`,
  };
}

/** Of a whole address its path counts: whatever names it goes by are meant. */
function pathHint(value: string): string {
  const address = /^https?:\/\/[^/?#]*([^#]*)/i.exec(value);
  if (!address) return `write /${value}`;
  return `write the path alone, for all names of the environment: ${address[1] || '/'}`;
}

function plain({ kind, value }: PurgeRequest): PurgeRequest {
  const isPattern = kind !== 'tag' && value.endsWith('*');
  return isPattern ? { kind: 'prefix', value: value.slice(0, -1) } : { kind, value };
}

const SHOWN = 60;

function nameOf({ kind, value }: PurgeRequest): string {
  if (kind === 'everything') return kind;
  const text = value.length > SHOWN ? `${value.slice(0, SHOWN)}…` : value;
  return `${kind} '${text.replace(/[^ -~\u00a1-\uffff]/g, '?')}'`;
}

const badPurge = (message: string, hint: string, details?: Record<string, unknown>): Fault =>
  new Fault({ code: 'bad-purge', message, hint, details });
