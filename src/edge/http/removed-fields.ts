/** Fields that say something about one hop, or that only the edge may say. */
const REMOVED = new Set(['te', 'keep-alive', 'forwarded', 'x-request-id']);

/** @param name in lower case */
export const isRemovedField = (name: string): boolean =>
  REMOVED.has(name) || name.startsWith('x-forwarded-') || name.startsWith('proxy-');
