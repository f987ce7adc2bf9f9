import type { Socket } from 'node:net';
import { expect } from 'vitest';
import { type ManualClock, manualClock } from '../../../kernel/clock.ts';
import { HONOUR_THE_APP } from '../../../model/cache.ts';
import { rawOrigin, settled, type TestEdge, testEdge } from '../../worker/edge.fixture.ts';
import { httpDate } from '../http-date.ts';
import { type AnswerRead, readAnswer } from './answer.fixture.ts';
import { ANYTHING, KEPT, type Requirement, type Said, type Step } from './requirement.fixture.ts';

/** A line of the table over real sockets: a client, the edge, and an app that does as it is told. */

interface ToldApp {
  port: number;
  /** The requests it got, as text. */
  asked: string[];
  /** In turn; the last of them is said again. */
  says(answers: readonly Said[], body: string): void;
}

const NOT_TO_BE_ASKED: Said = { status: 200, lines: ['Cache-Control: no-store'] };

export async function run(requirement: Requirement): Promise<void> {
  const clock = manualClock();
  const app = await toldApp(clock);
  const rule = { ...HONOUR_THE_APP, staleIfErrorS: 0, ...requirement.rule };
  const edge = await testEdge([{ port: app.port }], {
    clock,
    rule: { cache: { rules: [rule], release: null, purgedUpTo: 0, purges: [] } },
  });
  let kept = '';
  for (const [index, step] of requirement.steps.entries()) {
    await clock.advance(step.afterS * 1000);
    const body = step.app?.body ?? `answer ${index + 1}`;
    app.asked.length = 0;
    app.says(step.app === null ? [] : [step.app, ...step.again], body);
    const answer = await ask(edge, step, clock);
    await settled(5);
    const gets = step.app === null ? kept : body;
    const now = (line: string) => dated(line, clock);
    const expected = { ...step, gets: step.gets === KEPT ? kept : (step.gets ?? gets) };
    check(
      `step ${index + 1}`,
      { ...expected, has: step.has.map(now), told: step.told.map(now) },
      answer,
      app.asked,
    );
    if (step.app !== null && step.app.status !== 304) kept = body;
  }
}

function check(where: string, step: Step, answer: AnswerRead, asked: readonly string[]): void {
  const requests = asked.map((text) => text.split('\r\n')[0]);
  expect({ where, isAsked: asked.length > 0, requests }).toEqual({
    where,
    isAsked: step.app !== null,
    requests,
  });
  const hasBody = !step.request.startsWith('HEAD') && step.status !== 304 && step.status !== 204;
  expect({ where, status: answer.status, body: answer.body }).toEqual({
    where,
    status: step.status,
    body: step.gets === ANYTHING ? answer.body : hasBody ? step.gets : '',
  });
  expect(answer.interim, where).toBe(step.before);
  const lines = answer.lines.map(lowerName);
  for (const line of step.has) expect(lines, where).toContain(lowerName(line));
  for (const name of step.lacks) expect(names(lines), where).not.toContain(name.toLowerCase());
  const told = (asked.at(-1) ?? '').split('\r\n').map(lowerName);
  for (const line of step.told) expect(told, where).toContain(lowerName(line));
  for (const name of step.untold) expect(names(told), where).not.toContain(name.toLowerCase());
  const status = lines.find((line) => line.startsWith('cache-status: ')) ?? '';
  for (const word of step.reports) expect(status.split('; '), where).toContain(word);
}

/** The date that stands for `{+60}` and its like, at that moment. */
const dated = (line: string, clock: ManualClock): string =>
  line.replace(/\{([+-]?\d+)\}/g, (_, seconds) => httpDate(clock.now() + Number(seconds) * 1000));

async function ask(edge: TestEdge, step: Step, clock: ManualClock): Promise<AnswerRead> {
  const lines = step.sends.map((line) => dated(line, clock));
  if (!lines.some((line) => line.startsWith('Host:'))) lines.push('Host: shop.localhost');
  if (step.body !== '') lines.push(`Content-Length: ${step.body.length}`);
  const client = edge.connect();
  client.socket.write(`${step.request} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n${step.body}`);
  return new Promise((resolve) => {
    const isHead = step.request.startsWith('HEAD');
    const look = (ended: boolean) => {
      const answer = readAnswer(client.received(), isHead, ended);
      if (answer === null) return;
      client.socket.destroy();
      resolve(answer);
    };
    client.socket.on('data', () => look(false)).once('close', () => look(true));
  });
}

async function toldApp(clock: ManualClock): Promise<ToldApp> {
  let answers: Said[] = [];
  let body = '';
  const held = new Map<Socket, string>();
  const asked: string[] = [];
  const origin = await rawOrigin((socket, bytes) => {
    const text = (held.get(socket) ?? '') + bytes;
    const length = Number(/\r\ncontent-length: *(\d+)/i.exec(text)?.[1] ?? 0);
    const headEnd = text.indexOf('\r\n\r\n');
    const isWhole = headEnd !== -1 && text.length >= headEnd + 4 + length;
    held.set(socket, isWhole ? '' : text);
    if (!isWhole) return;
    asked.push(text);
    // What it has nothing to say to, it was not to be asked; the test says so by its request.
    write(
      socket,
      (answers.length > 1 ? answers.shift() : answers[0]) ?? NOT_TO_BE_ASKED,
      body,
      text,
    );
  });
  const write = (socket: Socket, answer: Said, text: string, request: string) => {
    if (answer.ends === 'dead') {
      socket.destroy();
      return;
    }
    const head = headOf(answer, text, clock);
    const hasBody = !request.startsWith('HEAD') && answer.status !== 304 && answer.status !== 204;
    socket.write((answer.interim ?? '') + head + (hasBody ? bodyOf(answer, text) : ''), 'latin1');
    if (['close', 'cut', 'chunked-cut'].includes(answer.ends ?? '')) socket.end();
  };
  return {
    port: origin.port,
    asked,
    says(next, text) {
      answers = [...next];
      body = text;
    },
  };
}

function headOf({ status, lines, ends }: Said, body: string, clock: ManualClock): string {
  const said = new Set(lines.map((line) => line.split(':', 1)[0]?.toLowerCase()));
  const all = lines.map((line) => dated(line, clock)).filter((line) => !/^[\w-]+:$/.test(line));
  if (!said.has('date')) all.push(`Date: ${httpDate(clock.now())}`);
  if (ends?.startsWith('chunked')) all.push('Transfer-Encoding: chunked');
  else if (ends !== 'close' && !said.has('content-length') && status >= 200 && status !== 204) {
    const missing = ends === 'cut' ? 5 : 0;
    all.push(`Content-Length: ${(status === 304 ? 0 : body.length) + missing}`);
  }
  return `HTTP/1.1 ${status} Said\r\n${all.join('\r\n')}\r\n\r\n`;
}

function bodyOf({ ends }: Said, body: string): string {
  if (!ends?.startsWith('chunked')) return body;
  return `${body.length.toString(16)}\r\n${body}\r\n${ends === 'chunked' ? '0\r\n\r\n' : ''}`;
}

const names = (lines: readonly string[]): (string | undefined)[] =>
  lines.map((line) => line.split(':', 1)[0]);

const lowerName = (line: string): string => line.replace(/^[^:]*/, (name) => name.toLowerCase());
