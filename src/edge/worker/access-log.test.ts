import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  constants,
  existsSync,
  linkSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { systemClock } from '../../kernel/clock.ts';
import { type Log, silentLog } from '../../kernel/log.ts';
import { DEFAULT_EDGE_SETTINGS, type EdgeSettings } from '../../model/edge-settings.ts';
import { rotateAccessLog } from '../supervisor/access-log-rotation.ts';
import { AccessLogFile } from './access-log-file.ts';
import {
  health,
  httpOrigin,
  rawOrigin,
  settled,
  snapshot,
  statuses,
  testEdge,
} from './edge.fixture.ts';

type Setting = EdgeSettings['accessLog'];

interface Line {
  [field: string]: unknown;
  target: string;
}

function place(): string {
  const directory = mkdtempSync(join(tmpdir(), 'access-log-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return join(directory, 'access.log');
}

/** An edge before an app on that port, writing to a real file. */
async function loggingEdge(port: number, setting: Setting, path = place(), log: Log = silentLog) {
  const accessLog = new AccessLogFile({ path, clock: systemClock, log });
  const edge = await testEdge([{ port }], { accessLog });
  let number = 1;
  const use = (accessLog: Setting, targets = [{ port }]) => {
    number += 1;
    const settings = { ...DEFAULT_EDGE_SETTINGS, accessLog };
    edge.worker.apply({ ...snapshot({ number, targets }), settings });
  };
  use(setting);
  return { ...edge, path, use };
}

const textOf = (path: string): string => readFileSync(path, 'latin1');

/** What came from a file whose lines are JSON, without what is none. */
function linesIn(text: string): Line[] {
  return text.split('\n').flatMap((line) => {
    try {
      return [JSON.parse(line) as Line];
    } catch {
      return [];
    }
  });
}

/** Waits for what nobody announces: the edge writes behind its requests. */
async function written(isThere: () => boolean): Promise<void> {
  while (!isThere()) await systemClock.sleep(5);
}

const app = (body = 'ok') =>
  httpOrigin((request, response) => {
    request.resume();
    response.setHeader('Content-Length', body.length);
    response.end(body);
  });

const get = (target: string, fields = ''): string =>
  `GET ${target} HTTP/1.1\r\nHost: a\r\n${fields}\r\n`;

describe('the access log', () => {
  it('has a line for each request, readable by its owner alone', async () => {
    const { port } = await app('hello');
    const edge = await loggingEdge(port, 'json');
    await edge.say(
      get('/a?b=c', 'User-Agent: test\r\nAuthorization: Basic c2VjcmV0\r\nCookie: id=1\r\n'),
      'OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n',
      'GARBAGE\r\n\r\n',
    );
    await edge.worker.close();
    expect(statSync(edge.path).mode & 0o777).toBe(0o600);
    expect(linesIn(textOf(edge.path))).toEqual([
      expect.objectContaining({
        client: '127.0.0.1',
        method: 'GET',
        host: 'a',
        target: '/a?b=c',
        status: 200,
        outcome: 'ok',
        bodyBytes: 5,
        environment: 'shop/production',
        instance: 'i-0',
        requestId: expect.stringMatching(/^[0-9a-f]{16}-1$/),
        userAgent: 'test',
      }),
      expect.objectContaining({ method: 'OPTIONS', target: '*', status: 200, outcome: 'fixed' }),
      expect.objectContaining({ method: null, status: 400, outcome: 'refused' }),
    ]);
    expect(textOf(edge.path)).not.toMatch(/c2VjcmV0|id=1/);
  });

  it('tells what went wrong by the outcomes of the ledger', async () => {
    const breaking = await rawOrigin((socket, bytes) => {
      if (bytes.startsWith('GET /half')) {
        socket.end('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf');
      } else if (bytes.startsWith('GET /wait')) {
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf');
      } else socket.end('no HTTP');
    });
    const edge = await loggingEdge(breaking.port, 'json');
    await edge.say(get('/half'));
    await edge.say(get('/garbage'));
    const leaving = edge.connect();
    leaving.socket.write(get('/wait'));
    await leaving.until(/half/);
    leaving.socket.resetAndDestroy();
    await written(() => edge.outcomes()['client-aborted'] === 1);
    edge.use('json', [{ port: 1 }]);
    edge.worker.updateHealth([health('i-0', 'healthy')]);
    await edge.say(get('/nobody'));
    await edge.worker.close();
    const told = linesIn(textOf(edge.path));
    expect(told.map(({ target, status, outcome }) => [target, status, outcome])).toEqual([
      ['/half', 200, 'cut'],
      ['/garbage', 502, 'lost'],
      ['/wait', 200, 'client-aborted'],
      ['/nobody', 502, 'lost'],
    ]);
    expect(told[0]?.bodyBytes).toBe(4);
  });

  it('is off by default, and turned on, reformed and off by a snapshot', async () => {
    const { port } = await app();
    const edge = await loggingEdge(port, 'off');
    await edge.say(get('/1'));
    edge.use('json');
    await edge.say(get('/2'));
    edge.use('combined');
    await edge.say(get('/3'));
    edge.use('off');
    await edge.say(get('/4'));
    await edge.worker.close();
    const [second, third, rest] = textOf(edge.path).split('\n');
    expect(JSON.parse(second ?? '')).toMatchObject({ target: '/2' });
    expect(third).toMatch(/^127\.0\.0\.1 - - \[.*\] "GET \/3 HTTP\/1\.1" 200 2 "-" "-"$/);
    expect(rest).toBe('');
  });

  it('comes to the disk by itself, and says nothing of an edge without requests', async () => {
    const { port } = await app();
    const edge = await loggingEdge(port, 'json');
    await settled();
    expect(existsSync(edge.path)).toBe(false);
    await edge.say(get('/1'));
    await written(() => existsSync(edge.path) && textOf(edge.path).endsWith('\n'));
    expect(linesIn(textOf(edge.path))).toMatchObject([{ target: '/1' }]);
  });

  it('tells of an upgraded connection when it has ended, with what it brought', async () => {
    const { port, server } = await app();
    const sockets = new WebSocketServer({ server: server as never });
    sockets.on('connection', (socket) => socket.send('x'.repeat(100)));
    const edge = await loggingEdge(port, 'json');
    const socket = new WebSocket(`ws://127.0.0.1:${edge.port}/chat`);
    await once(socket, 'message');
    expect(edge.outcomes()).toEqual({});
    socket.close();
    await written(() => edge.outcomes().ok === 1);
    await edge.worker.close();
    const [line, ...more] = linesIn(textOf(edge.path));
    expect(more).toEqual([]);
    expect(line).toMatchObject({ target: '/chat', status: 101, outcome: 'ok', instance: 'i-0' });
    // The frame of the message, and that of the goodbye.
    expect(line?.bodyBytes).toBeGreaterThanOrEqual(102);
    expect(line?.bodyBytes).toBeLessThan(120);
  });
});

describe('a log that takes no more', () => {
  /** Answered as if nothing was. */
  async function ask(edge: { say(text: string): Promise<string> }, count: number, length: number) {
    for (let from = 0; from < count; from += 50) {
      const targets = Array.from({ length: Math.min(50, count - from) }, (_, i) => {
        return get(`/${String(from + i).padEnd(length, 'x')}`);
      });
      const answers = await edge.say(targets.join(''));
      expect(statuses(answers)).toEqual(targets.map(() => 200));
    }
  }

  it('holds no request up when nobody empties a pipe, and says how many lines are missing', async () => {
    const path = place();
    execFileSync('mkfifo', [path]);
    const reader = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
    onTestFinished(() => closeSync(reader));
    const { port } = await app();
    const edge = await loggingEdge(port, 'json', path);
    // The pipe takes 64 KB, the worker keeps 1 MB.
    await ask(edge, 200, 7_000);
    let received = '';
    const read = () => {
      const buffer = Buffer.alloc(64 * 1024);
      try {
        received += buffer.toString('latin1', 0, readSync(reader, buffer));
      } catch {
        // Nothing there now.
      }
    };
    await written(() => {
      read();
      return received.includes('droppedLines') && received.endsWith('\n');
    });
    await ask(edge, 5, 10);
    await edge.worker.close();
    read();
    const lines = linesIn(received);
    const dropped = lines.find(({ droppedLines }) => droppedLines !== undefined)?.droppedLines;
    const targets = lines.flatMap(({ target }) => target ?? []);
    expect(dropped).toBeGreaterThan(10);
    expect(new Set(targets).size).toBe(targets.length);
    expect(targets.length + Number(dropped)).toBe(205);
  });

  it('goes on when there is room on the disk again, and warns the operator', async () => {
    const path = place();
    symlinkSync('/dev/full', path);
    const warnings: unknown[][] = [];
    const log = { ...silentLog, warn: (...parts: unknown[]) => warnings.push(parts) };
    const { port } = await app();
    const edge = await loggingEdge(port, 'combined', path, log);
    await ask(edge, 20, 10);
    await written(() => warnings.length > 0);
    expect(warnings[0]?.[0]).toMatchObject({ path, error: expect.stringContaining('ENOSPC') });
    rmSync(path);
    await ask(edge, 10, 10);
    await edge.worker.close();
    expect(textOf(path).trimEnd().split('\n')).toHaveLength(30);
  });

  it('does not keep a worker from ending', async () => {
    const path = place();
    symlinkSync('/dev/full', path);
    const warnings: unknown[][] = [];
    const log = { ...silentLog, warn: (...parts: unknown[]) => warnings.push(parts) };
    const { port } = await app();
    const edge = await loggingEdge(port, 'json', path, log);
    await ask(edge, 20, 10);
    await edge.worker.close();
    expect(warnings.at(-1)?.[0]).toMatchObject({ path, lines: 20 });
  });
});

describe('rotation', () => {
  it('puts a full file in the place of the one before, and leaves others alone', () => {
    const path = place();
    rotateAccessLog(path, silentLog, 4);
    for (const text of ['one', 'four', 'five']) {
      writeFileSync(path, text);
      rotateAccessLog(path, silentLog, 4);
    }
    expect(textOf(`${path}.1`)).toBe('five');
    expect(existsSync(path)).toBe(false);
    symlinkSync(`${path}.1`, path);
    rotateAccessLog(path, silentLog, 4);
    expect(textOf(path)).toBe('five');
  });

  it('under load of two workers loses no line, nor has one twice', async () => {
    const path = place();
    const { port } = await app();
    const edges = await Promise.all([1, 2].map(() => loggingEdge(port, 'json', path)));
    let asking = edges.length;
    const loads = edges.map(async (edge, i) => {
      for (let round = 0; round < 40; round += 1) {
        const targets = Array.from({ length: 50 }, (_, j) =>
          get(`/${i}-${round}-${j}-`.padEnd(400, 'x')),
        );
        expect(statuses(await edge.say(targets.join('')))).toHaveLength(50);
      }
      asking -= 1;
    });
    let kept = 0;
    while (asking > 0) {
      rotateAccessLog(path, silentLog, 40_000);
      // Kept by another name: a worker may still be writing to it, and the next one replaces it.
      if (existsSync(`${path}.1`)) {
        kept += 1;
        linkSync(`${path}.1`, `${path}.kept-${kept}`);
        renameSync(`${path}.1`, `${path}.last`);
      }
      await systemClock.sleep(1);
    }
    await Promise.all(loads);
    for (const edge of edges) await edge.worker.close();
    const directory = join(path, '..');
    const files = readdirSync(directory).filter((name) => name !== 'access.log.last');
    const targets = files.flatMap((name) =>
      linesIn(textOf(join(directory, name))).map(({ target }) => target),
    );
    expect(kept).toBeGreaterThan(3);
    expect(targets).toHaveLength(4_000);
    expect(new Set(targets).size).toBe(4_000);
  }, 20_000);
});
