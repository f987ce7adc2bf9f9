import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { until } from '../../../test/e2e/support/until.ts';
import { type ProcessBench, processBench } from '../../../test/fixtures/process-bench.ts';
import type { Runtime, Slot, SlotSpec } from '../driver.ts';
import { hasProcessTable } from './process-table.ts';

let bench: ProcessBench;
beforeEach(async () => {
  bench = await processBench();
});
afterEach(() => bench.dispose());

const node = (script: string, ...args: string[]): string[] => [
  process.execPath,
  '-e',
  script,
  '--',
  ...args,
];

/** The slot when it is as it is wanted. */
const slotWhen = (runtime: Runtime, { id }: SlotSpec, holds: (slot: Slot) => boolean) =>
  until(
    'the slot is as it is wanted',
    async () => (await runtime.list()).find((slot) => slot.id === id),
    (slot) => slot !== undefined && holds(slot),
  );

describe('a bootstrap', () => {
  it('runs before the program, in its slot, and is timed', async () => {
    const runtime = await bench.open();
    const bootstrap = node("setTimeout(() => console.log('warm at', process.env.PORT), 200)");
    const spec = bench.spec('serve', { bootstrap });
    const started = await runtime.ensure(spec);
    expect(started.bootstrapMs).toBeNull();
    const slot = await slotWhen(runtime, spec, ({ listening }) => listening);
    expect(slot?.pid).toBe(started.pid);
    expect(slot?.bootstrapMs).toBeGreaterThanOrEqual(200);
    expect(await runtime.logs(spec.id, { tail: 9 })).toEqual([
      `warm at ${slot?.port}`,
      `serve at ${slot?.port}`,
    ]);
    const adopting = await bench.open();
    expect((await adopting.list())[0]?.bootstrapMs).toBe(slot?.bootstrapMs);
  });

  it('has its words, and the program its own, to the letter', async () => {
    const runtime = await bench.open();
    const say = 'console.log(JSON.stringify(process.argv.slice(1)))';
    const words = ['a b', '', '"$PORT"', "';exit 9;'", '*', '\\', '-x'];
    const spec = bench.spec('serve', {
      bootstrap: node(say, ...words).map((word) => word.replace('$PORT', '$ NAME')),
      command: node(say, 'one', ...words.map((word) => word.replace('$PORT', '$ NAME'))),
    });
    await runtime.ensure(spec);
    await slotWhen(runtime, spec, ({ state }) => state === 'exited');
    const literal = words.map((word) => word.replace('$PORT', '$ NAME'));
    const [first = '', second = ''] = await runtime.logs(spec.id, { tail: 9 });
    expect(JSON.parse(first)).toEqual(literal);
    expect(JSON.parse(second)).toEqual(['one', ...literal]);
  });

  it('that fails ends the instance, with that cause, and its program is never started', async () => {
    const runtime = await bench.open();
    const spec = bench.spec('serve', { bootstrap: node('process.exit(5)') });
    await runtime.ensure(spec);
    const slot = await slotWhen(runtime, spec, ({ state }) => state === 'exited');
    expect(slot).toMatchObject({
      bootstrapMs: null,
      exit: { code: 5, cause: 'exited with code 5 in its bootstrap' },
    });
    expect(await runtime.logs(spec.id, { tail: 9 })).toEqual([]);
  });

  it('that does not end is stopped with its slot', async () => {
    const runtime = await bench.open();
    const spec = bench.spec('serve', { bootstrap: node('setInterval(() => {}, 1e6)') });
    await runtime.ensure(spec);
    await runtime.remove(spec.id, 5_000);
    expect(await runtime.list()).toEqual([]);
  });

  it('that is not there is told before anything starts', async () => {
    const runtime = await bench.open();
    const spec = bench.spec('serve', { bootstrap: ['no-such-program'] });
    await expect(runtime.ensure(spec)).rejects.toMatchObject({ code: 'command-not-found' });
  });
});

describe.skipIf(!hasProcessTable)('a log', () => {
  it('is bounded when its slot is removed, whatever was written since the last sample', async () => {
    const logMaxBytes = 1024 * 1024;
    const runtime = await bench.open({ logMaxBytes, samplePeriodMs: 60_000 });
    const write = "process.stdout.write('x'.repeat(8 * 1024 * 1024) + '\\nend\\n')";
    const spec = bench.spec('serve', { command: node(write) });
    await runtime.ensure(spec);
    await slotWhen(runtime, spec, ({ state }) => state === 'exited');
    await runtime.remove(spec.id, 0);
    const path = join(bench.home, 'logs', spec.application, spec.environment, `${spec.id}.log`);
    const { blocks, size } = await stat(path);
    expect(size).toBeGreaterThan(8 * logMaxBytes);
    expect(blocks * 512).toBeLessThanOrEqual(logMaxBytes);
    expect(await runtime.logs(spec.id, { tail: 1 })).toEqual(['end']);
  });
});
