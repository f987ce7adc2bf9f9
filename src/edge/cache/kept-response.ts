import { STATUS_CODES } from 'node:http';
import { bodyMemoryBytes, ownBody, ownText, partBytes, textMemoryBytes } from './own-memory.ts';
import type { PartOfWhole } from './parts.ts';
import { ageMsOf, type KeptTimes, ttlMsOf } from './reuse.ts';
import type { Validators } from './validators.ts';

/** Up to here a body is text: it joins its head in one write, and the heap holds it cheaply. */
export const TEXT_BODY_BYTES = 4 * 1024;
/** Up to here head and body are put into one piece, anew when the age in it changes. */
const ONE_PIECE_BYTES = 64 * 1024;
/** The objects with their times, beside the texts they have. */
const OBJECT_BYTES = 350;

/** What is kept, without what is made of it. */
export interface Kept extends KeptTimes, Validators {
  status: number;
  /** Header lines, each with its CRLF, without those of its framing and its age. */
  fields: string;
  /** One character a byte, or bytes; null: it is on disk alone. */
  body: string | Buffer | null;
  bodyBytes: number;
  /** Null: all of it is kept. */
  part: PartOfWhole | null;
  /** To purge by. */
  tags: readonly string[];
  /** The path it was asked for at, to purge by. */
  path: string;
  /** Path and query as the key has them. */
  target: string;
  /** The newest purge in force when it was asked for. */
  askedUnder: number;
  /** Which of those on disk it is; null: none. */
  diskId: string | null;
}

/** Ways to compress a body (RFC 9110 section 8.4.1). */
export type Coding = 'br' | 'gzip';

/** What there is of a response compressed: made when somebody asks who takes it. */
export type Forms = Partial<Record<Coding, KeptResponse | 'under-way' | 'useless'>>;

/** What came at the same time is not asked about at the same time: up to this share of its lifetime earlier. */
const SPREAD_SHARE = 0.1;

/** An app's answer, kept for all who ask the same. Of what it says nothing changes. */
export class KeptResponse {
  /** Beside it there are those under the same key that may vary. */
  readonly varies = false;
  readonly kept: Kept;
  /** No purge up to this one concerns it. */
  notPurgedBy: number;
  /** After the app could not be asked about it, until when it is not tried again. */
  askAgainMs = 0;
  /** Null: nobody has asked for any; `none`: there are to be none. */
  forms: Forms | 'none' | null = null;
  /** Until then it answers, and nothing else is to be done, if the request has no wish. */
  readonly calmUntilMs: number;
  /** As clients get it, with the age it was made for. */
  private whole: string | Buffer = '';
  private wholeAgeS = -1;

  /** @param spread from 0 to below 1: by how much it is asked about early, if it may be meanwhile */
  constructor(kept: Kept, spread: number) {
    this.kept = ownKept(kept);
    this.notPurgedBy = kept.askedUnder;
    const { lifetimeMs, staleWhileRevalidateMs } = kept;
    const earlyMs = spread * Math.min(lifetimeMs * SPREAD_SHARE, staleWhileRevalidateMs);
    this.calmUntilMs = kept.alwaysAsk
      ? Number.NEGATIVE_INFINITY
      : kept.receivedAt + lifetimeMs - kept.ageOnArrivalMs - earlyMs;
  }

  /**
   * All of it, for a client whose connection stays; null where it is too large for one piece.
   *
   * @param cache its name
   */
  wholeAt(nowMs: number, cache: string): string | Buffer | null {
    const { body, bodyBytes } = this.kept;
    if (body === null || bodyBytes > ONE_PIECE_BYTES) return null;
    const ageS = Math.floor(ageMsOf(this.kept, nowMs) / 1000);
    if (this.wholeAgeS !== ageS) {
      const framing = { status: this.kept.status, length: bodyBytes };
      const head = this.headAt(nowMs, this.hitStatus(nowMs, cache), '', framing);
      this.whole = typeof body === 'string' ? head + body : inOnePiece(head, body);
      // It is in there, and is not held a second time.
      this.kept.body = partOf(this.whole, head.length);
      this.wholeAgeS = ageS;
    }
    return this.whole;
  }

  /**
   * @param lines more of them, with those for the hop to the client
   * @param framing null length: none is told
   */
  headAt(
    nowMs: number,
    cacheStatus: string,
    lines: string,
    framing: { status: number; length: number | null },
  ): string {
    const { status, length } = framing;
    const ageS = Math.floor(ageMsOf(this.kept, nowMs) / 1000);
    const isTold = length !== null && status !== 204;
    return (
      `HTTP/1.1 ${statusText(status)}\r\n${this.kept.fields}` +
      (isTold ? `Content-Length: ${length}\r\n` : '') +
      `Age: ${ageS}\r\nCache-Status: ${cacheStatus}\r\n${lines}\r\n`
    );
  }

  /** Seconds, negative when it is stale. */
  ttlS(nowMs: number): number {
    return Math.floor(ttlMsOf(this.kept, nowMs) / 1000);
  }

  /** Whether there is one piece of it: it takes more from then on. */
  get isInOnePiece(): boolean {
    return this.wholeAgeS >= 0;
  }

  /** What it takes in memory, with what is made of it for clients. */
  get sizeBytes(): number {
    const { fields, body, tags, path, target, etag, lastModified, date, diskId } = this.kept;
    let sizeBytes = OBJECT_BYTES + this.formsBytes;
    for (const text of [fields, target, etag, lastModified, date, diskId, ...tags]) {
      sizeBytes += textMemoryBytes(text);
    }
    if (path !== target) sizeBytes += textMemoryBytes(path);
    return (
      sizeBytes +
      (this.isInOnePiece ? bodyMemoryBytes(this.whole) + partBytes(body) : bodyMemoryBytes(body))
    );
  }

  private get formsBytes(): number {
    const forms = this.forms === null || this.forms === 'none' ? [] : Object.values(this.forms);
    return forms.reduce((sum, form) => sum + (typeof form === 'string' ? 0 : form.sizeBytes), 0);
  }

  hitStatus(nowMs: number, cache: string): string {
    return `${cache}; hit; ttl=${this.ttlS(nowMs)}`;
  }
}

/** With texts that hold nothing else alive, in an object whose form is always the same. */
function ownKept(kept: Kept): Kept {
  const target = ownText(kept.target);
  return {
    status: kept.status,
    fields: ownText(kept.fields),
    body: ownBody(kept.body),
    bodyBytes: kept.bodyBytes,
    part: kept.part,
    tags: kept.tags.map(ownText),
    path: kept.path === kept.target ? target : ownText(kept.path),
    target,
    askedUnder: kept.askedUnder,
    diskId: kept.diskId,
    etag: kept.etag && ownText(kept.etag),
    lastModified: kept.lastModified && ownText(kept.lastModified),
    date: kept.date && ownText(kept.date),
    receivedAt: kept.receivedAt,
    ageOnArrivalMs: kept.ageOnArrivalMs,
    lifetimeMs: kept.lifetimeMs,
    alwaysAsk: kept.alwaysAsk,
    neverStale: kept.neverStale,
    staleWhileRevalidateMs: kept.staleWhileRevalidateMs,
    staleIfErrorMs: kept.staleIfErrorMs,
    immutable: kept.immutable ?? false,
  };
}

/** What begins there, as it lies in there. */
const partOf = (whole: string | Buffer, start: number): string | Buffer =>
  typeof whole === 'string' ? whole.slice(start) : whole.subarray(start);

/** Not in Node's pool, of which a small part would hold all. */
function inOnePiece(head: string, body: Buffer): Buffer {
  const piece = Buffer.allocUnsafeSlow(head.length + body.length);
  piece.write(head, 0, 'latin1');
  body.copy(piece, head.length);
  return piece;
}

/** The object, its lists and names. */
const VARIED_BYTES = 300;
/** Its place in the list, and what it was made of at first. */
const KEY_BYTES = 40;

/** Under a key whose answers vary: by which fields. Each answer is under a key of its own. */
export class Varied {
  readonly varies = true;
  /** In lower case, in order. */
  readonly names: readonly string[];
  /** Keys of the answers there may be, the oldest first. */
  readonly keys: string[] = [];

  constructor(names: readonly string[]) {
    this.names = names;
  }

  /** What it takes in memory. */
  get sizeBytes(): number {
    return this.keys.reduce((sum, key) => sum + KEY_BYTES + textMemoryBytes(key), VARIED_BYTES);
  }
}

const statusText = (status: number): string => `${status} ${STATUS_CODES[status] ?? 'Unknown'}`;
