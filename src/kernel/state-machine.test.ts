import { describe, expect, it } from 'vitest';
import { stateMachine } from './state-machine.ts';

const door = stateMachine<'open' | 'shut' | 'walled'>('door', {
  open: ['shut'],
  shut: ['open', 'walled'],
  walled: [],
});

describe('a state machine', () => {
  it('moves by its table', () => {
    expect(door.move('front', 'open', 'shut')).toBe('shut');
    expect(door.allows('shut', 'walled')).toBe(true);
  });

  it('refuses what its table does not have, and says what it was', () => {
    expect(() => door.move('front', 'walled', 'open')).toThrow(
      expect.objectContaining({
        code: 'illegal-transition',
        message: 'door front cannot go from walled to open',
        details: { machine: 'door', from: 'walled', to: 'open' },
      }),
    );
  });

  it('does not stay where it is by moving', () => {
    expect(door.allows('open', 'open')).toBe(false);
  });

  it('ends in a state that leads nowhere', () => {
    expect(door.states.filter((state) => door.isFinal(state))).toEqual(['walled']);
  });
});
