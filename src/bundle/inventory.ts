import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { systemCode } from '../kernel/fault.ts';
import { randomHex } from '../kernel/random.ts';
import { type Damage, type Inspection, inspectEntries, type Sighting } from './damage.ts';
import { type BundleEntry, manifestOf } from './entry.ts';
import { rulesForTracked } from './ignore-rules.ts';
import { packBundle } from './pack.ts';

/**
 * What an unpacked bundle consists of, kept beside it: each entry as it was deployed, and how the
 * system told it when it was last known to be right. So a bundle can be checked before it is used
 * without reading it again.
 */
export interface Inventory {
  entries: readonly BundleEntry[];
  seen: ReadonlyMap<string, Sighting>;
}

interface Written {
  entries: BundleEntry[];
  seen: [string, Sighting][];
}

export const inventoryPath = (directory: string): string => `${directory}.inventory`;

/** Null when there is none, or it is not of this bundle. */
async function readInventory(directory: string, digest: string): Promise<Inventory | null> {
  try {
    const text = await readFile(inventoryPath(directory), 'utf8');
    const { entries, seen } = JSON.parse(text) as Written;
    if (manifestOf(entries).digest !== digest) return null;
    return { entries, seen: new Map(seen) };
  } catch (thrown) {
    // Whatever it is, it is of no use; it is made anew from the bundle.
    if (thrown instanceof SyntaxError || thrown instanceof TypeError) return null;
    if (systemCode(thrown) === 'ENOENT') return null;
    throw thrown;
  }
}

/** Whole at once: a reader sees the one before or this one. */
export async function writeInventory(directory: string, inventory: Inventory): Promise<void> {
  const written: Written = { entries: [...inventory.entries], seen: [...inventory.seen] };
  const path = inventoryPath(directory);
  const fresh = `${path}.partial-${randomHex(8)}`;
  try {
    await writeFile(fresh, JSON.stringify(written), { mode: 0o600 });
    await rename(fresh, path);
  } finally {
    await rm(fresh, { force: true });
  }
}

/**
 * What of an unpacked bundle is no longer as it was deployed; nothing when it is whole. One without
 * an inventory, which an earlier Belay has unpacked, is read whole, once.
 */
export async function inspectBundle(directory: string, digest: string): Promise<Damage[]> {
  const inventory = await readInventory(directory, digest);
  if (!inventory) return await inspectUnlisted(directory, digest);
  const { entries, seen } = inventory;
  const inspection = await inspectEntries(directory, entries, seen);
  if (inspection.damage.length === 0 && inspection.filesRead > 0) {
    await writeInventory(directory, { entries, seen: inspection.seen });
  }
  return inspection.damage;
}

/** The entries of a bundle, by its inventory or by its content. */
export async function entriesOf(
  directory: string,
  digest: string,
): Promise<readonly BundleEntry[]> {
  const inventory = await readInventory(directory, digest);
  return inventory?.entries ?? (await readWhole(directory));
}

async function inspectUnlisted(directory: string, digest: string): Promise<Damage[]> {
  const entries = await readWhole(directory);
  if (manifestOf(entries).digest !== digest) {
    return [{ path: '.', why: 'holds something else than was deployed' }];
  }
  const { seen }: Inspection = await inspectEntries(directory, entries, new Map());
  await writeInventory(directory, { entries, seen });
  return [];
}

async function readWhole(directory: string): Promise<readonly BundleEntry[]> {
  const limits = { maxBytes: Number.POSITIVE_INFINITY };
  const { entries, stream } = await packBundle(directory, limits, rulesForTracked);
  stream.destroy();
  return entries;
}
