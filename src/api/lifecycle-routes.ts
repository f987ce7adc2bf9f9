import { z } from 'zod';
import type { EnvironmentView } from '../model/view.ts';
import { lifecycleAddresses as addresses } from './lifecycle-addresses.ts';
import { answer, byField, environmentParams, nothing, type Route } from './route.ts';

/** The part of the table about instances that wait for somebody's word. */

const waiting = {
  params: environmentParams.extend({ instance: z.string() }),
  query: nothing,
  body: z.strictObject({ by: byField }),
  answer: answer<EnvironmentView>('As it was noted; the instance follows'),
};

export const lifecycleRoutes = {
  continueInstance: {
    ...addresses.continueInstance,
    ...waiting,
    summary: 'Let an instance that waits go on: into service, or to its end',
  },
  abandonInstance: {
    ...addresses.abandonInstance,
    ...waiting,
    summary: 'End an instance that waits; one that was to take traffic is replaced by another',
  },
  heartbeatInstance: {
    ...addresses.heartbeatInstance,
    ...waiting,
    summary: 'Let the time of an instance that waits begin anew',
  },
} as const satisfies Record<string, Route>;
