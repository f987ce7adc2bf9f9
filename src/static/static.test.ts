import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fileServer } from './file-server.ts';
import { parseRange } from './range.ts';

let root: string;
let site: string;
let server: Server;
let port: number;

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'belay-static-'));
  site = join(root, 'site');
  mkdirSync(join(site, 'docs'), { recursive: true });
  writeFileSync(join(root, 'secret.txt'), 'secret');
  writeFileSync(join(site, 'index.html'), '<h1>home</h1>');
  writeFileSync(join(site, 'docs/index.html'), 'docs');
  writeFileSync(join(site, 'a b.txt'), '0123456789');
  writeFileSync(join(site, '.env'), 'SECRET=1');
  writeFileSync(join(site, 'empty.css'), '');
  symlinkSync('../secret.txt', join(site, 'leak.txt'));
  symlinkSync('a b.txt', join(site, 'inside.txt'));
  server = fileServer(site).listen(0, '127.0.0.1');
  await once(server, 'listening');
  // It listens on TCP, so its address is an object.
  port = (server.address() as AddressInfo).port;
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  rmSync(root, { recursive: true });
});

interface Answer {
  status: number | undefined;
  headers: Record<string, string | string[] | undefined>;
  body: string;
}

/** Not fetch, which tidies the path before it sends it. */
function ask(path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asking = request({ host: '127.0.0.1', port, path, headers, method }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        body += chunk;
      });
      response.on('end', () =>
        resolve({ status: response.statusCode, headers: response.headers, body }),
      );
    });
    asking.on('error', reject).end();
  });
}

describe('the static file server', () => {
  it('serves index.html for a directory, and sends a directory without a slash to the one with', async () => {
    const home = await ask('/');
    expect(home).toMatchObject({ status: 200, body: '<h1>home</h1>' });
    expect(home.headers['content-type']).toBe('text/html; charset=utf-8');
    const moved = await ask('/docs?q=1');
    expect(moved).toMatchObject({ status: 301, headers: { location: '/docs/?q=1' } });
    expect(await ask('/docs/')).toMatchObject({ status: 200, body: 'docs' });
    expect((await ask('//docs')).headers.location).toBe('/docs/');
  });

  it('answers HEAD without a body, and an empty file', async () => {
    const head = await ask('/a%20b.txt', {}, 'HEAD');
    expect(head).toMatchObject({ status: 200, body: '', headers: { 'content-length': '10' } });
    expect(await ask('/empty.css')).toMatchObject({ status: 200, body: '' });
  });

  it('answers 304 to its own validators', async () => {
    const { headers } = await ask('/');
    expect(await ask('/', { 'If-None-Match': String(headers.etag) })).toMatchObject({
      status: 304,
      body: '',
    });
    expect(await ask('/', { 'If-None-Match': '"x"' })).toMatchObject({ status: 200 });
    const since = { 'If-Modified-Since': String(headers['last-modified']) };
    expect((await ask('/', since)).status).toBe(304);
    expect((await ask('/', { 'If-Modified-Since': new Date(0).toUTCString() })).status).toBe(200);
  });

  it('sends a range', async () => {
    const part = await ask('/a%20b.txt', { Range: 'bytes=2-4' });
    expect(part).toMatchObject({
      status: 206,
      body: '234',
      headers: { 'content-range': 'bytes 2-4/10' },
    });
    expect((await ask('/a%20b.txt', { Range: 'bytes=10-' })).status).toBe(416);
  });

  it.each([
    '/../secret.txt',
    '/%2e%2e/secret.txt',
    '/..%2fsecret.txt',
    '/docs/../../secret.txt',
    '/..%5csecret.txt',
    '/leak.txt',
    '/.env',
    '/docs/%2e%2e/.env',
    '/%00',
    '/%zz',
    'http://other/secret.txt',
  ])('does not serve %s', async (path) => {
    const { status, body } = await ask(path);
    expect([400, 404]).toContain(status);
    expect(body).not.toMatch(/secret|SECRET/);
  });

  it('follows a link that stays inside', async () => {
    expect(await ask('/inside.txt')).toMatchObject({ status: 200, body: '0123456789' });
  });

  it("answers 404 with the site's own page where it has one", async () => {
    expect(await ask('/nope')).toMatchObject({ status: 404, body: 'Not Found\n' });
    writeFileSync(join(site, '404.html'), 'lost?');
    const own = await ask('/nope', { Range: 'bytes=0-1' });
    expect(own).toMatchObject({ status: 404, body: 'lost?' });
  });

  it('allows GET and HEAD only', async () => {
    expect(await ask('/', {}, 'POST')).toMatchObject({
      status: 405,
      headers: { allow: 'GET, HEAD' },
    });
  });
});

describe('the program', () => {
  it('listens where it is told, and leaves on SIGTERM', async () => {
    const main = fileURLToPath(new URL('./main.ts', import.meta.url));
    const program = spawn(process.execPath, [main, '.'], {
      cwd: site,
      env: { PORT: '0', HOST: '127.0.0.1' },
    });
    const exited = once(program, 'exit');
    try {
      const [line] = await once(createInterface({ input: program.stdout }), 'line');
      const url = /http:\S+/.exec(String(line))?.[0] ?? '';
      expect(await (await fetch(url)).text()).toBe('<h1>home</h1>');
      program.kill('SIGTERM');
      expect(await exited).toEqual([0, null]);
    } finally {
      program.kill('SIGKILL');
    }
  });
});

describe('a range', () => {
  it.each([
    [undefined, 10, null],
    ['bytes=0-0', 10, { start: 0, end: 0 }],
    ['bytes=5-', 10, { start: 5, end: 9 }],
    ['bytes=-3', 10, { start: 7, end: 9 }],
    ['bytes=-30', 10, { start: 0, end: 9 }],
    ['bytes=5-99', 10, { start: 5, end: 9 }],
    ['bytes=5-4', 10, null],
    ['bytes=-', 10, null],
    ['bytes=-0', 10, 'unsatisfiable'],
    ['bytes=0-', 0, 'unsatisfiable'],
    ['bytes=0-1,3-4', 10, null],
    ['lines=0-1', 10, null],
  ])('%s of %d bytes', (header, sizeBytes, expected) => {
    expect(parseRange(header, sizeBytes)).toEqual(expected);
  });
});
