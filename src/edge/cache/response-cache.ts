import { type CacheCounts, type CacheRoom, noCacheCounts } from '../../model/cache.ts';
import { fieldOf } from '../http/field-lines.ts';
import type { RequestHead } from '../http/request-head.ts';
import type { ClientConnection } from '../worker/client-connection.ts';
import type { EdgeContext } from '../worker/edge-context.ts';
import type { Route } from '../worker/route.ts';
import type { CacheRequest } from './cache-request.ts';
import type { CacheRoute, ReadyRule } from './cache-route.ts';
import { Compression, carryForms } from './compression.ts';
import type { Fetch } from './fetch.ts';
import type { KeptOnDisk } from './kept-on-disk.ts';
import { KeptResponse, Varied } from './kept-response.ts';
import { MemoryStore } from './memory-store.ts';
import { combined, isPart } from './parts.ts';
import { variantKey } from './variant.ts';

/** What was not kept is not waited for by others for so long: each asks for itself. */
const PASS_MS = 10_000;
const MOST_REMEMBERED = 10_000;
/** Answers under one key; who sends ever new values of a field that varies gets no further. */
const MOST_VARIANTS = 64;
/** Of the memory one response may take: this share. */
const RESPONSE_SHARE = 1 / 8;
const MOST_RESPONSE_BYTES = 16 * 1024 * 1024;
/**
 * A body on disk that is larger is not brought into memory: the system has it in its own, and to read
 * it from there costs less than what it would push out of ours.
 */
const BROUGHT_BYTES = 128 * 1024;

/** What a worker keeps of all environments' answers, and what it is asking for. */
export class ResponseCache {
  readonly edge: EdgeContext;
  /** The next number from 0 to below 1. */
  readonly random: () => number;
  /** By key, and by variant. */
  readonly fetches = new Map<string, Fetch>();
  /** All of them, with those that nobody else is to wait for, and those that are still to be written. */
  readonly underWay = new Set<Fetch>();
  readonly compression = new Compression();
  /** Null where nothing is kept on disk. */
  readonly disk: KeptOnDisk | null;
  private readonly memory: MemoryStore<KeptResponse | Varied>;
  /** What is being looked for on disk, by variant. */
  private readonly lookUps = new Map<string, Promise<KeptResponse | Varied | null>>();
  private readonly passes = new Map<string, number>();
  /** When what was kept under a key was found to be of yesterday. */
  private readonly invalidations = new Map<string, number>();
  private readonly counters = new Map<string, CacheCounts>();
  private boundBytes: number;

  constructor(
    edge: EdgeContext,
    boundBytes: number,
    random: () => number,
    disk: KeptOnDisk | null,
  ) {
    this.edge = edge;
    this.random = random;
    this.disk = disk;
    this.boundBytes = boundBytes;
    this.memory = new MemoryStore({ boundBytes });
    if (disk !== null) disk.onTurn = (key) => this.writeOut(disk, key);
  }

  /** In memory, of this worker; on disk, of all. */
  setBounds(boundBytes: number, diskBytes: number): void {
    this.disk?.setBound(diskBytes);
    if (boundBytes === this.boundBytes) return;
    this.boundBytes = boundBytes;
    this.memory.setBound(boundBytes);
  }

  /** The largest body that is kept in memory. */
  get mostBodyBytes(): number {
    return Math.min(MOST_RESPONSE_BYTES, Math.floor(this.boundBytes * RESPONSE_SHARE));
  }

  /** What is kept where; of the disk nobody knows how many there are. */
  rooms(): { cacheMemory: CacheRoom; cacheDisk?: CacheRoom } {
    const { disk, memory } = this;
    return {
      cacheMemory: { count: memory.count, sizeBytes: memory.sizeBytes },
      ...(disk && { cacheDisk: { count: null, sizeBytes: disk.sizeBytes } }),
    };
  }

  /** What is kept for a request and not purged, fresh or stale. */
  find(key: string, route: CacheRoute, rule: ReadyRule, head: RequestHead): KeptResponse | null {
    const found = this.memory.get(key);
    if (found === null) return null;
    if (!found.varies) return this.unlessPurged(key, found, route);
    const variant = variantOf(key, found.names, route.sharedFields(rule, head.fields));
    const kept = this.memory.get(variant);
    if (kept === null || kept.varies || this.isInvalidated(key, kept)) return null;
    return this.unlessPurged(variant, kept, route);
  }

  /** It takes another room than when it was found, if it is still there. */
  recount(
    kept: KeptResponse,
    key: string,
    route: CacheRoute,
    rule: ReadyRule,
    { fields }: RequestHead,
  ): void {
    const found = this.memory.peek(key);
    const own = found?.varies ? variantOf(key, found.names, route.sharedFields(rule, fields)) : key;
    if (this.memory.peek(own) === kept) this.memory.resized(own, kept.sizeBytes);
  }

  private unlessPurged(key: string, kept: KeptResponse, route: CacheRoute): KeptResponse | null {
    if (!route.isPurged(kept)) return kept;
    this.drop(key);
    return null;
  }

  /** What the disk has for a request, not purged; memory has it from then on, if there is room. */
  async bring({ key, route, sharedFields }: CacheRequest): Promise<KeptResponse | null> {
    const { disk } = this;
    if (disk === null) return null;
    const found = await this.bringOne(disk, key);
    if (!found?.varies) return found && this.unlessPurged(key, found, route);
    const variant = variantOf(key, found.names, sharedFields);
    const kept = await this.bringOne(disk, variant);
    if (kept === null || kept.varies || this.isInvalidated(key, kept)) return null;
    return this.unlessPurged(variant, kept, route);
  }

  private async bringOne(disk: KeptOnDisk, key: string): Promise<KeptResponse | Varied | null> {
    const known = this.memory.peek(key);
    if (known !== null) return known;
    const running = this.lookUps.get(key);
    if (running) return running;
    const looking = disk.read(key, Math.min(this.mostBodyBytes, BROUGHT_BYTES)).then((read) => {
      const isWanted = this.lookUps.get(key) === looking;
      if (isWanted) this.lookUps.delete(key);
      // Another may have been asked for meanwhile, or what was there may be of yesterday.
      const newer = this.memory.peek(key);
      if (newer !== null || read === null || !isWanted) return newer;
      const found = read instanceof KeptResponse ? read : new Varied(read);
      this.memory.put(key, found, found.sizeBytes);
      return found;
    });
    this.lookUps.set(key, looking);
    return looking;
  }

  /** What is said to be on disk is not there: it is not to be looked for again. */
  forget(request: CacheRequest): void {
    this.memory.delete(this.keyFor(request));
  }

  /** Of what a request asks for a part of, the part that is kept. */
  findPart({ key, route }: CacheRequest): KeptResponse | null {
    const own = partKey(key);
    const kept = this.memory.get(own);
    if (kept === null || kept.varies || this.isInvalidated(key, kept)) return null;
    return this.unlessPurged(own, kept, route);
  }

  /** Puts a part to the one that is kept. */
  private putPart(request: CacheRequest, response: KeptResponse): boolean {
    const own = partKey(request.key);
    const older = this.findPart(request);
    const both =
      older === null || !isPart(older.kept) || !isPart(response.kept)
        ? null
        : combined(older.kept, response.kept);
    const joined = both === null ? response : new KeptResponse(both, this.random());
    if (isPart(joined.kept)) return this.memory.put(own, joined, joined.sizeBytes);
    this.memory.delete(own);
    return this.put(request, [], joined);
  }

  /** The key of what a request gets, as far as it is known by what answers vary. */
  keyFor({ key, sharedFields }: CacheRequest): string {
    const found = this.memory.peek(key);
    return found?.varies ? variantOf(key, found.names, sharedFields) : key;
  }

  /** Whether answers of other variants are kept under its key. */
  hasOthers({ key }: CacheRequest): boolean {
    return this.memory.peek(key)?.varies ?? false;
  }

  /** @param vary what it is told apart by, beside its key @returns whether there was room for it */
  put(request: CacheRequest, vary: readonly string[], response: KeptResponse): boolean {
    if (isPart(response.kept)) return this.putPart(request, response);
    const { key } = request;
    const own = this.keyUnder(request, vary);
    if (own !== key && !this.putVaried(key, vary, own)) return false;
    const before = this.memory.peek(own);
    const replaces = before?.varies === false && before.kept.diskId !== null;
    this.disk?.keep(own, response.kept, replaces);
    return this.memory.put(own, response, response.sizeBytes);
  }

  /** What could not be written when it was put here. */
  private writeOut(disk: KeptOnDisk, key: string): void {
    const found = this.memory.peek(key);
    if (found?.varies) disk.keepNames(key, found.names);
    else if (found?.kept.diskId === null) disk.keep(key, found.kept, false);
  }

  /** The key of an answer that varies by these. */
  keyUnder({ key, sharedFields }: CacheRequest, vary: readonly string[]): string {
    return vary.length === 0 ? key : variantOf(key, vary, sharedFields);
  }

  /**
   * An answer comes that varies by these: who asks next is told apart by them already.
   *
   * @returns the key of what the request gets
   */
  expect(request: CacheRequest, vary: readonly string[]): string {
    const { key } = request;
    const own = this.keyUnder(request, vary);
    const found = this.memory.peek(key);
    if (own !== key && (found === null || found.varies)) this.putVaried(key, vary, own);
    return this.keyFor(request);
  }

  private putVaried(key: string, vary: readonly string[], variant: string): boolean {
    const found = this.memory.peek(key);
    const isSame = found?.varies && found.names.join() === vary.join();
    const varied = isSame ? found : new Varied(vary);
    if (!isSame) this.disk?.keepNames(key, vary);
    if (!varied.keys.includes(variant)) varied.keys.push(variant);
    if (varied.keys.length > MOST_VARIANTS) this.memory.delete(varied.keys.shift() ?? '');
    return this.memory.put(key, varied, varied.sizeBytes);
  }

  /**
   * In place of what was asked about: the body is the same.
   *
   * @param vary null: as before
   */
  update(
    request: CacheRequest,
    vary: readonly string[] | null,
    before: KeptResponse,
    response: KeptResponse,
  ): void {
    const key = this.keyFor(request);
    const found = this.memory.peek(key);
    // Another has been put there meanwhile, and is newer.
    if (found !== null && found !== before) return;
    if (vary !== null && key !== this.keyUnder(request, vary)) {
      this.delete(request);
      if (response.kept.body !== null) this.put(request, vary, response);
      return;
    }
    carryForms(before, response);
    this.memory.put(key, response, response.sizeBytes);
    this.disk?.refresh(key, response.kept);
  }

  delete(request: CacheRequest): void {
    this.drop(this.keyFor(request));
  }

  private drop(key: string): void {
    this.memory.delete(key);
    this.lookUps.delete(key);
    this.disk?.delete(key);
  }

  /** What is kept and fetched under the key is of yesterday, in all its variants. */
  invalidate(key: string): void {
    this.drop(key);
    remember(this.invalidations, key, this.edge.clock.monotonic());
    for (const fetch of this.underWay) fetch.outdate(key);
  }

  /** Variants are not looked for when what is under their key goes; but they are not used again. */
  private isInvalidated(key: string, { kept }: KeptResponse): boolean {
    return kept.receivedAt <= (this.invalidations.get(key) ?? Number.NEGATIVE_INFINITY);
  }

  /** What is kept for a request, for whoever knows more of it; it counts as no use. */
  peek(request: CacheRequest): KeptResponse | null {
    const found = this.memory.peek(this.keyFor(request));
    return found === null || found.varies ? null : found;
  }

  /** What is kept there was not kept for good reason: nobody is to wait for another. */
  passNext(key: string, nowMs: number): void {
    remember(this.passes, key, nowMs + PASS_MS);
  }

  /** What comes is kept again. */
  expectNext(key: string): void {
    this.passes.delete(key);
  }

  isPassed(key: string, nowMs: number): boolean {
    return (this.passes.get(key) ?? 0) > nowMs;
  }

  counts(environment: string): CacheCounts {
    let counts = this.counters.get(environment);
    if (counts === undefined) {
      counts = noCacheCounts();
      this.counters.set(environment, counts);
    }
    return counts;
  }

  /** By environment; cumulative. */
  readCounts(): Record<string, CacheCounts> {
    return Object.fromEntries(
      [...this.counters].map(([environment, counts]) => [environment, { ...counts }]),
    );
  }

  /** Answers with a fresh one as it is: the way that all is made for. */
  hit(
    client: ClientConnection,
    head: RequestHead,
    route: Route,
    kept: KeptResponse,
    whole: string | Buffer,
    nowMs: number,
  ): void {
    const { edge } = this;
    const { status, bodyBytes } = kept.kept;
    const counts = this.counts(route.environment);
    counts.hits += 1;
    counts.savedBytes += bodyBytes;
    edge.account.end(route.row, 'cached', status);
    if (typeof whole === 'string') {
      client.writer.raw(whole);
      client.writer.flush();
    } else {
      client.writer.headAndBody('', whole);
    }
    if (edge.accessLog !== null) this.log(client, head, route, status, bodyBytes, 0);
    client.exchangeEnded(true, nowMs);
  }

  log(
    client: ClientConnection,
    head: RequestHead,
    { environment }: Route,
    status: number,
    bodyBytes: number,
    durationMs: number,
  ): void {
    this.edge.accessLog?.write({
      ...{ head, environment, status, bodyBytes, durationMs },
      client: client.forwarded.clientOf(head),
      target: null,
      requestId: client.forwarded.requestId ?? '',
      outcome: 'cached',
    });
  }

  /** Gives up what it is asking for. */
  async close(): Promise<void> {
    for (const fetch of [...this.underWay]) fetch.abandon();
    this.memory.clear();
    await this.disk?.close();
  }
}

/** Of the part that is kept of something. */
const partKey = (key: string): string => `${key}\n\npart`;

/** @param fields of the request, as the app is told them */
export const variantOf = (key: string, names: readonly string[], fields: string): string =>
  `${key}\n\n${variantKey(names, (name) => fieldOf(fields, name))}`;

/** The oldest is forgotten for it where there are too many. */
function remember(moments: Map<string, number>, key: string, ms: number): void {
  moments.delete(key);
  moments.set(key, ms);
  if (moments.size <= MOST_REMEMBERED) return;
  for (const oldest of moments.keys()) {
    moments.delete(oldest);
    return;
  }
}
