import { createHash } from 'node:crypto';
import { systemClock } from '../../../kernel/clock.ts';
import { DirectoryStore } from './directory-store.ts';

/**
 * A process that writes responses, read, changed and deleted by others meanwhile, until it is killed:
 * for the tests of what that leaves. Says a line for each round.
 */

const KEYS = 20;
const MB = 1024 * 1024;

/** What is kept under a key tells its own digest, so that any process can tell whether it is right. */
function bodyOf(round: number, key: number): Buffer {
  const bytes = [100, 5_000, 70_000, 300_000][key % 4] ?? 0;
  return Buffer.alloc(bytes + round, `${round} ${key} `);
}

if (import.meta.main) {
  const directory = process.argv[2] ?? '';
  const onTrouble = (trouble: string, detail: string): void => {
    process.stdout.write(`${trouble}: ${detail}\n`);
  };
  const store = new DirectoryStore({
    directory,
    boundBytes: 256 * MB,
    clock: systemClock,
    onTrouble,
  });
  await store.start();
  for (let round = 0; ; round += 1) {
    for (let key = 0; key < KEYS; key += 1) {
      const body = bodyOf(round, key);
      const digest = createHash('sha256').update(body).digest('hex');
      const writer = store.create(`key ${key}`, digest, body.length);
      writer?.write(body);
      await writer?.finish();
      writer?.close();
      if (writer) await store.updateHead(`key ${key}`, writer.id, `${digest} again`);
    }
    process.stdout.write(`round ${round}\n`);
  }
}
