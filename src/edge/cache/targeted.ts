import {
  type CacheControl,
  noDirectives,
  parseCacheControl,
  readDirective,
  UNREADABLE,
} from './cache-control.ts';
import type { ResponseFields } from './response-fields.ts';
import { type Item, parseDictionary } from './structured-dictionary.ts';

/** What a response says to caches like this one, which stand before an app for its operator. */

export interface CachePolicyOfResponse {
  control: CacheControl;
  /** Without Expires where it does not count. */
  fields: ResponseFields;
}

/**
 * CDN-Cache-Control where it is there, valid and not empty; then neither Cache-Control nor Expires
 * says anything (RFC 9213 section 2.2). Else those.
 */
export function policyOf(fields: ResponseFields): CachePolicyOfResponse {
  const control = targetedControl(fields.cdnCacheControl);
  return control === null
    ? { control: parseCacheControl(fields.cacheControl ?? ''), fields }
    : { control, fields: { ...fields, expires: null } };
}

/** @returns null when it is to be taken for not there */
export function targetedControl(value: string | null): CacheControl | null {
  const members = value === null ? null : parseDictionary(value);
  if (members === null || members.size === 0) return null;
  const control = noDirectives();
  for (const [name, item] of members) {
    // `no-store=?0` is what it says.
    if (item.type === 'boolean' && !item.value) continue;
    readDirective(control, name, directiveValue(name, item));
  }
  return control;
}

/** A directive takes one type, and what has another cannot be read (section 2.1). */
function directiveValue(name: string, item: Item): string | null {
  if (item.type === 'boolean') return null;
  if (name === 'no-cache' || name === 'private') {
    return item.type === 'string' || item.type === 'token' ? item.value : UNREADABLE;
  }
  return item.type === 'integer' ? String(item.value) : UNREADABLE;
}
