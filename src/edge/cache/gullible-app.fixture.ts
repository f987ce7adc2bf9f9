import type { Socket } from 'node:net';
import { type CacheRule, HONOUR_THE_APP } from '../../model/cache.ts';
import type { EdgeSettings } from '../../model/edge-settings.ts';
import { rawOrigin, type TestEdge, testEdge } from '../worker/edge.fixture.ts';

/** An app that believes all it is told, behind an edge that keeps what it answers. */

export const KEPT_FOR_ALL: CacheRule = { ...HONOUR_THE_APP, otherwiseS: 60 };

export function edgeBefore(
  port: number,
  rules: readonly CacheRule[],
  settings: Partial<EdgeSettings> = {},
): Promise<TestEdge> {
  return testEdge([{ port }], {
    settings,
    rule: { cache: { rules: [...rules], release: null, purgedUpTo: 0, purges: [] } },
  });
}

interface Answer {
  status: number;
  head: string;
  body: string;
  cacheStatus: string;
}

export async function ask(edge: TestEdge, sends: string): Promise<Answer> {
  const text = await edge.say(sends);
  const headEnd = text.indexOf('\r\n\r\n');
  const head = text.slice(0, headEnd);
  return {
    status: Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1] ?? 0),
    head,
    body: text.slice(headEnd + 4),
    cacheStatus: /\r\nCache-Status: (.*)/.exec(head)?.[1] ?? '',
  };
}

/** What of a request reaches an app, but for what differs from one to the next, and between edges. */
export const told = (text: string, edge: { port: number }): string =>
  text.replace(/X-Request-Id: .*\r\n/, '').replaceAll(String(edge.port), 'PORT');

const isWhole = (text: string): boolean => {
  const [head = '', body = ''] = text.split(/\r\n\r\n(.*)/s);
  if (!text.includes('\r\n\r\n')) return false;
  if (/\r\ntransfer-encoding:/i.test(head)) return body.endsWith('0\r\n\r\n');
  return body.length >= Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0);
};

/** Writes all it is told into its answers, which anybody may keep. */
export async function gullibleApp() {
  const seen: string[] = [];
  const held = new Map<Socket, string>();
  const origin = await rawOrigin((socket, bytes) => {
    const text = (held.get(socket) ?? '') + bytes;
    held.set(socket, isWhole(text) ? '' : text);
    if (!isWhole(text)) return;
    seen.push(text);
    const status = text.length > 16_384 ? 431 : /\r\nX-Bad:/i.test(text) ? 400 : 200;
    const body = text.replace(/X-Request-Id: .*\r\n/, '');
    socket.write(
      `HTTP/1.1 ${status} Told\r\nCache-Control: max-age=60\r\nETag: "1"\r\nContent-Length: ${body.length}\r\n\r\n${text.startsWith('HEAD') ? '' : body}`,
    );
  });
  return { origin, seen };
}
