/** What a cache says of one answer in Cache-Status (RFC 9211). */
export interface CacheReport {
  /** The name of the cache. */
  cache: string;
  /** Why the request went on; null: the cache answered. */
  forwarded: string | null;
  /** What it was answered there. */
  forwardedStatus: number | null;
  /** Negative: stale. */
  ttlS: number | null;
  stored: boolean;
  collapsed: boolean;
  /** In the cache's own words; empty: none. */
  detail: string;
}

/** Of every cache on the way, that of the app first and the nearest last. */
export function readCacheStatus(field: string | undefined): CacheReport[] {
  return split(field ?? '', ',').map((member) => {
    const [cache = '', ...parameters] = split(member, ';');
    const values = new Map(
      parameters.map((parameter): [string, string] => {
        const equals = parameter.indexOf('=');
        if (equals === -1) return [parameter, ''];
        return [parameter.slice(0, equals), unquoted(parameter.slice(equals + 1))];
      }),
    );
    const number = (name: string) => (values.has(name) ? Number(values.get(name)) : null);
    return {
      cache: unquoted(cache),
      forwarded: values.get('fwd') ?? null,
      forwardedStatus: number('fwd-status'),
      ttlS: number('ttl'),
      stored: values.has('stored'),
      collapsed: values.has('collapsed'),
      detail: values.get('detail') ?? '',
    };
  });
}

/** At a character, but not within quotes. */
function split(text: string, at: ',' | ';'): string[] {
  const parts = text.match(
    at === ',' ? /(?:"(?:\\.|[^"\\])*"|[^",])+/g : /(?:"(?:\\.|[^"\\])*"|[^";])+/g,
  );
  return (parts ?? []).map((part) => part.trim()).filter((part) => part !== '');
}

const unquoted = (text: string): string =>
  text.startsWith('"') ? text.slice(1, -1).replace(/\\(.)/g, '$1') : text;
