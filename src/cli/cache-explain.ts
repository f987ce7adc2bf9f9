import { formatDuration } from '../config/duration.ts';
import type { CacheRule } from '../model/cache.ts';
import { type CacheReport, readCacheStatus } from './cache-report.ts';
import { verdictOf } from './cache-verdict.ts';
import { type AddressOptions, type CachedAddress, locateAddresses } from './cached-address.ts';
import { command } from './command.ts';
import { answer, type Context } from './context.ts';
import { type EdgeAnswer, EdgeClient } from './edge-request.ts';
import { exitCodes } from './exit-code.ts';
import type { KeyExplanation } from './key-explanation.ts';
import { appOption, badOption, environmentOption } from './options.ts';
import type { Paint } from './paint.ts';
import { formatBytes, formatMs } from './quantity.ts';

export interface RequestOptions extends AddressOptions {
  header?: readonly string[];
}

export const requestOptions = [
  {
    flags: '-H, --header <field>',
    description: 'send this too, as in "Accept-Language: fr"; may be repeated',
    parse: (text: string, before?: unknown) => [...((before as string[] | undefined) ?? []), text],
  },
  { ...appOption, description: 'the application; otherwise the address tells' },
  {
    flags: environmentOption.flags,
    description: 'the environment; otherwise the address tells, and of a path it is production',
  },
];

export const explainCommand = command<RequestOptions>({
  name: 'explain',
  summary: 'what the cache does with an address, and why',
  description:
    'Asks the edge for an address, as a browser would, and says by which rule and under which key its answer is kept, whether it is, and what to do where it is not. The request counts like any other.',
  arguments: [{ syntax: '<url>', description: 'an address, or its path' }],
  options: requestOptions,
  examples: [
    ['belay cache explain /assets/app.css', 'of production'],
    ['belay cache explain http://my-app.localhost:8080/list?page=2', 'by its name'],
  ],
  async run(context, options, [text = '']) {
    const headers = headersOf(options);
    const [address] = await locateAddresses(context, options, [{ text, place: null }]);
    if (!address) return exitCodes.failed;
    const [{ got, report }, { explainKey }] = await Promise.all([
      askOnce(context, address, headers),
      import('./key-explanation.ts'),
    ]);
    const { application, environment, url } = address;
    const explained = {
      ...{ application, environment, url },
      ...explainKey(address, headers),
      answer: {
        status: got.status,
        ageS: got.fields.age === undefined ? null : Number(got.fields.age),
        bodyBytes: got.bodyBytes,
        tookMs: Math.round(got.tookMs * 10) / 10,
        fields: Object.fromEntries(
          SHOWN_FIELDS.flatMap((name) => {
            const value = got.fields[name];
            return value === undefined ? [] : [[name, String(value)] as const];
          }),
        ),
      },
      ...verdictOf(report, got),
    };
    answer(context, explained, () => render(explained, context.stdout.paint));
    return exitCodes.ok;
  },
});

/** For how long what was kept just now is, a HEAD tells on the same connection, from the same worker. */
async function askOnce(
  context: Context,
  address: CachedAddress,
  headers: Readonly<Record<string, string>>,
): Promise<{ got: EdgeAnswer; report: CacheReport | null }> {
  const edge = new EdgeClient(await context.client().call('daemon'), 1, context.clock);
  try {
    const got = await edge.ask('GET', address, headers, context.interrupt);
    const report = reportOf(got);
    if (!report?.stored || report.ttlS !== null) return { got, report };
    const again = reportOf(await edge.ask('HEAD', address, headers, context.interrupt));
    return { got, report: { ...report, ttlS: again?.ttlS ?? null } };
  } finally {
    edge.close();
  }
}

/** Of the nearest cache; null: it has said nothing. */
export const reportOf = ({ fields }: EdgeAnswer): CacheReport | null =>
  readCacheStatus(String(fields['cache-status'] ?? '')).at(-1) ?? null;

/** What an app says of being kept, and what the edge makes of it. */
const SHOWN_FIELDS = [
  ...['cache-control', 'cdn-cache-control', 'expires', 'vary', 'etag', 'last-modified'],
  ...['cache-tag', 'cache-status'],
];

export function headersOf({ header = [] }: RequestOptions): Record<string, string> {
  return Object.fromEntries(
    header.map((field) => {
      const [, name = '', value = ''] =
        /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t -~]*)$/.exec(field) ?? [];
      if (name !== '') return [name.toLowerCase(), value] as const;
      throw badOption('--header', `is '${field}', which is no field`, 'write it as Name: value');
    }),
  );
}

type Explained = KeyExplanation &
  Pick<CachedAddress, 'application' | 'environment' | 'url'> &
  ReturnType<typeof verdictOf> & {
    answer: { status: number; bodyBytes: number; tookMs: number; fields: Record<string, string> };
  };

function render(explained: Explained, paint: Paint): string[] {
  const { application, environment, url, rule, key, decision, why, next } = explained;
  const { status, bodyBytes, tookMs, fields } = explained.answer;
  const line = (title: string, text: string) => `  ${paint.dim(title.padEnd(7))} ${text}`;
  const isGood = decision === 'hit' || decision === 'stored';
  return [
    `${paint.bold(url)}  ${application}/${environment}`,
    line('rule', ruleText(rule)),
    line('', paint.dim(lifetimeText(rule.said))),
    line('key', keyText(key)),
    line('answer', `${status}, ${formatBytes(bodyBytes)} in ${formatMs(tookMs)}`),
    ...Object.entries(fields).map(([name, value]) => line('', paint.dim(`${name}: ${value}`))),
    `${isGood ? paint.green('✓') : paint.yellow('!')} ${decision}: ${why}`,
    ...(next === null ? [] : [`  ${paint.dim('Next: ')} ${next}`]),
  ];
}

function ruleText({ number, of, path, alsoMatching }: KeyExplanation['rule']): string {
  if (number === null) {
    return of === 0 ? 'there are none: the app decides' : `none of ${of} matches: the app decides`;
  }
  const also =
    alsoMatching.length === 0
      ? ''
      : `; ${alsoMatching.join(', ')} would match too, and comes later`;
  return `${number} of ${of}, ${path}: the first that matches${also}`;
}

function lifetimeText(rule: CacheRule): string {
  if (rule.bypass) return 'bypass: nothing is kept';
  const { leastS, otherwiseS, mostS, errorS, staleWhileRevalidateS, staleIfErrorS } = rule;
  return [
    otherwiseS === null ? 'as the app says' : `${text(otherwiseS)} where the app says nothing`,
    ...(leastS === 0 ? [] : [`at least ${text(leastS)}`]),
    `at most ${text(mostS)}`,
    ...(errorS === null ? [] : [`errors ${text(errorS)}`]),
    ...(staleWhileRevalidateS === 0
      ? []
      : [`then ${text(staleWhileRevalidateS)} stale while it is asked again`]),
    ...(staleIfErrorS === 0 ? [] : [`${text(staleIfErrorS)} stale if the app fails`]),
  ].join(', ');
}

const text = (seconds: number): string => formatDuration(seconds * 1_000);

function keyText({ host, target, leftOut, headers, cookies, byVersion }: KeyExplanation['key']) {
  return [
    `${host}${target}`,
    ...headers.map((each) => `field ${each}`),
    ...cookies.map((each) => `cookie ${each}`),
    ...(byVersion ? ['of this version'] : []),
    ...(leftOut.length === 0 ? [] : [`without ${leftOut.join(', ')}`]),
  ].join('; ');
}
