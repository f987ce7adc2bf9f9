/** What the Connection lines of a head say. */
export interface ConnectionOptions {
  close: boolean;
  keepAlive: boolean;
  upgrade: boolean;
  /** Other fields that go no further than this hop; null when none, which is the rule. */
  named: Set<string> | null;
}

/** Naming one of these as a hop's own must not remove what a message's meaning hangs on. */
const NEVER_REMOVED = new Set(['cdn-loop', 'content-length', 'host', 'transfer-encoding']);

const plain: ConnectionOptions = { close: false, keepAlive: false, upgrade: false, named: null };
const keepAlive: ConnectionOptions = { ...plain, keepAlive: true };
const close: ConnectionOptions = { ...plain, close: true };

export const noConnectionOptions = plain;

/** Reads one Connection line on top of those before it. */
export function connectionOptions(before: ConnectionOptions, value: string): ConnectionOptions {
  const lower = value.toLowerCase();
  if (before === plain) {
    if (lower === 'keep-alive') return keepAlive;
    if (lower === 'close') return close;
  }
  const options = { ...before };
  for (const part of lower.split(',')) {
    const token = part.trim();
    if (token === 'close') options.close = true;
    else if (token === 'keep-alive') options.keepAlive = true;
    else if (token === 'upgrade') options.upgrade = true;
    else if (token !== '' && !NEVER_REMOVED.has(token)) {
      options.named ??= new Set();
      options.named.add(token);
    }
  }
  return options;
}
