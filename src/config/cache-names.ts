import type { Names } from '../model/cache.ts';
import { distinct, list, type Reader, refusal, section, unlike } from './reader.ts';

/** The names under `edge.cache`: parameters, fields of a request, cookies, tags. */

/** CloudFront's quota of each in a cache policy; a request is searched for every one. */
const MOST_NAMES = 10;
const MOST_PARAMETERS = 50;
const LONGEST_NAME = 200;
/** RFC 9110 section 5.6.2 but for the star; cookies are named alike (RFC 6265 section 4.1.1). */
const TOKEN = /^[!#$%&'+.^_`|~0-9A-Za-z-]+$/;
/** As in Cache-Tag: commas and spaces stand between two. */
const TAG = /^[!-+\--~]+$/;

const PARAMETERS = "['page', 'utm_*']";

const parameterList = names(PARAMETERS, MOST_PARAMETERS, (name) => {
  const stars = name.split('*').length - 1;
  if (name === '*') throw refusal("has '*'", "for all of them write 'all', for none 'none'");
  if (stars > 1 || (stars === 1 && !name.endsWith('*'))) {
    const hint = "write 'utm_*', say, for all that begin so";
    throw refusal(`has '${name}'; a '*' stands at the end alone`, hint);
  }
  if (/[&=?#%+\s]/.test(name)) {
    const hint = "write 'page' for ?page=2, decoded and without its value";
    throw refusal(`has '${name}', which is not the name of a parameter`, hint);
  }
  return name;
});

const exceptKeys = section({ except: parameterList });

/** `'all'`, `'none'`, these, or all but these. */
export const parameterNames: Reader<Names> = (value, keyPath, report) => {
  if (value === 'all') return { mode: 'except', names: [] };
  if (value === 'none') return { mode: 'only', names: [] };
  if (Array.isArray(value)) {
    const only = parameterList(value, keyPath, report);
    return only && { mode: 'only', names: only };
  }
  if (typeof value !== 'object' || value === null) {
    const example = `'all', 'none', ${PARAMETERS} or { except: ['utm_*'] }`;
    const { message, hint } = unlike('parameters', value, example);
    report({ keyPath, what: message, hint: hint ?? null });
    return undefined;
  }
  const keys = exceptKeys(value, keyPath, report);
  if (!keys) return undefined;
  if (Object.keys(value).length === 0) {
    report({ keyPath, what: 'is empty', hint: "write { except: ['utm_*'] }, or leave it out" });
  }
  return { mode: 'except', names: keys.except ?? [] };
};

/** Why a field of a request tells no answers apart. */
const UNFIT_FIELDS: ReadonlyMap<string, [what: string, hint: string]> = new Map([
  ['cookie', ['holds all cookies at once', "name those that count: cookies: ['currency']"]],
  [
    'authorization',
    [
      'is another for everybody who is known',
      'leave it out: what the app says is public is kept for all of them',
    ],
  ],
  ['set-cookie', ['is a field of answers', "name cookies: cookies: ['currency']"]],
  [
    'accept-encoding',
    ['counts without being named, in a form in which it matters', 'leave it out'],
  ],
  ['host', ['counts without being named', 'leave it out']],
  ...each(
    ['cache-control', 'pragma', 'range', 'if-match', 'if-none-match', 'if-range'],
    'is read by the cache itself',
  ),
  ...each(['if-modified-since', 'if-unmodified-since'], 'is read by the cache itself'),
  ...each(['connection', 'keep-alive', 'te', 'trailer'], 'is of the connection alone'),
  ...each(['transfer-encoding', 'upgrade'], 'is of the connection alone'),
  ...each(
    ['content-length', 'content-type', 'expect'],
    'is of a body, and what has one is not kept',
  ),
  ...each(
    ['x-forwarded-host', 'x-forwarded-port', 'x-forwarded-proto'],
    'counts without being named, where a trusted proxy says it',
  ),
  ...each(['x-forwarded-for', 'forwarded'], 'is another for every client'),
  ...each(['x-request-id', 'traceparent'], 'is another for every request'),
]);

/** What clients send under these names does not reach an app. */
const NEVER_TOLD = /^(proxy$|proxy-|x-forwarded-)/;
const NOT_TOLD: [string, string] = [
  'is removed by the edge, so that no app sees it',
  'leave it out',
];

/** In lower case. */
export const fieldNames: Reader<string[]> = names("['accept-language']", MOST_NAMES, (written) => {
  const name = written.toLowerCase();
  if (name === '*') {
    const hint = "name those that count: ['accept-language']";
    throw refusal("has '*', and of all fields together no two requests are alike", hint);
  }
  const unfit = UNFIT_FIELDS.get(name) ?? (NEVER_TOLD.test(name) ? NOT_TOLD : undefined);
  if (unfit) throw refusal(`has '${written}', which ${unfit[0]}`, unfit[1]);
  refuseStar(name);
  if (name.includes('_')) {
    const hint = `write '${name.replaceAll('_', '-')}'`;
    throw refusal(`has '${written}', and the edge drops fields with underscores`, hint);
  }
  if (TOKEN.test(name)) return name;
  throw refusal(`has '${written}', which is not the name of a field`, "write 'x-country'");
});

export const cookieNames: Reader<string[]> = names("['currency']", MOST_NAMES, (name) => {
  if (name === '*') {
    const hint = "name those that count: ['currency']";
    throw refusal("has '*', and of all cookies together no two clients are alike", hint);
  }
  refuseStar(name);
  if (TOKEN.test(name)) return name;
  throw refusal(`has '${name}', which is not the name of a cookie`, "write 'currency', say");
});

export const tagNames: Reader<string[]> = names("['catalog']", MOST_NAMES, (tag) => {
  if (TAG.test(tag)) return tag;
  throw refusal(
    `has '${tag}', which is no tag`,
    "write 'catalog', say: ASCII, no spaces or commas",
  );
});

function refuseStar(name: string): void {
  if (name.includes('*')) throw refusal(`has '${name}', and names are whole here`, 'write each');
}

/** A list of names, each once. */
function names(example: string, most: number, parse: (name: string) => string): Reader<string[]> {
  const read = distinct(
    list(example, (item) => {
      if (typeof item !== 'string') throw unlike('a list of names', item, example);
      if (item === '') throw refusal('has an empty name', `write ${example}, say`);
      if (item.length > LONGEST_NAME) {
        const what = `has a name of ${item.length} characters; the most is ${LONGEST_NAME}`;
        throw refusal(what, 'shorten it');
      }
      return parse(item);
    }),
  );
  return (value, keyPath, report) => {
    const items = read(value, keyPath, report);
    if (!items || items.length <= most) return items;
    const what = `has ${items.length} names; the most is ${most}`;
    report({ keyPath, what, hint: 'leave out those that tell no answers apart' });
    return undefined;
  };
}

function each(fields: readonly string[], what: string): [string, [string, string]][] {
  return fields.map((field) => [field, [what, 'leave it out']]);
}
