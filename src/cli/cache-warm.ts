import { Fault } from '../kernel/fault.ts';
import type { CachesView } from '../model/cache-view.ts';
import { readAddressLists } from './address-list.ts';
import { headersOf, type RequestOptions, reportOf, requestOptions } from './cache-explain.ts';
import { type Verdict, verdictOf } from './cache-verdict.ts';
import { type CachedAddress, locateAddresses } from './cached-address.ts';
import { command } from './command.ts';
import { answer, type Context } from './context.ts';
import { EdgeClient } from './edge-request.ts';
import { exitCodes, InputFault } from './exit-code.ts';
import { liveLine } from './live-line.ts';
import { badOption, countOption } from './options.ts';
import type { Paint } from './paint.ts';
import { formatCount, formatDuration, formatPlural } from './quantity.ts';

const DEFAULT_CONCURRENCY = '8';
/** An app that is warmed must still serve others. */
const MOST_CONCURRENCY = 100;
/** Addresses told for each reason. */
const SHOWN = 3;

interface WarmOptions extends RequestOptions {
  concurrency: number | string;
}

interface Warmed {
  url: string;
  decision: Verdict['decision'];
  why: string;
}

export const warmCommand = command<WarmOptions>({
  name: 'warm',
  summary: 'ask for addresses, so that they are kept',
  description:
    'Asks the edge for every address in the files, as browsers do, and says how many are kept now. A file has an address on each line, or is a sitemap; - is stdin. Each edge worker has a memory of its own, and what is asked for fills the one that answers; the disk is shared by all.',
  arguments: [{ syntax: '<file|url...>', description: 'lists of addresses, or addresses' }],
  options: [
    {
      flags: '--concurrency <n>',
      description: 'requests at a time',
      default: DEFAULT_CONCURRENCY,
      parse: concurrencyOption,
    },
    ...requestOptions,
  ],
  examples: [
    ['belay cache warm / /pricing', 'two pages of production'],
    ['belay cache warm sitemap.xml', 'all that is in it'],
    ['curl -s http://my-app.localhost:8080/sitemap.xml | belay cache warm -', 'from the app'],
  ],
  async run(context, options, words) {
    const headers = headersOf(options);
    const written = await readAddressLists(context, words);
    if (written.length === 0) throw nothingListed(words);
    const addresses = await locateAddresses(context, options, written);
    const startedMs = context.clock.monotonic();
    const warmed = await warm(context, addresses, headers, Number(options.concurrency));
    if (context.interrupt.aborted) return exitCodes.interrupted;
    const tookMs = Math.round(context.clock.monotonic() - startedMs);
    const caches = await context.client().call('caches');
    const counts = countsOf(warmed);
    answer(context, { ...counts, tookMs, workers: caches.workers.length, addresses: warmed }, () =>
      render(warmed, caches, tookMs, context.stdout.paint),
    );
    return counts.failed === 0 ? exitCodes.ok : exitCodes.failed;
  },
});

/** In the order of the addresses. */
async function warm(
  context: Context,
  addresses: readonly CachedAddress[],
  headers: Readonly<Record<string, string>>,
  concurrency: number,
): Promise<Warmed[]> {
  const edge = new EdgeClient(await context.client().call('daemon'), concurrency, context.clock);
  const progress = liveLine(context.stderr);
  const warmed: Warmed[] = [];
  let next = 0;
  let done = 0;
  const work = async () => {
    for (let index = next++; index < addresses.length; index = next++) {
      const address = addresses[index];
      if (!address || context.interrupt.aborted) return;
      warmed[index] = { url: address.url, ...(await ask(edge, address, headers, context)) };
      done += 1;
      progress.show(`${formatCount(done)} of ${formatPlural(addresses.length, 'URL')}…`);
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(concurrency, addresses.length) }, work));
  } finally {
    progress.clear();
    edge.close();
  }
  return warmed;
}

async function ask(
  edge: EdgeClient,
  address: CachedAddress,
  headers: Readonly<Record<string, string>>,
  { interrupt }: Context,
): Promise<Omit<Warmed, 'url'>> {
  try {
    const got = await edge.ask('GET', address, headers, interrupt);
    const { decision, why } = verdictOf(reportOf(got), got);
    return { decision, why };
  } catch (fault) {
    if (!(fault instanceof Fault) && !interrupt.aborted) throw fault;
    return { decision: 'failed', why: fault instanceof Fault ? fault.message : 'interrupted' };
  }
}

function countsOf(warmed: readonly Warmed[]) {
  const count = (...decisions: Verdict['decision'][]) =>
    warmed.filter(({ decision }) => decisions.includes(decision)).length;
  return {
    stored: count('stored'),
    present: count('hit', 'stale'),
    notKept: count('passed'),
    failed: count('failed'),
  };
}

function render(
  warmed: readonly Warmed[],
  { workers, diskBoundBytes }: CachesView,
  tookMs: number,
  paint: Paint,
): string[] {
  const { stored, present, notKept, failed } = countsOf(warmed);
  const parts = [
    `${formatCount(stored)} stored`,
    `${formatCount(present)} there already`,
    `${formatCount(notKept)} not kept`,
    ...(failed === 0 ? [] : [paint.red(`${formatCount(failed)} failed`)]),
  ];
  const sign = failed === 0 ? paint.green('✓') : paint.red('✗');
  return [
    `${sign} Asked for ${formatPlural(warmed.length, 'URL')} in ${formatDuration(tookMs)}: ${parts.join(', ')}`,
    ...reasonLines(warmed.filter(({ decision }) => decision === 'passed' || decision === 'failed')),
    ...(workers.length < 2 ? [] : [paint.dim(`  ${memoryText(workers.length, diskBoundBytes)}`)]),
  ];
}

/** The most frequent first, each with its first addresses. */
function reasonLines(left: readonly Warmed[]): string[] {
  const byWhy = Map.groupBy(left, ({ why }) => why);
  return [...byWhy]
    .sort(([, a], [, b]) => b.length - a.length)
    .flatMap(([why, those]) => [
      `  ${formatCount(those.length)}: ${why}`,
      ...those.slice(0, SHOWN).map(({ url }) => `    ${url}`),
      ...(those.length > SHOWN ? [`    and ${formatCount(those.length - SHOWN)} more`] : []),
    ]);
}

function memoryText(workers: number, diskBoundBytes: number): string {
  const each = `each of the ${workers} workers has a memory of its own, and one has answered each`;
  return diskBoundBytes === 0
    ? `${each}: the others ask the app once more`
    : `${each}: the others find it on the disk they share`;
}

function concurrencyOption(text: string): number {
  const count = countOption('--concurrency', 1)(text);
  if (count <= MOST_CONCURRENCY) return count;
  throw badOption('--concurrency', `is ${text}, and ${MOST_CONCURRENCY} are the most`);
}

const nothingListed = (words: readonly string[]): InputFault =>
  new InputFault({
    code: 'bad-address-list',
    message: `there is no address in ${words.join(', ')}`,
    hint: 'write one on each line, or name addresses: belay cache warm / /pricing',
  });
