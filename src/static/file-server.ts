import { constants } from 'node:fs';
import { type FileHandle, open, realpath, stat } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { join, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { systemCode } from '../kernel/fault.ts';
import { contentTypeOf } from './content-type.ts';
import { type ByteRange, parseRange } from './range.ts';

/** What a request asks for, found on the disk and open. */
interface OpenFile {
  handle: FileHandle;
  path: string;
  sizeBytes: number;
  modifiedAt: Date;
  etag: string;
}

const NOT_FOUND_PAGE = '404.html';

/**
 * A file server for a static site: GET and HEAD, `index.html` for directories, validators, single
 * ranges. Nothing outside the directory is served, whatever links lead there, and nothing whose
 * name begins with a dot.
 *
 * @param directory absolute
 */
export function fileServer(directory: string): Server {
  return createServer((request, response) => {
    answer(directory, request, response).catch((thrown) => {
      // The client left, or the disk failed in the middle: the answer cannot be mended.
      if (response.headersSent) response.destroy();
      else sendText(response, 500, 'Internal Server Error', systemCode(thrown) ?? '');
    });
  });
}

async function answer(
  directory: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('Allow', 'GET, HEAD');
    return sendText(response, 405, 'Method Not Allowed');
  }
  const [rawPath = '', ...query] = (request.url ?? '').split('?');
  const path = decodePath(rawPath);
  if (path === null) return sendText(response, 400, 'Bad Request');

  const root = await realpath(directory);
  const found = await resolveInside(root, path);
  if (found?.isDirectory && !rawPath.endsWith('/')) {
    // Relative links on the page start from here. One slash: two would name another host.
    const location = `/${rawPath.replace(/^\/+/, '')}/`;
    response.setHeader('Location', [location, ...query].join('?'));
    return sendText(response, 301, 'Moved Permanently');
  }
  const file = found && (await openFile(root, found.isDirectory ? join(path, 'index.html') : path));
  if (!file) return sendNotFound(root, request, response);
  await sendFile(file, request, response);
}

/** The path below the root, or null when it is not one; dotfiles and `..` included. */
function decodePath(rawPath: string): string | null {
  try {
    const path = decodeURIComponent(rawPath);
    const parts = path.split('/');
    const hidden = parts.some((part) => part.startsWith('.') && part !== '.well-known');
    return !path.startsWith('/') || hidden || /[\0\\]/.test(path) ? null : path;
  } catch {
    return null;
  }
}

async function resolveInside(root: string, path: string): Promise<{ isDirectory: boolean } | null> {
  try {
    const real = await realpath(join(root, path));
    if (real !== root && !real.startsWith(root + sep)) return null;
    return { isDirectory: (await stat(real)).isDirectory() };
  } catch (thrown) {
    return ifAbsent(thrown);
  }
}

async function openFile(root: string, path: string): Promise<OpenFile | null> {
  let handle: FileHandle | undefined;
  try {
    const real = await realpath(join(root, path));
    if (!real.startsWith(root + sep)) return null;
    // Not following a link, and not waiting for the other end of a pipe.
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
    handle = await open(real, flags);
    const { size, mtime, mtimeMs } = await handle.stat().then((status) => {
      if (!status.isFile()) throw Object.assign(new Error('not a file'), { code: 'ENOENT' });
      return status;
    });
    const etag = `"${size.toString(16)}-${Math.floor(mtimeMs).toString(16)}"`;
    return { handle, path, sizeBytes: size, modifiedAt: mtime, etag };
  } catch (thrown) {
    await handle?.close();
    return ifAbsent(thrown);
  }
}

function ifAbsent(thrown: unknown): null {
  const absent = ['ENOENT', 'ENOTDIR', 'EACCES', 'ELOOP', 'ENAMETOOLONG', 'ENXIO'];
  if (absent.includes(systemCode(thrown) ?? '')) return null;
  throw thrown;
}

async function sendFile(
  file: OpenFile,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  await using _closing = file.handle;
  response.setHeader('ETag', file.etag);
  response.setHeader('Last-Modified', file.modifiedAt.toUTCString());
  response.setHeader('Cache-Control', 'no-cache');
  response.setHeader('X-Content-Type-Options', 'nosniff');
  if (isFresh(file, request)) {
    response.writeHead(304).end();
    return;
  }
  response.setHeader('Accept-Ranges', 'bytes');
  response.setHeader('Content-Type', contentTypeOf(file.path));
  const range = rangeOf(file, request);
  if (range === 'unsatisfiable') {
    response.setHeader('Content-Range', `bytes */${file.sizeBytes}`);
    return sendText(response, 416, 'Range Not Satisfiable');
  }
  if (range) {
    response.setHeader('Content-Range', `bytes ${range.start}-${range.end}/${file.sizeBytes}`);
  }
  await sendContent(file, range, range ? 206 : 200, request, response);
}

async function sendContent(
  file: OpenFile,
  range: ByteRange | null,
  status: number,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const start = range?.start ?? 0;
  const end = range?.end ?? file.sizeBytes - 1;
  response.writeHead(status, { 'Content-Length': end - start + 1 });
  if (request.method === 'HEAD' || end < start) {
    response.end();
    return;
  }
  // Never more than was announced, should the file grow meanwhile.
  await pipeline(file.handle.createReadStream({ start, end, autoClose: false }), response);
}

/** If-None-Match has precedence over If-Modified-Since (RFC 9110, 13.2.2). */
function isFresh(file: OpenFile, request: IncomingMessage): boolean {
  const tags = request.headers['if-none-match'];
  if (tags !== undefined) {
    const listed = tags.split(',').map((tag) => tag.trim().replace(/^W\//, ''));
    return tags.trim() === '*' || listed.includes(file.etag);
  }
  const since = Date.parse(request.headers['if-modified-since'] ?? '');
  return Math.floor(file.modifiedAt.getTime() / 1_000) * 1_000 <= since;
}

function rangeOf(file: OpenFile, request: IncomingMessage): ByteRange | null | 'unsatisfiable' {
  const condition = request.headers['if-range'];
  if (condition !== undefined && condition !== file.etag) return null;
  if (request.method !== 'GET') return null;
  return parseRange(request.headers.range, file.sizeBytes);
}

/** The site's own page, if it has one. */
async function sendNotFound(
  root: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const page = await openFile(root, NOT_FOUND_PAGE);
  if (!page) return sendText(response, 404, 'Not Found');
  await using _closing = page.handle;
  response.setHeader('Content-Type', contentTypeOf(page.path));
  await sendContent(page, null, 404, request, response);
}

function sendText(response: ServerResponse, status: number, ...lines: string[]): void {
  const text = `${lines.filter(Boolean).join(': ')}\n`;
  response.setHeader('Content-Type', 'text/plain; charset=utf-8');
  response.writeHead(status, { 'Content-Length': Buffer.byteLength(text) });
  // Node leaves the body of an answer to HEAD out by itself.
  response.end(text);
}
