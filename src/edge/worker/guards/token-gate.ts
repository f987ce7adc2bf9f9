import { BlockList, isIPv6 } from 'node:net';
import { pathOf } from '../../../model/cache-key.ts';
import { type PathPattern, pathPattern } from '../../../model/path-pattern.ts';
import {
  readToken,
  type SignedPolicy,
  type SigningKey,
  TOKEN_COOKIE,
} from '../../../model/signed-token.ts';
import { fieldLines } from '../../http/field-lines.ts';
import { plainAddress } from '../client-address.ts';
import type { OwnAnswer } from '../own-answers.ts';
import { guardAnswers } from './guard-answers.ts';

/** What is remembered of tokens that were right: to check one costs as much as a fifth of a request. */
const MOST_KNOWN = 4_096;
/** A client may have one for each of several paths. */
const MOST_COOKIES = 8;
const COOKIE = `${TOKEN_COOKIE}=`;

/** A request for something that has to be signed for. */
export interface SignedRequest {
  /** Without the token. */
  target: string;
  /** That was in the target; empty for none. */
  token: string;
  /** Its path leads elsewhere than it seems to. */
  crooked: boolean;
  fields: string;
  client: string;
  /** Wall clock. */
  nowMs: number;
}

/** Lets pass who has a token of the environment's: in the address, else in a cookie. */
export class TokenGate {
  private readonly keys: readonly SigningKey[];
  private readonly known = new Map<string, Permission>();

  constructor(keys: readonly SigningKey[]) {
    this.keys = keys;
  }

  /** Null: it passes. */
  problemOf(request: SignedRequest): OwnAnswer | null {
    if (request.token !== '') return this.problemWith(request.token, request);
    let problem: OwnAnswer = guardAnswers.unsigned;
    for (const token of tokensIn(request.fields)) {
      const found = this.problemWith(token, request);
      if (found === null) return null;
      problem = found;
    }
    return problem;
  }

  private problemWith(token: string, request: SignedRequest): OwnAnswer | null {
    const permission = this.known.get(token) ?? this.read(token);
    return permission === null ? guardAnswers.badToken : permission.problemOf(request);
  }

  private read(token: string): Permission | null {
    const policy = readToken(token, this.keys);
    if (policy === null) return null;
    const permission = new Permission(policy);
    if (this.known.size >= MOST_KNOWN) this.known.clear();
    // A copy: a part of a head would keep all of it in memory.
    this.known.set(Buffer.from(token, 'latin1').toString('latin1'), permission);
    return permission;
  }
}

/** A policy that was signed by the right key. */
class Permission {
  private readonly policy: SignedPolicy;
  private readonly isPath: PathPattern;
  /** Null for any. */
  private readonly isQuery: PathPattern | null;
  private readonly addresses: BlockList | null;

  constructor(policy: SignedPolicy) {
    this.policy = policy;
    const mark = policy.path.indexOf('?');
    this.isPath = pathPattern(pathOf(policy.path));
    this.isQuery = mark === -1 ? null : pathPattern(policy.path.slice(mark + 1));
    this.addresses = policy.address === undefined ? null : rangeOf(policy.address);
  }

  problemOf({ target, crooked, client, nowMs }: SignedRequest): OwnAnswer | null {
    const { expires, starts = 0 } = this.policy;
    if (nowMs >= expires * 1_000) return guardAnswers.expired;
    if (nowMs < starts * 1_000) return guardAnswers.early;
    const path = pathOf(target);
    // What the app makes of a crooked path is not what was signed, whatever it looks like.
    if (crooked || !this.isPath(path)) return guardAnswers.otherPath;
    if (this.isQuery?.(target.slice(path.length + 1)) === false) return guardAnswers.otherPath;
    if (this.addresses?.check(client, familyOf(client)) === false) return guardAnswers.otherAddress;
    return null;
  }
}

function tokensIn(fields: string): string[] {
  const tokens: string[] = [];
  for (const { name, value } of fieldLines(fields)) {
    if (name !== 'cookie') continue;
    for (const pair of value.split(';')) {
      const cookie = pair.trim();
      if (cookie.startsWith(COOKIE)) tokens.push(cookie.slice(COOKIE.length));
    }
  }
  return tokens.slice(0, MOST_COOKIES);
}

function rangeOf(range: string): BlockList {
  const [address = '', length] = range.split('/');
  const list = new BlockList();
  const plain = plainAddress(address);
  if (length === undefined) list.addAddress(plain, familyOf(plain));
  else list.addSubnet(plain, Number(length), familyOf(plain));
  return list;
}

const familyOf = (address: string): 'ipv4' | 'ipv6' => (isIPv6(address) ? 'ipv6' : 'ipv4');
