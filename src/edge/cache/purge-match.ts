import type { Purge } from '../../model/cache.ts';
import { decoded } from '../../model/path-readings.ts';
import type { Kept } from './kept-response.ts';

/**
 * Whether a purge is of what is kept. Characters count however they are written, as apps read them:
 * what was asked for as `/%61` does not outlast a purge of `/a`.
 */
export function isPurgeOf(
  { kind, value }: Pick<Purge, 'kind' | 'value'>,
  { path, target, tags }: Pick<Kept, 'path' | 'target' | 'tags'>,
): boolean {
  switch (kind) {
    case 'everything':
      return true;
    case 'path':
      return read(value) === read(value.includes('?') ? target : path);
    case 'prefix':
      return target.startsWith(value) || read(target).startsWith(read(value));
    case 'tag':
      return tags.includes(value);
  }
}

const read = (written: string): string => (written.includes('%') ? decoded(written) : written);
