import { describe, expect, it } from 'vitest';
import { configuration } from '../../test/support/simulated-control.ts';
import { changedCapacity, planClone } from './clone.ts';

const source = {
  application: 'shop',
  configuration,
  variables: { LOG_LEVEL: 'info', API_KEY: 'secret' },
  capacity: { min: 2, desired: 5, max: 6 },
};

describe('a clone', () => {
  it('is the same as its source but for its names, and has its capacity as it is now', () => {
    expect(planClone(source, 'staging', { variables: {} })).toEqual({
      configuration: {
        ...configuration,
        web: { ...configuration.web, capacity: source.capacity },
        domains: ['staging.shop.localhost'],
      },
      variables: source.variables,
    });
  });

  it('differs in what is said', () => {
    const { configuration: made, variables } = planClone(source, 'staging', {
      min: 1,
      max: 1,
      domains: ['staging.test'],
      variables: { LOG_LEVEL: 'debug' },
    });
    expect(made.web.capacity).toEqual({ min: 1, desired: 1, max: 1 });
    expect(made.domains).toEqual(['staging.test']);
    expect(variables).toEqual({ LOG_LEVEL: 'debug', API_KEY: 'secret' });
  });

  it('moves the upper bound along with the lower, and desired with both', () => {
    expect(changedCapacity({ min: 1, desired: 2, max: 4 }, { min: 6 })).toEqual({
      min: 6,
      desired: 6,
      max: 6,
    });
  });
});
