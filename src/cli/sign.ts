import type { AnswerOf } from '../api/routes.ts';
import { isAddressRange } from '../model/address-range.ts';
import { type SignedPolicy, TOKEN_COOKIE, TOKEN_PARAMETER } from '../model/signed-token.ts';
import { command } from './command.ts';
import type { Context } from './context.ts';
import { exitCodes, InputFault } from './exit-code.ts';
import { MOMENT, momentOf } from './moment.ts';
import { badOption, type EnvironmentOptions, environmentOptions } from './options.ts';
import { formatTime } from './quantity.ts';
import { chooseEnvironment } from './where.ts';

interface SignOptions extends EnvironmentOptions {
  expires: string;
  from?: string;
  address?: string;
  cookie?: boolean;
}

/** What is signed for: an address whole, or all that match a path with stars in it. */
interface Asked {
  url: URL;
  /** It was written with its host. */
  whole: boolean;
}

export const signCommand = command<SignOptions>({
  name: 'sign',
  summary: 'permission for a guarded address, for a while',
  description:
    'Prints an address that is let through where edge.guard says signed, or, with --cookie, a cookie for many. A path with * in it stands for all that match: then what to append to each is printed. Who has the address or the cookie may hand it on, until it expires.',
  arguments: [
    {
      syntax: '<URL>',
      description: 'http://shop.localhost/videos/a.mp4, or a path such as /videos/*',
    },
  ],
  options: [
    { flags: '--expires <time>', description: `when it ends: ${MOMENT}`, default: '1h' },
    { flags: '--from <time>', description: 'when it begins; now, when left out' },
    {
      flags: '--address <range>',
      description: 'for clients there alone: 203.0.113.7, or 203.0.113.0/24',
    },
    { flags: '--cookie', description: 'a cookie, as a Set-Cookie line, in place of an address' },
    ...environmentOptions,
  ],
  examples: [
    ['belay sign http://shop.localhost:8080/videos/a.mp4', 'one address, for an hour'],
    ["belay sign '/videos/*' --cookie --expires 1d", 'all of them, for a day, by a cookie'],
  ],
  async run(context, options, [text = '']) {
    const asked = askedIn(text);
    const policy = policyOf(context, options, asked.url);
    const where = await chooseEnvironment(context, options);
    const view = await context.client().call('sign', { params: where, body: policy });
    const url = options.cookie ? null : signedUrl(asked, view.token);
    const cookie = options.cookie ? cookieLine(context, asked.url, policy, view.token) : null;
    if (context.json) {
      context.stdout.line(JSON.stringify({ ...where, ...view, policy, url, cookie }));
      return exitCodes.ok;
    }
    // Not folded: it is to be copied whole.
    context.stdout.line(cookie ?? url ?? `${TOKEN_PARAMETER}=${view.token}`);
    tell(context, `${where.application}/${where.environment}`, policy, view);
    return exitCodes.ok;
  },
});

function askedIn(text: string): Asked {
  const whole = /^https?:\/\//i.test(text);
  const base = 'http://localhost';
  if ((!whole && !text.startsWith('/')) || !URL.canParse(text, base)) {
    throw badUrl(text, 'is no address', "write http://shop.localhost/videos/a.mp4, or '/videos/*'");
  }
  const url = new URL(whole ? text : `${base}${text}`);
  if (url.searchParams.has(TOKEN_PARAMETER)) {
    throw badUrl(text, 'is signed already', `leave out ${TOKEN_PARAMETER}`);
  }
  url.hash = '';
  return { url, whole };
}

/** An address without stars means itself, with the query it has and no other. */
function policyOf(context: Context, options: SignOptions, { pathname, search }: URL): SignedPolicy {
  const { expires, from, address } = options;
  if (address !== undefined && !isAddressRange(address)) {
    const hint = 'write 203.0.113.7, or 203.0.113.0/24';
    throw badOption('--address', `is '${address}', which is no address or range of them`, hint);
  }
  const isPattern = pathname.includes('*') && search === '';
  return {
    path: isPattern ? pathname : `${pathname}?${search.slice(1)}`,
    expires: Math.ceil(momentOf(context, '--expires', expires) / 1_000),
    ...(from !== undefined && { starts: Math.floor(momentOf(context, '--from', from) / 1_000) }),
    ...(address !== undefined && { address }),
  };
}

/** Null for what stands for many. */
function signedUrl({ url, whole }: Asked, token: string): string | null {
  const { pathname, search } = url;
  if (pathname.includes('*') || search.includes('*')) return null;
  const target = `${pathname}${search}${search === '' ? '?' : '&'}${TOKEN_PARAMETER}=${token}`;
  return whole ? `${url.origin}${target}` : target;
}

function cookieLine(
  { clock }: Context,
  { pathname, protocol }: URL,
  { expires }: SignedPolicy,
  token: string,
): string {
  const star = pathname.indexOf('*');
  const fixed = star === -1 ? pathname : pathname.slice(0, star);
  const attributes = [
    `Path=${star === -1 ? fixed : fixed.slice(0, fixed.lastIndexOf('/') + 1)}`,
    `Max-Age=${Math.max(0, expires - Math.ceil(clock.now() / 1_000))}`,
    'HttpOnly',
    'SameSite=Lax',
    ...(protocol === 'https:' ? ['Secure'] : []),
  ];
  return `Set-Cookie: ${TOKEN_COOKIE}=${token}; ${attributes.join('; ')}`;
}

function tell(
  { stderr }: Context,
  environment: string,
  { path, expires }: SignedPolicy,
  { key, needed }: AnswerOf<'sign'>,
): void {
  stderr.folded(
    `For ${path} until ${formatTime(expires * 1_000)}, by key ${key} of ${environment}.`,
  );
  if (needed) return;
  stderr.folded(
    `Nothing there has to be signed for yet: write { '${path.replace(/\?$/, '')}': { signed: true } } under edge.guard in belay.config.ts, and deploy it.`,
  );
}

const badUrl = (text: string, what: string, hint: string): InputFault =>
  new InputFault({ code: 'bad-url', message: `'${text}' ${what}`, subject: text, hint });
