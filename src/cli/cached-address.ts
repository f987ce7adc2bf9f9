import { Fault } from '../kernel/fault.ts';
import type { CachePolicy } from '../model/cache.ts';
import { PRODUCTION } from '../model/environment.ts';
import type { EnvironmentView } from '../model/view.ts';
import type { Context } from './context.ts';
import { InputFault } from './exit-code.ts';
import { chooseEnvironment, type Where } from './where.ts';

/** Addresses as people write them, and the environments that answer to them. */

export interface CachedAddress extends Where {
  /** Whole. */
  url: string;
  /** As a request names it, with its port unless it is the scheme's own. */
  host: string;
  /** Path and query. */
  target: string;
  policy: CachePolicy;
}

export interface AddressOptions {
  app?: string;
  environment?: string;
}

/** An address, and how it is called in what is said of it. */
export interface WrittenAddress {
  text: string;
  /** `line 3 of urls.txt`; null: it stands in the command. */
  place: string | null;
}

/**
 * A path alone is of the environment that is chosen, production unless another is named; of a whole
 * address the host name tells.
 *
 * @throws InputFault `bad-address`, `unknown-host`; `no-cache`; all that `chooseEnvironment` throws
 */
export async function locateAddresses(
  context: Context,
  options: AddressOptions,
  written: readonly WrittenAddress[],
): Promise<CachedAddress[]> {
  const client = context.client();
  const [{ environments: all }, { environments: caches }] = await Promise.all([
    client.call('environments'),
    client.call('caches'),
  ]);
  const named = all.filter(
    ({ application, environment }) =>
      (options.app ?? application) === application &&
      (options.environment ?? environment) === environment,
  );
  const chosen = written.some(({ text }) => text.startsWith('/'))
    ? await chooseView(context, options, all)
    : null;
  return written.map((each) => {
    const url = parse(each, chosen);
    const view = each.text.startsWith('/') ? chosen : holderOf(url.hostname, named);
    if (!view) throw unknownHost(each, url.hostname, named);
    const { application, environment } = view;
    const policy = caches.find(
      (cache) => cache.application === application && cache.environment === environment,
    )?.policy;
    if (!policy) throw noCache(view);
    const target = url.pathname + url.search;
    return { application, environment, url: url.origin + target, host: url.host, target, policy };
  });
}

async function chooseView(
  context: Context,
  { app, environment = PRODUCTION }: AddressOptions,
  all: readonly EnvironmentView[],
): Promise<EnvironmentView> {
  const where = await chooseEnvironment(context, {
    ...(app !== undefined && { app }),
    environment,
  });
  const view = all.find(
    (each) => each.application === where.application && each.environment === where.environment,
  );
  // Whoever names one that is not there is told by the daemon which there are.
  return view ?? (await context.client().call('environment', { params: where }));
}

function parse({ text, place }: WrittenAddress, chosen: EnvironmentView | null): URL {
  const whole = text.startsWith('/') ? new URL(chosen?.url ?? '').origin + text : text;
  const url = URL.canParse(whole) ? new URL(whole) : null;
  if (url !== null && (url.protocol === 'http:' || url.protocol === 'https:')) return url;
  throw new InputFault({
    code: 'bad-address',
    message: `${place === null ? '' : `${place}: `}'${text}' is no address`,
    hint: URL.canParse(`http://${text}`)
      ? `write http://${text}, or a path: /a`
      : 'write http://my-app.localhost:8080/a, or the path alone: /a',
  });
}

/** The most specific name wins, as it does in the edge. */
function holderOf(
  name: string,
  environments: readonly EnvironmentView[],
): EnvironmentView | undefined {
  const parent = `*.${name.slice(name.indexOf('.') + 1)}`;
  for (const pattern of [name, parent, '*']) {
    const holder = environments.find(({ domains }) => domains.includes(pattern));
    if (holder) return holder;
  }
  // Names that reach whatever is there are nobody's own.
  const [only, ...others] = environments;
  return BARE_NAMES.has(name) && others.length === 0 ? only : undefined;
}

const BARE_NAMES = new Set(['localhost', '127.0.0.1', '[::1]']);

function unknownHost(
  { text, place }: WrittenAddress,
  name: string,
  environments: readonly EnvironmentView[],
): InputFault {
  const known = environments.flatMap(({ domains }) => domains);
  return new InputFault({
    code: 'unknown-host',
    message: `${place === null ? '' : `${place}: `}no environment answers to ${name}`,
    subject: text,
    hint: known.length === 0 ? 'see what runs with: belay status' : `there is ${known.join(', ')}`,
  });
}

const noCache = ({ application, environment }: Where): Fault =>
  new Fault({
    code: 'no-cache',
    message: `the edge keeps no answers of ${application}/${environment}`,
    subject: `${application}/${environment}`,
    hint: "turn a cache on in belay.config.ts, as in: edge: { cache: { '/assets/*': '1d' } }",
  });
