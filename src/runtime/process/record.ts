import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { systemCode } from '../../kernel/fault.ts';
import { limitsSchema, variablesSchema } from '../../model/configuration.ts';

/**
 * What is on disk about a slot, under `run/<instance>/`: slot.json, `bootstrapped` once its bootstrap
 * has passed, and `exit` once the shim has written the status. It is written before the program is let go, so that a daemon killed at any
 * moment leaves nothing unknown.
 */

const identity = z.object({ pid: z.int(), startTicks: z.number() });
const exit = z.object({
  code: z.int().nullable(),
  signal: z.string().nullable(),
  cause: z.string(),
  at: z.number(),
});

const recordSchema = z.object({
  spec: z.object({
    id: z.string(),
    application: z.string(),
    environment: z.string(),
    release: z.int(),
    zone: z.string(),
    directory: z.string(),
    bootstrap: z.array(z.string()).nullable().default(null),
    command: z.array(z.string()),
    variables: variablesSchema,
    limits: limitsSchema,
  }),
  port: z.int(),
  startedAt: z.number(),
  bootId: z.string(),
  /** Null until it has been spawned. */
  shim: identity.nullable(),
  /** The app's own process; null until it has been seen. */
  app: identity.nullable(),
  limit: z.enum(['cgroup', 'watched', 'none']),
  /** Control groups made for it, to be removed with it. */
  cgroups: z.array(z.string()),
  /** Why we stopped it, when it was we who did; decided before the kill. */
  sentence: z.string().nullable(),
  exit: exit.nullable(),
});
export type SlotRecord = z.infer<typeof recordSchema>;

export interface SlotRecords {
  exitFile(id: string): string;
  bootstrapFile(id: string): string;
  /** Replaces the record whole. Writes of one slot take effect in the order of the calls. */
  write(record: SlotRecord): Promise<void>;
  /**
   * Every slot on disk; `record` is null for a folder without a record, or with one that says
   * nothing. Rejects when the disk cannot be read, because then nothing is known.
   */
  readAll(): Promise<{ id: string; record: SlotRecord | null }[]>;
  remove(id: string): Promise<void>;
  /** Resolves when nothing more is being written. */
  settled(): Promise<void>;
}

export function slotRecords(folder: string): SlotRecords {
  const writing = new Map<string, Promise<void>>();

  const replace = async (record: SlotRecord): Promise<void> => {
    const place = join(folder, record.spec.id);
    await mkdir(place, { recursive: true, mode: 0o700 });
    // The environment may hold secrets: for the owner only. A rename is whole or not at all, also
    // for a daemon that is killed; after a crash of the machine there is nothing left to adopt, so
    // the record need not be flushed to the disk.
    const temporary = join(place, 'slot.json.new');
    const file = await open(temporary, 'w', 0o600);
    try {
      await file.writeFile(JSON.stringify(record));
    } finally {
      await file.close();
    }
    await rename(temporary, join(place, 'slot.json'));
  };

  return {
    exitFile: (id) => join(folder, id, 'exit'),
    bootstrapFile: (id) => join(folder, id, 'bootstrapped'),
    write(record) {
      const id = record.spec.id;
      const asItIsNow = structuredClone(record);
      const before = writing.get(id) ?? Promise.resolve();
      const written = before.catch(() => {}).then(() => replace(asItIsNow));
      writing.set(id, written);
      return written;
    },
    async readAll() {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const entries = await readdir(folder, { withFileTypes: true });
      const ids = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
      return Promise.all(ids.map(async (id) => ({ id, record: await readRecord(folder, id) })));
    },
    async remove(id) {
      await writing.get(id)?.catch(() => {});
      writing.delete(id);
      await rm(join(folder, id), { recursive: true, force: true });
    },
    async settled() {
      await Promise.allSettled(writing.values());
    },
  };
}

async function readRecord(folder: string, id: string): Promise<SlotRecord | null> {
  const text = await readFile(join(folder, id, 'slot.json'), 'utf8').catch((thrown) => {
    if (systemCode(thrown) === 'ENOENT') return '';
    throw thrown;
  });
  try {
    return recordSchema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}
