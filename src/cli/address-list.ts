import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { text as textOf } from 'node:stream/consumers';
import { messageOf, systemCode } from '../kernel/fault.ts';
import type { WrittenAddress } from './cached-address.ts';
import type { Context } from './context.ts';
import { InputFault } from './exit-code.ts';

/** Lists of addresses: in the command, in files, on stdin, in sitemaps. */

const STDIN = '-';

/**
 * What begins with `/` or `http` is an address, anything else a file: an address on each line (`#`
 * begins a comment), or a sitemap. Each address once.
 *
 * @throws InputFault `bad-address-list`
 */
export async function readAddressLists(
  context: Context,
  words: readonly string[],
): Promise<WrittenAddress[]> {
  const lists = await Promise.all(
    words.map(async (word) => {
      if (/^(\/|https?:)/i.test(word)) return [{ text: word, place: null }];
      const name = word === STDIN ? 'stdin' : word;
      return addressesIn(await contentOf(context, word), name);
    }),
  );
  return [...new Map(lists.flat().map((each) => [each.text, each])).values()];
}

async function contentOf(context: Context, word: string): Promise<string> {
  if (word === STDIN) return await textOf(context.stdin);
  try {
    return await readFile(resolve(context.directory, word), 'utf8');
  } catch (cause) {
    const why = systemCode(cause) === 'ENOENT' ? 'there is no such file' : messageOf(cause);
    throw new InputFault({
      code: 'bad-address-list',
      message: `the list ${word} cannot be read: ${why}`,
      subject: word,
      hint: 'name a file with an address on each line, a sitemap, or an address: /a, http://…',
      cause,
    });
  }
}

function addressesIn(content: string, name: string): WrittenAddress[] {
  if (/^\s*</.test(content)) return addressesInSitemap(content, name);
  return content.split('\n').flatMap((line, index) => {
    const text = line.trim();
    const place = `line ${index + 1} of ${name}`;
    return text === '' || text.startsWith('#') ? [] : [{ text, place }];
  });
}

/** https://www.sitemaps.org/protocol.html */
function addressesInSitemap(content: string, name: string): WrittenAddress[] {
  if (/<sitemapindex[\s>]/.test(content)) {
    throw new InputFault({
      code: 'bad-address-list',
      message: `${name} is an index of sitemaps, and none itself`,
      subject: name,
      hint: 'name the sitemaps that are in it',
    });
  }
  const places = [...content.matchAll(/<loc>\s*([^<]*?)\s*<\/loc>/g)];
  return places.map(([, text = ''], index) => ({
    text: withoutEntities(text),
    place: `address ${index + 1} of ${name}`,
  }));
}

const ENTITIES: Readonly<Record<string, string>> = {
  amp: '&',
  apos: "'",
  quot: '"',
  lt: '<',
  gt: '>',
};

const withoutEntities = (text: string): string =>
  text.replace(/&(amp|apos|quot|lt|gt);/g, (_, name: string) => ENTITIES[name] ?? '');
