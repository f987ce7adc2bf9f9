import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { manualClock } from '../../kernel/clock.ts';
import type { Outcome } from '../../model/ledger.ts';
import { DEFAULT_TRAFFIC } from '../../model/traffic.ts';
import { type BrokenApp, brokenApp, inStep, readResponses } from './broken-app.fixture.ts';
import { rawOrigin, settled, statuses, type TestEdge, testEdge } from './edge.fixture.ts';

/**
 * Apps that break off, answer nonsense, say too little, too much or nothing. The client hears 502 or
 * 504, or sees its response cut; it never takes a part for the whole. The ledger has each under its
 * outcome, and what broke is never used again.
 */

/** As it is asked, and what an app gets of it. */
const REQUESTS = {
  GET: (path: string, version = '1.1') => `GET ${path} HTTP/${version}\r\nHost: a\r\n\r\n`,
  POST: (path: string, version = '1.1') =>
    `POST ${path} HTTP/${version}\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi`,
};
type Method = keyof typeof REQUESTS;
const METHODS: Method[] = ['GET', 'POST'];

/** Of an answer that is tried again: the first and two more. */
const ATTEMPTS = 3;

/** One bad answer after the other must not put the app out of use. */
const noEjection = { balancing: { ...DEFAULT_TRAFFIC.balancing, ejection: null } };

async function edgeAndApp(): Promise<{ app: BrokenApp; edge: TestEdge }> {
  const app = await brokenApp();
  const edge = await testEdge([{ port: app.port }], { pool: noEjection });
  return { app, edge };
}

interface Asking {
  method: Method;
  version?: '1.0' | '1.1';
  /** Both connections, the client's and the app's, have served a request before. */
  reused: boolean;
}

/** Asks for `/case`, and behind it on the same connection for `/after`. */
async function ask(edge: TestEdge, { method, version = '1.1', reused }: Asking) {
  const client = edge.connect();
  let ended: 'in-order' | 'reset' = 'in-order';
  client.socket.on('error', () => {
    ended = 'reset';
  });
  if (reused) client.socket.write(REQUESTS.GET('/warm'));
  client.socket.write(REQUESTS[method]('/case', version));
  if (version === '1.1') client.socket.write(REQUESTS.GET('/after'));
  client.socket.end();
  const received = await client.closed;
  expect(edge.worker.report(null, 'everything').inFlight).toBe(0);
  const answers = readResponses(received, ended);
  if (reused) expect(answers.shift()).toEqual({ status: 200, body: '/warm', whole: true });
  return answers;
}

/** A connection on which the app was asked for `/case` is asked for nothing else afterwards. */
function expectNoReuse(app: BrokenApp): void {
  const broken = new Set<number>();
  for (const { path, connection } of app.asked) {
    expect(broken.has(connection)).toBe(false);
    if (path === '/case') broken.add(connection);
  }
}

function counts(...ended: (Outcome | null)[]): Partial<Record<Outcome, number>> {
  const total: Partial<Record<Outcome, number>> = {};
  for (const outcome of ended) if (outcome) total[outcome] = (total[outcome] ?? 0) + 1;
  return total;
}

/** How many more ended in each outcome than before. */
function difference(edge: TestEdge, before: Partial<Record<Outcome, number>>) {
  const now = Object.entries(edge.outcomes()) as [Outcome, number][];
  const more = now.map(([outcome, count]) => [outcome, count - (before[outcome] ?? 0)] as const);
  return Object.fromEntries(more.filter(([, count]) => count !== 0));
}

type Ending = 'close' | 'reset';

interface Breakable {
  name: string;
  text: string;
  /** Where its interim response ends, if any, and where its head. */
  interimEnd: number;
  headEnd: number;
  untilClose: boolean;
  body: string;
  /** Behind how many bytes it is broken off. */
  offsets: number[];
  endings: Ending[];
}

function breakable(name: string, interim: string, fields: string, framed: string): Breakable {
  const head = `${interim}HTTP/1.1 200 OK\r\n${fields}\r\n`;
  return {
    name,
    text: head + framed,
    interimEnd: interim.length,
    headEnd: head.length,
    untilClose: fields === '',
    body: 'hello',
    offsets: Array.from({ length: head.length + framed.length + 1 }, (_, offset) => offset),
    endings: ['close', 'reset'],
  };
}

/** Several reads of the edge's: broken off around the sizes at which it reads and writes otherwise. */
function largeBreakable(name: string, fields: string, framed: string): Breakable {
  const small = breakable(name, '', fields, framed);
  const around = [4_096, 65_536, 131_072, small.headEnd + 4_096, small.text.length];
  return {
    ...small,
    body: LARGE,
    offsets: around.flatMap((offset) => [offset - 1, offset, offset + 1]),
    // A reset takes what is on its way with it, so nobody can say how much came.
    endings: ['close'],
  };
}

const HINTS = 'HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n';
const LARGE = 'abcdefghij'.repeat(20_000);
const CHUNK = `${(50_000).toString(16)}\r\n${LARGE.slice(0, 50_000)}\r\n`;
const breakables = [
  breakable('a response by length', '', 'Content-Length: 5\r\nX-A: b\r\n', 'hello'),
  breakable(
    'a chunked response with trailers',
    '',
    'Transfer-Encoding: chunked\r\n',
    '2\r\nhe\r\n3\r\nllo\r\n0\r\nX-Sum: 1\r\n\r\n',
  ),
  breakable('a response until close', '', '', 'hello'),
  breakable('a response behind an interim one', HINTS, 'Content-Length: 5\r\n', 'hello'),
  largeBreakable('a large response by length', `Content-Length: ${LARGE.length}\r\n`, LARGE),
  largeBreakable(
    'a large chunked response',
    'Transfer-Encoding: chunked\r\n',
    `${CHUNK.repeat(4)}0\r\n\r\n`,
  ),
];

const breakOff: Record<Ending, (socket: Socket, bytes: string) => void> = {
  close: (socket, bytes) => socket.end(bytes),
  reset(socket, bytes) {
    if (bytes === '') socket.resetAndDestroy();
    else socket.write(bytes, () => socket.resetAndDestroy());
  },
};

/** How far a response got that ended in this way behind so many bytes. */
function extent(response: Breakable, offset: number, ending: Ending): 'no-head' | 'part' | 'whole' {
  if (offset < response.headEnd) return 'no-head';
  if (response.untilClose) return ending === 'close' ? 'whole' : 'part';
  return offset < response.text.length ? 'part' : 'whole';
}

const combinations = breakables.flatMap((response) =>
  response.endings.flatMap((ending) => [
    ...METHODS.flatMap((method) => [
      { response, ending, method, reused: false, version: '1.1' as const },
      { response, ending, method, reused: true, version: '1.1' as const },
    ]),
    { response, ending, method: 'GET' as const, reused: false, version: '1.0' as const },
  ]),
);
const told = combinations.map((each) => ({
  ...each,
  name:
    `${each.response.name}, by ${each.ending}, to ${each.method} of HTTP/${each.version}, ` +
    `on a ${each.reused ? 'reused' : 'new'} connection`,
}));

describe('a response broken off behind every one of its bytes', () => {
  it.each(told)('$name', async ({ response, ending, ...asking }) => {
    const { app, edge } = await edgeAndApp();
    for (const offset of response.offsets) {
      app.play = (socket) => breakOff[ending](socket, response.text.slice(0, offset));
      app.asked.length = 0;
      const before = edge.outcomes();
      const answers = await ask(edge, asking);
      const isOld = asking.version === '1.0';
      const got = extent(response, offset, ending);
      const hints = !isOld && response.interimEnd > 0 && offset >= response.interimEnd;

      const where = `behind ${offset} bytes`;
      const final = hints ? answers[1] : answers[0];
      if (hints) expect(answers[0]?.status, where).toBe(103);
      expect(final?.status, where).toBe(got === 'no-head' ? 502 : 200);
      // Nothing of a 200 got to a client that was answered 502; a part is never taken for a whole.
      expect(final?.whole, where).toBe(got !== 'part');
      if (got === 'part') expect(response.body.startsWith(final?.body ?? '?'), where).toBe(true);
      else if (got === 'whole' && !response.untilClose) expect(final?.body).toBe(response.body);

      const goesOn = !isOld && got !== 'part';
      const more = answers.slice(hints ? 2 : 1);
      expect(more, where).toEqual(goesOn ? [{ status: 200, body: '/after', whole: true }] : []);
      expect(difference(edge, before), where).toEqual(
        counts(got === 'whole' ? 'ok' : 'cut', goesOn ? 'ok' : null, asking.reused ? 'ok' : null),
      );
      // Asked once and once only, unless nothing was answered to what may be asked again.
      const asked = app.asked.filter(({ path }) => path === '/case').length;
      expect(asked, where).toBe(offset === 0 && asking.method === 'GET' ? ATTEMPTS : 1);
      // An app that closes behind a whole response may do so as the next request comes.
      if (got !== 'whole' || response.untilClose) expectNoReuse(app);
    }
  });

  it('is asked again on a new connection, and no client hears of it', async () => {
    const { app, edge } = await edgeAndApp();
    for (const ending of ['close', 'reset'] as const) {
      let asked = 0;
      app.play = (socket) => {
        asked += 1;
        if (asked === 1) breakOff[ending](socket, '');
        else socket.write(inStep('/case'));
      };
      const [first, after] = await ask(edge, { method: 'GET', reused: true });
      expect([first?.body, after?.body]).toEqual(['/case', '/after']);
      expect(asked).toBe(2);
    }
    expect(edge.outcomes()).toEqual({ ok: 6 });
  });
});

describe('an app that breaks off inside an upload', () => {
  const UPLOAD_BYTES = 2_000_000;
  const uploads = (['close', 'reset'] as const).flatMap((ending) =>
    [0, 1, 65_536, 1_000_000].map((readBytes) => ({ ending, readBytes })),
  );

  it.each(uploads)('by $ending behind $readBytes bytes of it', async ({ ending, readBytes }) => {
    let receivedBytes = -1;
    const app = await rawOrigin((socket, bytes) => {
      // Its first bytes are the head.
      receivedBytes = receivedBytes === -1 ? 0 : receivedBytes + bytes.length;
      if (receivedBytes >= readBytes && socket.writable) breakOff[ending](socket, '');
    });
    const edge = await testEdge([{ port: app.port }], { pool: noEjection });
    const client = edge.connect();
    client.socket.write(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${UPLOAD_BYTES}\r\n\r\n`);
    client.socket.write(Buffer.alloc(UPLOAD_BYTES));
    client.socket.end();
    const answers = readResponses(await client.closed, 'in-order');
    expect(answers).toMatchObject([{ status: 502, whole: true }]);
    expect(edge.outcomes()).toEqual({ cut: 1 });
    expect(app.connectionCount).toBe(1);
  });
});

const ok = (fields: string, body = '') => `HTTP/1.1 200 OK\r\n${fields}\r\n${body}`;
const nonsense: Record<string, string> = {
  'no protocol at all': 'what is this\r\n\r\n',
  'an alert of TLS': '\x15\x03\x01\x00\x02\x02\x28',
  'a settings frame of HTTP/2': '\0\0\0\x04\0\0\0\0\0',
  'a body without a head, as in HTTP/0.9': '<html>hello</html>',
  'an empty line': '\r\n',
  'a status of HTTP/2': 'HTTP/2 200\r\n\r\n',
  'a status beyond all classes': 'HTTP/1.1 999 Huh\r\nContent-Length: 0\r\n\r\n',
  'a request': 'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
  'two lengths': ok('Content-Length: 5\r\nContent-Length: 6\r\n', 'hello'),
  'a length and a coding': ok('Content-Length: 5\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'),
  'half line ends': 'HTTP/1.1 200 OK\nContent-Length: 5\n\nhello\r\n\r\n',
  'an upgrade that nobody asked for': 'HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\nhello',
  'an interim answer, then nonsense': `${HINTS}nonsense\r\n\r\n`,
  'a head without an end': ok(`X-A: ${'a'.repeat(100_000)}`),
};
const nonsensical = Object.entries(nonsense).flatMap(([name, answer]) =>
  METHODS.flatMap((method) => [
    { name, answer, method, reused: false },
    { name, answer, method, reused: true },
  ]),
);

describe('an app that answers nonsense', () => {
  it.each(nonsensical)('$name, to $method, reused: $reused', async ({ answer, ...asking }) => {
    const { app, edge } = await edgeAndApp();
    app.play = (socket) => {
      socket.write(Buffer.from(answer, 'latin1'));
    };
    const answers = (await ask(edge, asking)).filter(({ status }) => status >= 200);
    expect(answers.map(({ status, whole }) => [status, whole])).toEqual([
      [502, true],
      [200, true],
    ]);
    expect(edge.outcomes()).toEqual(counts('lost', 'ok', asking.reused ? 'ok' : null));
    expect(app.asked.filter(({ path }) => path === '/case').length).toBe(1);
    expectNoReuse(app);
  });

  it.each(['five\r\nhello\r\n0\r\n\r\n', '5\r\nhelloX\r\n', '0\r\nContent-Length: 5\r\n\r\n'])(
    'breaks a response whose chunks go wrong behind its head: %j',
    async (chunks) => {
      const { app, edge } = await edgeAndApp();
      app.play = (socket) => {
        socket.write(ok('Transfer-Encoding: chunked\r\n', '2\r\nhe\r\n'));
        void settled().then(() => socket.write(chunks));
      };
      const [first, ...more] = await ask(edge, { method: 'GET', reused: false });
      expect(first).toMatchObject({ status: 200, whole: false });
      expect(more).toEqual([]);
      expect(edge.outcomes()).toEqual({ lost: 1 });
      expectNoReuse(app);
    },
  );
});

describe('an app that says more than the length it gave', () => {
  const EVIL = ok('Content-Length: 4\r\n', 'evil');
  it.each(METHODS)('at once, to %s', async (method) => {
    const { app, edge } = await edgeAndApp();
    app.play = (socket) => {
      socket.write(ok('Content-Length: 5\r\n', `hello${EVIL}`));
    };
    const answers = await ask(edge, { method, reused: true });
    expect(answers.map(({ body }) => body)).toEqual(['hello', '/after']);
    expect(edge.outcomes()).toEqual({ ok: 3 });
    expectNoReuse(app);
  });

  it('later, on a connection that is idle by then', async () => {
    const { app, edge } = await edgeAndApp();
    app.play = (socket) => {
      socket.write(inStep('/case'));
    };
    expect(await edge.say(REQUESTS.GET('/case'))).toMatch(/\/case$/);
    const [socket] = app.connections;
    const closed = new Promise((resolve) => socket?.once('close', resolve));
    socket?.write(EVIL);
    await closed;
    expect(await edge.say(REQUESTS.GET('/after'))).toMatch(/\/after$/);
    expectNoReuse(app);
    expect(edge.outcomes()).toEqual({ ok: 2 });
  });
});

/** The app does this; time passes as it is said; then the client has this, and the ledger that. */
async function overTime(method: Method, play: (socket: Socket) => void) {
  const clock = manualClock();
  const app = await brokenApp();
  const edge = await testEdge([{ port: app.port }], { clock, pool: noEjection });
  const socket = new Promise<Socket>((resolve) => {
    app.play = (asked) => {
      play(asked);
      resolve(asked);
    };
  });
  const client = edge.connect();
  client.socket.write(REQUESTS[method]('/case'));
  const asked = await socket;
  const closed = new Promise((resolve) => asked.once('close', resolve));
  await settled();
  const drip = async (bytes: string, everyMs: number) => {
    for (const byte of bytes) {
      if (!asked.writable) break;
      asked.write(byte);
      await settled(5);
      await clock.advance(everyMs);
    }
  };
  return { app, clock, edge, client, closed, drip };
}

const { responseHeadMs, quietMs } = DEFAULT_TRAFFIC.balancing;
/** A deadline may be noticed so much late. */
const LATE_MS = 250;

describe('an app that is slow', () => {
  const silences: Record<string, string> = {
    'says nothing': '',
    'stops inside its head': 'HTTP/1.1 200 OK\r\nConte',
    'stops behind an interim answer': HINTS,
  };
  const silent = Object.entries(silences).flatMap(([name, said]) =>
    METHODS.map((method) => ({ name, said, method })),
  );

  it.each(silent)('and $name gets 504 at its deadline, for $method', async ({ said, method }) => {
    const { app, clock, edge, client, closed } = await overTime(method, (socket) => {
      socket.write(said);
    });
    await clock.advance(responseHeadMs - LATE_MS);
    expect(edge.outcomes()).toEqual({});
    await clock.advance(2 * LATE_MS);
    expect(statuses(await client.until(/ 504 [\s\S]*\.\n$/)).at(-1)).toBe(504);
    await closed;
    client.take();
    client.socket.write(REQUESTS.GET('/after'));
    expect(await client.until(/\/after$/)).toMatch(/^HTTP\/1\.1 200 /);
    expect(edge.outcomes()).toEqual({ lost: 1, ok: 1 });
    expect(app.asked.map(({ path }) => path)).toEqual(['/case', '/after']);
    expectNoReuse(app);
  });

  it('and lets its head drip has no more time for it', async () => {
    const { edge, client, closed, drip } = await overTime('GET', () => {});
    await drip(`HTTP/1.1 200 OK\r\nX-A: ${'a'.repeat(50)}\r\nContent-Length: 0\r\n\r\n`, 1_000);
    await client.until(/ 504 /);
    await closed;
    expect(edge.outcomes()).toEqual({ lost: 1 });
  });

  it('and sends interim answers for ever has no more time for the final one', async () => {
    const { app, clock, edge, client, closed } = await overTime('GET', () => {});
    for (let second = 0; second <= responseHeadMs / 1_000; second += 1) {
      for (const socket of app.connections) socket.write(HINTS);
      await settled(5);
      await clock.advance(1_000);
    }
    const answers = statuses(await client.until(/ 504 /));
    expect(new Set(answers)).toEqual(new Set([103, 504]));
    await closed;
    expect(edge.outcomes()).toEqual({ lost: 1 });
  });

  it('and lets its body drip is heard to the end', async () => {
    const { clock, edge, client, drip } = await overTime('GET', (socket) => {
      socket.write(ok('Content-Length: 5\r\n'));
    });
    await drip('hello', quietMs - LATE_MS);
    expect(await client.until(/hello$/)).toMatch(/^HTTP\/1\.1 200 /);
    expect(clock.monotonic()).toBeGreaterThan(4 * quietMs);
    expect(edge.outcomes()).toEqual({ ok: 1 });
  });

  it.each([
    ['by length', ok('Content-Length: 5\r\n', 'hell')],
    ['in chunks', ok('Transfer-Encoding: chunked\r\n', '5\r\nhello\r\n')],
    ['until close', ok('', 'hello')],
  ])('and stops inside a body %s has its response broken', async (_, said) => {
    const { clock, edge, client, closed } = await overTime('GET', (socket) => {
      socket.write(said);
    });
    await clock.advance(quietMs + LATE_MS);
    const [response, ...more] = readResponses(await client.closed, 'in-order');
    expect(response).toMatchObject({ status: 200, whole: false });
    expect(more).toEqual([]);
    await closed;
    expect(edge.outcomes()).toEqual({ lost: 1 });
  });
});
