import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import { fieldOf, withoutFields } from '../http/field-lines.ts';
import { latin1 } from '../http/latin1.ts';
import type { RequestHead } from '../http/request-head.ts';
import type { CacheRoute, ReadyRule } from './cache-route.ts';
import { type Coding, type Forms, KeptResponse, TEXT_BODY_BYTES } from './kept-response.ts';
import { normalEncoding, varyNames } from './variant.ts';

/**
 * What is kept is compressed once for all who take it so, behind the first of them: he gets it as it
 * is. Which answers is CloudFront's rule. Nothing but what everybody may see is ever kept, so that no
 * secret of anybody stands beside what somebody else may choose (BREACH).
 */

const LEAST_BYTES = 1_000;
const MOST_BYTES = 10_000_000;
const STATUSES = new Set([200, 403, 404]);
/** Text, and what is as good as text: CloudFront's list in short. Events are for one, and as they come. */
const TYPES =
  /^(text\/(?!event-stream)[^;\s]+|[^/;\s]+\/[^;\s]+\+(json|xml)|application\/(dash\+xml|javascript|json|manifest|pdf|protobuf|rss\+xml|vnd\.apple\.mpegurl|vnd\.mapbox-vector-tile|vnd\.ms-fontobject|wasm|x-javascript|x-mpegurl|xml)|(application|font)\/(x-)?(font-)?(eot|opentype|otf|truetype|ttf|sfnt))\s*(;|$)/i;
/** They speak of the very bytes. */
const OF_THE_BYTES = ['content-md5', 'content-digest', 'digest'];
/** What takes more than this share of it is not worth a client's time. */
const WORTHWHILE_SHARE = 0.95;
/** Each takes a thread of Node's own, of which there are four for all; who comes next finds it later. */
const MOST_AT_ONCE = 2;
/** The weight that servers compress with as they answer: better ones take ten times as long. */
const BROTLI_QUALITY = 5;
const MOST_REMEMBERED = 1_000;

const compressors: Record<Coding, (body: Buffer) => Promise<Buffer>> = {
  br: (body) =>
    promisify(brotliCompress)(body, {
      params: {
        [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY,
        [constants.BROTLI_PARAM_SIZE_HINT]: body.length,
      },
    }),
  gzip: promisify<Buffer, Buffer>(gzip),
};

export class Compression {
  private running = 0;
  /** What a value of Accept-Encoding comes to: browsers send few. */
  private readonly codings = new Map<string, Coding | null>();

  /**
   * What to answer with in place of what is kept.
   *
   * @param key under which it was found
   */
  formOf(
    kept: KeptResponse,
    key: string,
    route: CacheRoute,
    rule: ReadyRule,
    head: RequestHead,
  ): KeptResponse {
    kept.forms ??= isWorthIt(kept) ? {} : 'none';
    if (kept.forms === 'none') return kept;
    const coding = this.codingFor(head.fields);
    if (coding === null) return kept;
    const form = kept.forms[coding];
    if (form instanceof KeptResponse) return form;
    if (form === undefined && this.running < MOST_AT_ONCE) {
      void this.make(kept, kept.forms, coding).then(() =>
        route.cache.recount(kept, key, route, rule, head),
      );
    }
    return kept;
  }

  private async make(kept: KeptResponse, forms: Forms, coding: Coding): Promise<void> {
    const { body, bodyBytes } = kept.kept;
    if (body === null) return;
    forms[coding] = 'under-way';
    this.running += 1;
    try {
      const bytes = await compressors[coding](
        typeof body === 'string' ? Buffer.from(body, 'latin1') : body,
      );
      const isSmaller = bytes.length <= bodyBytes * WORTHWHILE_SHARE;
      forms[coding] = isSmaller ? compressed(kept, coding, ownBody(bytes)) : 'useless';
    } catch {
      // It is answered as it is, as before.
      forms[coding] = 'useless';
    } finally {
      this.running -= 1;
    }
  }

  private codingFor(fields: string): Coding | null {
    const value = fieldOf(fields, 'accept-encoding');
    if (value === null) return null;
    const known = this.codings.get(value);
    if (known !== undefined) return known;
    const coding = codingOf(value);
    if (this.codings.size >= MOST_REMEMBERED) this.codings.clear();
    this.codings.set(Buffer.from(value, 'latin1').toString('latin1'), coding);
    return coding;
  }
}

/** What the app says has not changed: what was made of its body is as it was, its fields are newer. */
export function carryForms(from: KeptResponse, to: KeptResponse): void {
  if (from.forms === null || from.forms === 'none' || !isWorthIt(to)) return;
  to.forms = {};
  for (const coding of ['br', 'gzip'] as const) {
    const form = from.forms[coding];
    if (form instanceof KeptResponse && form.kept.body !== null) {
      to.forms[coding] = compressed(to, coding, form.kept.body);
    } else if (form === 'useless') {
      to.forms[coding] = form;
    }
  }
}

/** The line by which other caches know that there may be several, where it is not there; with its CRLF. */
export function varyLine(status: number, fields: string): string {
  if (!STATUSES.has(status) || !isCompressible(fields)) return '';
  const names = varyNames(fieldOf(fields, 'vary'));
  return names.includes('accept-encoding') || names.includes('*')
    ? ''
    : 'Vary: Accept-Encoding\r\n';
}

function isWorthIt({ kept: { status, fields, body, bodyBytes } }: KeptResponse): boolean {
  if (body === null || bodyBytes < LEAST_BYTES || bodyBytes > MOST_BYTES) return false;
  return STATUSES.has(status) && isCompressible(fields);
}

function isCompressible(fields: string): boolean {
  if (!TYPES.test(fieldOf(fields, 'content-type') ?? '')) return false;
  if (fieldOf(fields, 'content-encoding') !== null) return false;
  if (OF_THE_BYTES.some((name) => fieldOf(fields, name) !== null)) return false;
  return !/(^|[\s,])no-transform([\s,;]|$)/i.test(fieldOf(fields, 'cache-control') ?? '');
}

/** Brotli before gzip, whichever the client says it would rather have. */
function codingOf(value: string): Coding | null {
  const accepted = new Set(normalEncoding(value).split(','));
  if (accepted.has('br')) return 'br';
  return accepted.has('gzip') ? 'gzip' : null;
}

function compressed(of: KeptResponse, coding: Coding, body: string | Buffer): KeptResponse {
  const { kept } = of;
  // The bytes are others, what they mean is the same (RFC 9110 section 8.8.1).
  const etag = kept.etag === null || kept.etag.startsWith('W/') ? kept.etag : `W/${kept.etag}`;
  const fields =
    withoutFields(kept.fields, new Set(['etag', 'accept-ranges'])) +
    (etag === null ? '' : `ETag: ${etag}\r\n`) +
    `Content-Encoding: ${coding}\r\n`;
  return new KeptResponse({ ...kept, fields, etag, body, bodyBytes: body.length, diskId: null }, 0);
}

/** As bodies are kept; not a part of something larger. */
function ownBody(bytes: Buffer): string | Buffer {
  if (bytes.length <= TEXT_BODY_BYTES) return latin1(bytes, 0, bytes.length);
  const own = Buffer.allocUnsafeSlow(bytes.length);
  bytes.copy(own);
  return own;
}
