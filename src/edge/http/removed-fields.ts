/** Fields that say something about one hop, or that only the edge may say. */
// `Proxy` is nobody's field, but CGI makes HTTP_PROXY of it (httpoxy, CVE-2016-5385).
const REMOVED = new Set(['te', 'keep-alive', 'forwarded', 'proxy', 'x-request-id']);

/** @param name in lower case */
export const isRemovedField = (name: string): boolean =>
  REMOVED.has(name) || name.startsWith('x-forwarded-') || name.startsWith('proxy-');
