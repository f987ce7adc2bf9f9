import { type DeepReport, partSentence } from '../../model/target.ts';

/**
 * What an app says of what it depends on, read from the answer to its deep check. The status alone
 * says whether it passed; the parts are read where the body is JSON in one of the shapes in use:
 *
 *   {"checks": {"db:connections": [{"status": "fail", "output": "…"}]}}   health+json (IETF draft)
 *   {"checks": [{"name": "db", "status": "DOWN"}]}                       MicroProfile Health
 *   {"components": {"db": {"status": "DOWN", "details": {"error": "…"}}}} Spring Boot
 *   {"details": {"db": {"status": "down", "message": "…"}}}              Terminus
 *   {"entries": {"db": {"status": "Unhealthy", "description": "…"}}}      ASP.NET Core
 *   {"parts": {…}} or {"db": "ok", "cache": false, "queue": {"status": "fail"}}
 *
 * The text is an app's: it is cut, and control characters are taken out, before anybody sees it.
 */

type Part = DeepReport['parts'][number];

const MAX_PARTS = 32;
const MAX_NAME_LENGTH = 60;
const MAX_DETAIL_LENGTH = 160;
const MAX_DESCRIPTION_LENGTH = 320;

const CONTAINERS = ['checks', 'components', 'details', 'entries', 'parts'];
const VERDICTS = ['status', 'state', 'healthy', 'ok', 'up'];
const DETAILS = ['output', 'message', 'error', 'description', 'reason'];

const PASSING = new Set(['pass', 'passed', 'ok', 'up', 'healthy', 'true', 'success']);
/** In a plain object only these are verdicts: its other texts are versions, names and the like. */
const FAILING = new Set([
  ...['fail', 'failed', 'failing', 'error', 'down', 'unhealthy', 'false', 'critical'],
  ...['warn', 'warning', 'degraded', 'unavailable', 'out_of_service', 'timeout', 'unknown'],
]);
/** They speak of the whole. */
const OF_THE_WHOLE = new Set([...VERDICTS, ...DETAILS, 'success', 'health', 'result']);

type Fields = Readonly<Record<string, unknown>>;

/** @param question `GET /readyz` */
export function readDeepReport(
  passed: boolean,
  answer: { status: number; body: string },
  question: string,
): DeepReport {
  const parts = partsIn(answer.body);
  if (passed) return { passed, description: '', parts };
  const failing = parts.filter((part) => !part.passed).map(partSentence);
  const description =
    failing.length > 0
      ? cut(failing.join('; '), MAX_DESCRIPTION_LENGTH)
      : `answered ${answer.status} to ${question}`;
  return { passed, description, parts };
}

function partsIn(body: string): Part[] {
  const whole = asFields(parseJson(body));
  if (!whole) return [];
  const parts = found(whole);
  // What fails comes first: it must not be what is cut off.
  return [...parts.filter(({ passed }) => !passed), ...parts.filter(({ passed }) => passed)]
    .slice(0, MAX_PARTS)
    .map(presentable);
}

function found(whole: Fields): Part[] {
  for (const container of CONTAINERS) {
    const inside = whole[container];
    const parts = Array.isArray(inside) ? listed(inside) : named(asFields(inside) ?? {});
    if (parts.length > 0) return parts;
  }
  return plain(whole);
}

/** Parts that carry their names themselves. */
const listed = (items: readonly unknown[]): Part[] =>
  items.flatMap((item) => {
    const { name } = asFields(item) ?? {};
    return typeof name === 'string' ? partOf(name, item) : [];
  });

const named = (inside: Fields): Part[] =>
  Object.entries(inside).flatMap(([name, value]) => partOf(name, value));

const plain = (whole: Fields): Part[] =>
  Object.entries(whole).flatMap(([name, value]) => {
    if (OF_THE_WHOLE.has(name.toLowerCase())) return [];
    return typeof value === 'string' && !isVerdict(value) ? [] : partOf(name, value);
  });

/** None when the value says neither that the part is well nor that it is not. */
function partOf(name: string, value: unknown): Part[] {
  const verdict = verdictOf(value);
  return verdict === null ? [] : [{ name, ...verdict }];
}

/** What a part measures while it is well changes all the time, and says nothing. */
const presentable = ({ name, passed, detail }: Part): Part => ({
  name: cut(clean(name), MAX_NAME_LENGTH) || 'unnamed',
  passed,
  detail: passed ? '' : cut(clean(detail), MAX_DETAIL_LENGTH),
});

interface Verdict {
  passed: boolean;
  detail: string;
}

function verdictOf(value: unknown): Verdict | null {
  if (typeof value === 'boolean') return { passed: value, detail: '' };
  if (typeof value === 'string') return { passed: isPassing(value), detail: wordFor(value) };
  if (Array.isArray(value)) {
    const verdicts = value.flatMap((each) => (Array.isArray(each) ? [] : (verdictOf(each) ?? [])));
    return verdicts.find(({ passed }) => !passed) ?? verdicts[0] ?? null;
  }
  const inside = asFields(value);
  if (!inside) return null;
  const word = VERDICTS.map((key) => inside[key]).find(
    (each) => typeof each === 'string' || typeof each === 'boolean',
  );
  if (word === undefined) return null;
  const passed = isPassing(String(word));
  return { passed, detail: passed ? '' : detailIn(inside) || wordFor(String(word)) };
}

/** In the object itself, or one deeper, as in Spring's `details.error`. */
function detailIn(inside: Fields): string {
  const { details, data } = inside;
  return ownDetail(inside) || ownDetail(asFields(details) ?? asFields(data) ?? {});
}

function ownDetail(inside: Fields): string {
  for (const key of DETAILS) {
    const detail = inside[key];
    if (typeof detail === 'string' && detail.trim() !== '') return detail;
    const { message } = asFields(detail) ?? {};
    if (typeof message === 'string') return message;
  }
  return '';
}

const isPassing = (word: string): boolean => PASSING.has(word.toLowerCase());
const isVerdict = (word: string): boolean => isPassing(word) || FAILING.has(word.toLowerCase());

/** A verdict's own word, unless it says no more than that the part fails. */
const wordFor = (word: string): string => (/^(fail|failed|false|error)$/i.test(word) ? '' : word);

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

const asFields = (value: unknown): Fields | null =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : null;

/** Without control and format characters, which could do things to a terminal; on one line. */
const clean = (text: string): string =>
  text
    .slice(0, 4 * MAX_DETAIL_LENGTH)
    .toWellFormed()
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .trim();

function cut(text: string, maxLength: number): string {
  const characters = [...text];
  return characters.length > maxLength ? `${characters.slice(0, maxLength - 1).join('')}…` : text;
}
