import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEFAULT_EDGE_SETTINGS } from '../../model/edge-settings.ts';
import { isRefusal, parseRequestHead } from '../http/request-head.ts';
import { limitsFrom } from '../limits.ts';
import { type Access, accessWithoutRule } from './access-log.ts';
import { lineFormats } from './access-log-line.ts';

const ENDED = Date.UTC(2026, 10, 21, 12, 0, 39, 7);
const { json, combined } = lineFormats;

/** How combined lines are read everywhere. */
const COMBINED = /^(\S+) \S+ \S+ \[([^\]]+)\] "([^"]*)" (\d{3}) (\d+) "([^"]*)" "([^"]*)"$/;

function head(fields: string, target = '/') {
  const text = `GET ${target} HTTP/1.1\r\nHost: a\r\n${fields}\r\n`;
  const parsed = parseRequestHead(text, limitsFrom(DEFAULT_EDGE_SETTINGS));
  if (isRefusal(parsed)) throw new Error(parsed.detail);
  return parsed;
}

const access = (changes: Partial<Access> = {}): Access => ({
  head: head('Referer: http://b/\r\nUser-Agent: curl/8\r\n', '/a?b=c'),
  client: '192.0.2.7',
  environment: 'shop/production',
  target: 'i-0000000a',
  requestId: 'f-1',
  status: 200,
  outcome: 'ok',
  bodyBytes: 12,
  durationMs: 1.23456,
  ...changes,
});

describe('a line of the access log', () => {
  it('tells in JSON what was asked, by whom, and how it went', () => {
    expect(json.line(access(), ENDED)).toBe(
      `${JSON.stringify({
        at: '2026-11-21T12:00:39.007Z',
        client: '192.0.2.7',
        method: 'GET',
        host: 'a',
        target: '/a?b=c',
        protocol: 'HTTP/1.1',
        status: 200,
        outcome: 'ok',
        bodyBytes: 12,
        durationMs: 1.235,
        environment: 'shop/production',
        instance: 'i-0000000a',
        requestId: 'f-1',
        referer: 'http://b/',
        userAgent: 'curl/8',
      })}\n`,
    );
  });

  it('is what Apache and nginx write, as combined', () => {
    expect(combined.line(access(), ENDED)).toBe(
      '192.0.2.7 - - [21/Nov/2026:12:00:39 +0000] "GET /a?b=c HTTP/1.1" 200 12 "http://b/" "curl/8"\n',
    );
  });

  it('has a place for what could not be read, and for what was not answered', () => {
    const refused = accessWithoutRule(null, '192.0.2.7', 'refused', 400);
    expect(combined.line(refused, ENDED)).toBe(
      '192.0.2.7 - - [21/Nov/2026:12:00:39 +0000] "-" 400 0 "-" "-"\n',
    );
    expect(JSON.parse(json.line(refused, ENDED))).toMatchObject({
      method: null,
      target: null,
      environment: null,
      instance: null,
      requestId: null,
      userAgent: null,
    });
    const left = access({ status: 0, outcome: 'client-aborted' });
    expect(combined.line(left, ENDED)).toContain('" 499 12 ');
    expect(combined.line({ ...left, outcome: 'lost' }, ENDED)).toContain('" 000 12 ');
  });

  it('says in both forms how many lines there was no room for', () => {
    expect(JSON.parse(json.dropped(12, ENDED))).toEqual({
      at: '2026-11-21T12:00:39.007Z',
      droppedLines: 12,
    });
    const line = combined.dropped(12, ENDED);
    expect(COMBINED.exec(line.trimEnd())?.at(-1)).toBe('belay dropped 12 lines');
  });

  it('holds no credentials', () => {
    const secret = head(
      'Authorization: Bearer s3cret\r\nCookie: id=s3cret\r\nX-User-Agent: s3cret\r\n',
    );
    for (const format of [json, combined]) {
      expect(format.line(access({ head: secret }), ENDED)).not.toContain('s3cret');
    }
  });

  it('is bounded, whatever a client sends', () => {
    const long = head(`User-Agent: ${'é'.repeat(20_000)}\r\n`);
    for (const format of [json, combined]) {
      expect(format.line(access({ head: long }), ENDED).length).toBeLessThan(64 * 1024);
    }
  });
});

describe('a client cannot forge a line', () => {
  const cases: [text: string, written: string][] = [
    ['a "quoted" agent', 'a \\x22quoted\\x22 agent'],
    ['" 200 0 "-" "curl', '\\x22 200 0 \\x22-\\x22 \\x22curl'],
    ['back\\slash \\x22', 'back\\x5Cslash \\x5Cx22'],
    ['tab\there', 'tab\\x09here'],
    ['\x80\x9b31m\xff', '\\x80\\x9B31m\\xFF'],
  ];
  it.each(cases)('%j', (text, written) => {
    const sent = access({ head: head(`Referer: ${text}\r\nUser-Agent: ${text}\r\n`) });
    const fields = COMBINED.exec(combined.line(sent, ENDED).trimEnd());
    expect([fields?.[6], fields?.[7]]).toEqual([written, written]);
    expect(JSON.parse(json.line(sent, ENDED))).toMatchObject({ referer: text, userAgent: text });
  });

  it('with any field, target or forwarded address that a head may hold', () => {
    const text = (from: number) =>
      fc
        .array(fc.integer({ min: from, max: 255 }).map((code) => String.fromCharCode(code)))
        .map((chars) => chars.join(''));
    fc.assert(
      fc.property(text(0x20), text(0), text(0), (userAgent, target, client) => {
        const parsed = head(`User-Agent: ${userAgent.replaceAll('\x7f', '')}\r\n`);
        const sent = access({ head: { ...parsed, target }, client });
        for (const format of [json, combined]) {
          expect(format.line(sent, ENDED)).toMatch(/^[\x20-\x7e]+\n$/);
        }
        const told = JSON.parse(json.line(sent, ENDED));
        expect([told.target, told.client]).toEqual([target, client]);
        const fields = COMBINED.exec(combined.line(sent, ENDED).trimEnd());
        expect(unescaped(fields?.[1]) || '-').toBe(client || '-');
        expect(unescaped(fields?.[3])).toBe(`GET ${target} HTTP/1.1`);
        expect(unescaped(fields?.[7]).trim()).toBe(told.userAgent);
      }),
    );
  });
});

const unescaped = (text = ''): string =>
  text.replace(/\\x([0-9A-F]{2})/g, (_, code: string) =>
    String.fromCharCode(Number.parseInt(code, 16)),
  );
