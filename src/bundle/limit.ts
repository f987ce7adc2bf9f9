import { Fault } from '../kernel/fault.ts';
import type { PackLimits } from './pack.ts';

const SHOWN_ENTRIES = 5;

/** A link takes no room worth counting. */
type Sized = { path: string } & ({ kind: 'file'; sizeBytes: number } | { kind: 'link' });

/** @throws `bundle-too-large`, with what takes the most room */
export function refuseTooLarge(entries: readonly Sized[], limits: PackLimits): void {
  const { maxBytes, maxFileBytes = maxBytes } = limits;
  const totalBytes = entries.reduce((total, entry) => total + bytesOf(entry), 0);
  const largeFile = entries.find((entry) => bytesOf(entry) > maxFileBytes);
  if (totalBytes > maxBytes) {
    throw tooLarge('the bundle', totalBytes, maxBytes, biggest(entries));
  }
  if (largeFile) {
    const sizeBytes = bytesOf(largeFile);
    throw tooLarge(largeFile.path, sizeBytes, maxFileBytes, [{ path: largeFile.path, sizeBytes }]);
  }
}

interface Share {
  path: string;
  sizeBytes: number;
}

/** The biggest of what lies at the top: files, and directories with all that is in them. */
function biggest(entries: readonly Sized[]): Share[] {
  const shares = new Map<string, number>();
  for (const entry of entries) {
    const slash = entry.path.indexOf('/');
    const top = slash === -1 ? entry.path : entry.path.slice(0, slash + 1);
    shares.set(top, (shares.get(top) ?? 0) + bytesOf(entry));
  }
  return [...shares]
    .map(([path, sizeBytes]) => ({ path, sizeBytes }))
    .sort((a, b) => b.sizeBytes - a.sizeBytes)
    .slice(0, SHOWN_ENTRIES);
}

function tooLarge(what: string, sizeBytes: number, limitBytes: number, shares: Share[]): Fault {
  const lines = shares.map(
    (share) => `  ${formatBytes(share.sizeBytes).padStart(10)}  ${share.path}`,
  );
  return new Fault({
    code: 'bundle-too-large',
    message: [
      `${what} has ${formatBytes(sizeBytes)}; at most ${formatBytes(limitBytes)} are allowed`,
      ...lines,
    ].join('\n'),
    hint: 'name what the app does not need in .belayignore',
    details: { sizeBytes, limitBytes, biggest: shares },
  });
}

function formatBytes(sizeBytes: number): string {
  if (sizeBytes < 1024) return `${sizeBytes} bytes`;
  if (sizeBytes < 1024 ** 2) return `${(sizeBytes / 1024).toFixed(1)} KB`;
  return `${(sizeBytes / 1024 ** 2).toFixed(1)} MB`;
}

const bytesOf = (entry: Sized): number => (entry.kind === 'file' ? entry.sizeBytes : 0);
