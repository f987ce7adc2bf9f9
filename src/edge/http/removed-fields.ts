/** Fields that say something about one hop, or that only the edge may say. */
// `Proxy` is nobody's field, but CGI makes HTTP_PROXY of it (httpoxy, CVE-2016-5385).
const REMOVED = new Set(['te', 'keep-alive', 'forwarded', 'proxy', 'x-request-id']);

/** @param name in lower case */
export const isRemovedField = (name: string): boolean =>
  REMOVED.has(name) || name.startsWith('x-forwarded-') || name.startsWith('proxy-');

const ABOUT_THE_CLIENT = new Set([
  'forwarded',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-forwarded-proto',
  'x-request-id',
]);

/** Whether a proxy that is trusted may say it. @param name of a removed field */
export const tellsOfClient = (name: string): boolean => ABOUT_THE_CLIENT.has(name);
