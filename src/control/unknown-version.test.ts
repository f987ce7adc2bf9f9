import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { manualClock } from '../kernel/clock.ts';
import type { Store } from '../store/driver.ts';
import { openSqliteStore } from '../store/sqlite.ts';
import { Records } from './records.ts';
import { requireVersion } from './unknown-version.ts';

let store: Store;
let records: Records;

beforeEach(() => {
  const clock = manualClock();
  store = openSqliteStore(':memory:');
  records = new Records(store, clock);
});
afterEach(() => store.close());

function make(application: string, count: number): void {
  for (let number = 1; number <= count; number += 1) {
    records.saveVersion({
      ...{ application, label: `v${number}`, digest: `${application}${number}` },
      ...{ createdAt: number, author: null, commit: null, message: null, files: 1, sizeBytes: 1 },
    });
  }
}

describe('a version that is asked for', () => {
  it('is the application’s own, though others have one of the same label', () => {
    make('blog', 3);
    make('shop', 3);
    expect(requireVersion('shop', 'v2', records).digest).toBe('shop2');
  });

  it('is told by whose it is when it is another’s', () => {
    make('blog', 9);
    make('wiki', 9);
    make('shop', 2);
    expect(() => requireVersion('shop', 'v7', records)).toThrow(
      expect.objectContaining({
        code: 'unknown-version',
        message: 'there is no version v7 of shop, but there is one of blog and of wiki',
        hint: 'its versions are v2, v1; see them with: belay versions --app shop',
      }),
    );
  });

  it('is nobody’s', () => {
    make('shop', 7);
    expect(() => requireVersion('shop', 'v8', records)).toThrow(
      expect.objectContaining({
        message: 'there is no version v8 of shop',
        hint: 'its versions are v7, v6, v5, v4, v3 and 2 older ones; see them with: belay versions --app shop',
      }),
    );
    expect(() => requireVersion('new', 'v1', records)).toThrow(
      expect.objectContaining({ hint: 'make one with: belay deploy' }),
    );
  });
});
