import { pathOf } from '../../../model/cache-key.ts';
import { type Guard, needsSigning, type RoutedGuards } from '../../../model/guard.ts';
import { type PathPattern, pathPattern } from '../../../model/path-pattern.ts';
import {
  decoded,
  fold,
  isUnambiguousButForCase,
  readingsOf,
} from '../../../model/path-readings.ts';
import type { Rule } from '../../../model/snapshot.ts';
import { fieldOf } from '../../http/field-lines.ts';
import type { RequestHead } from '../../http/request-head.ts';
import type { EdgeContext } from '../edge-context.ts';
import type { ForwardedFields } from '../forwarded.ts';
import { type OwnAnswer, tooManyRequests } from '../own-answers.ts';
import { BotRule } from './bot-rule.ts';
import { HostNames, mayEmbed } from './embedding.ts';
import { guardAnswers } from './guard-answers.ts';
import { TokenGate } from './token-gate.ts';
import { takeToken } from './token-parameter.ts';

type Client = Pick<ForwardedFields, 'clientOf' | 'countedAs'>;
type Judges = Pick<EdgeContext, 'rates' | 'clock'>;

/** A guard, ready to be asked. */
interface Post {
  guard: Guard;
  /** Of a path as it is read, and as it is by apps that pass over case. */
  isPath: PathPattern;
  isFolded: PathPattern;
  embedders: HostNames;
  bots: BotRule | null;
  /** By which its clients are counted. */
  counter: string;
}

/** By these, some frameworks take a request for one to another address, by default or once told to. */
const OTHER_ADDRESSES = [
  'x-original-url',
  'x-original-uri',
  'x-original-path',
  'x-rewrite-url',
  'x-rewrite-uri',
  'x-override-url',
  'x-http-destinationurl',
  'x-http-path-override',
  'x-proxy-url',
];
const OTHER_ADDRESS = new RegExp(`^(${OTHER_ADDRESSES.join('|')}):`, 'im');

/**
 * The guards of one route. Of a path that everybody reads alike, the first that matches counts; of one
 * that an app may read otherwise, the first for every such reading.
 */
export class Guards {
  private readonly posts: readonly Post[];
  /** Null where nothing has to be signed for. */
  private readonly gate: TokenGate | null;

  constructor(
    { rules, keys }: RoutedGuards,
    { environment, hosts }: Pick<Rule, 'environment' | 'hosts'>,
  ) {
    // A rule for any name would let any page embed.
    const own = hosts.filter((host) => host !== '*');
    this.posts = rules.map((guard) => postOf(guard, environment, own));
    this.gate = needsSigning(rules) ? new TokenGate(keys) : null;
  }

  /**
   * What to answer instead of what was asked for; null: it passes. Its target goes on without a token,
   * so that neither the cache nor the app nor a log has it.
   */
  refuse(head: RequestHead, client: Client, edge: Judges): OwnAnswer | null {
    let token = '';
    if (this.gate !== null) {
      const taken = takeToken(head.target);
      head.target = taken.unsigned;
      token = taken.token;
    }
    const path = pathOf(head.target);
    if (!isUnambiguousButForCase(path) || OTHER_ADDRESS.test(head.fields)) {
      return this.refuseAmbiguous(path, head, token, client, edge);
    }
    const post = this.postFor(path, 'isPath');
    const refused = post === null ? null : this.judge(post, head, token, false, client, edge);
    const folded = fold(path);
    if (refused !== null || folded === path) return refused;
    const other = this.postFor(folded, 'isFolded');
    if (other === null || other === post) return null;
    return this.judge(other, head, token, false, client, edge);
  }

  private refuseAmbiguous(
    path: string,
    head: RequestHead,
    token: string,
    client: Client,
    edge: Judges,
  ): OwnAnswer | null {
    const others = otherPaths(head).filter((other) => other !== path);
    const readings = [path, ...others].map(readingsOf);
    const crooked = others.length > 0 || readings.some((reading) => reading.crooked);
    const posts = readings.flatMap(({ cased, folded }) => [
      ...cased.map((reading) => this.postFor(reading, 'isPath')),
      ...folded.map((reading) => this.postFor(reading, 'isFolded')),
    ]);
    for (const post of new Set(posts)) {
      const refused = post === null ? null : this.judge(post, head, token, crooked, client, edge);
      if (refused !== null) return refused;
    }
    return null;
  }

  private postFor(path: string, reading: 'isPath' | 'isFolded'): Post | null {
    for (const post of this.posts) if (post[reading](path)) return post;
    return null;
  }

  /** Who is refused takes nothing of what the others of the same address may. */
  private judge(
    { guard, bots, embedders, counter }: Post,
    head: RequestHead,
    token: string,
    crooked: boolean,
    client: Client,
    { rates, clock }: Judges,
  ): OwnAnswer | null {
    const { referers, rate } = guard;
    if (bots !== null) {
      const refused = bots.refuse(fieldOf(head.fields, 'user-agent'));
      if (refused !== null) return refused;
    }
    if (referers !== null) {
      const referer = fieldOf(head.fields, 'referer');
      if (!mayEmbed(referer, head.hostName, embedders, referers.strict))
        return guardAnswers.hotlink;
    }
    if (guard.signed && this.gate !== null) {
      const { target, fields } = head;
      const asked = { target, fields, token, crooked, client: client.clientOf(head) };
      const refused = this.gate.problemOf({ ...asked, nowMs: clock.now() });
      if (refused !== null) return refused;
    }
    if (rate !== null) {
      const seconds = rates.take(counter, client.countedAs, rate, clock.monotonic());
      if (seconds > 0) return tooManyRequests(seconds);
    }
    return null;
  }
}

function postOf(guard: Guard, environment: string, own: readonly string[]): Post {
  const pattern = decoded(guard.path);
  return {
    guard,
    isPath: pathPattern(pattern),
    isFolded: pathPattern(fold(pattern)),
    bots: guard.bots && new BotRule(guard.bots),
    embedders: new HostNames([...own, ...(guard.referers?.hosts ?? [])]),
    counter: `${environment} ${guard.path}`,
  };
}

/** The paths that fields of a request name beside its target, in whichever form. */
const otherPaths = ({ fields }: RequestHead): string[] =>
  OTHER_ADDRESSES.flatMap((name) => fieldOf(fields, name) ?? []).map((address) =>
    pathOf(address.replace(/^https?:\/\/[^/?]*/i, '')),
  );
