import { describe, expect, it } from 'vitest';
import { manualClock } from '../../../kernel/clock.ts';
import { Standing } from './standing.ts';

const MINUTE_MS = 60_000;

const error = (code: string): Error => Object.assign(new Error(`${code}: it said no`), { code });

function standing() {
  const told: string[] = [];
  const clock = manualClock();
  const onTrouble = (trouble: string, detail: string) => told.push(`${trouble}: ${detail}`);
  return { clock, told, disk: new Standing({ clock, onTrouble }) };
}

describe('the standing of a disk', () => {
  it.each([
    ['ENOSPC', 'read-only', 'full'],
    ['EDQUOT', 'read-only', 'full'],
    ['EFBIG', 'read-only', 'full'],
    ['EIO', 'off', 'failed'],
    ['EROFS', 'off', 'failed'],
    ['EACCES', 'off', 'failed'],
  ])('after %s is %s', (code, state, trouble) => {
    const { disk, told } = standing();
    expect(disk.state).toBe('on');
    disk.failed('write /a/b', error(code));
    expect(disk.state).toBe(state);
    expect(told).toEqual([`${trouble}: write /a/b: ${code}: it said no`]);
  });

  it.each(['EMFILE', 'ENFILE', 'ENOMEM'])(
    'does not suffer from %s, which is of the process',
    (code) => {
      const { disk, told } = standing();
      disk.failed('read /a', error(code));
      expect(disk.state).toBe('on');
      expect(told).toEqual([]);
    },
  );

  it('is tried again after rests that grow, and operators hear once of each turn', async () => {
    const { clock, disk, told } = standing();
    disk.failed('write /a', error('EIO'));
    disk.failed('write /b', error('EIO'));
    for (const minutes of [1, 2, 4, 8, 16, 16]) {
      await clock.advance(minutes * MINUTE_MS - 1);
      expect(disk.state).toBe('off');
      await clock.advance(1);
      expect(disk.state).toBe('on');
      disk.failed('write /c', error('EIO'));
    }
    expect(told).toHaveLength(1);
    disk.worked();
    expect(disk.state).toBe('off');
    await clock.advance(16 * MINUTE_MS);
    disk.worked();
    expect(disk.state).toBe('on');
    expect(told).toEqual([
      'failed: write /a: EIO: it said no',
      'recovered: kept responses are written again',
    ]);
    disk.failed('write /d', error('ENOSPC'));
    await clock.advance(MINUTE_MS);
    expect(disk.state).toBe('on');
  });

  it('tells of damages together', async () => {
    const { clock, disk, told } = standing();
    for (const file of ['a', 'b', 'c']) disk.damaged(`${file} is not right`);
    expect(told).toEqual(['damaged: a is not right']);
    expect(disk.state).toBe('on');
    await clock.advance(MINUTE_MS);
    disk.damaged('d is not right');
    await clock.advance(MINUTE_MS);
    disk.damaged('e is not right');
    expect(told.slice(1)).toEqual([
      'damaged: d is not right, as 2 before it',
      'damaged: e is not right',
    ]);
  });

  it('tells of another trouble than the one before', async () => {
    const { clock, disk, told } = standing();
    disk.failed('write /a', error('ENOSPC'));
    await clock.advance(MINUTE_MS);
    disk.failed('write /a', error('EIO'));
    expect(disk.state).toBe('off');
    expect(told.map((line) => line.split(':')[0])).toEqual(['full', 'failed']);
  });
});

describe('a disk of which little is left', () => {
  const little = { freeBytes: 100_000_000, leastBytes: 2_000_000_000 };
  const enough = { freeBytes: 2_000_000_000, leastBytes: 2_000_000_000 };

  it('is read only, and operators hear once of each turn', () => {
    const { disk, told } = standing();
    disk.room(enough);
    for (const _ of [1, 2]) disk.room(little);
    expect(disk.state).toBe('read-only');
    disk.room(enough);
    expect(disk.state).toBe('on');
    expect(told).toEqual([
      'full: 100 MB are free on the disk, and 2.0 GB are left to others',
      'recovered: 2.0 GB are free on the disk, and 2.0 GB are left to others',
    ]);
  });

  it('says no more when it refuses what was being written', async () => {
    const { clock, disk, told } = standing();
    disk.room(little);
    disk.failed('write /a', error('ENOSPC'));
    expect(told).toHaveLength(1);
    disk.room(enough);
    expect(disk.state).toBe('read-only');
    await clock.advance(MINUTE_MS);
    disk.worked();
    expect(told.at(-1)).toMatch(/^recovered/);
    expect(told).toHaveLength(2);
  });
});
