import { z } from 'zod';
import type { EnvironmentView } from '../model/view.ts';
import { instanceAddresses as addresses } from './instance-addresses.ts';
import { answer, byField, environmentParams, nothing, type Route } from './route.ts';

/** The part of the table about single instances. */

const instanceParams = environmentParams.extend({ instance: z.string() });

export const instanceRoutes = {
  protectInstances: {
    ...addresses.protectInstances,
    summary: 'Keep instances from scale-in, or let them go again',
    params: environmentParams,
    query: nothing,
    body: z.strictObject({
      instances: z.array(z.string()).min(1).max(10_000),
      isProtected: z.boolean(),
      by: byField,
    }),
    answer: answer<EnvironmentView>('With the protection in force'),
  },
  standbyInstance: {
    ...addresses.standbyInstance,
    summary: 'Take an instance out of service and keep it',
    params: instanceParams,
    query: nothing,
    body: z.strictObject({
      /** Desired stays, and it serves until another does; else it leaves now, and desired goes down. */
      substitute: z.boolean().default(false),
      by: byField,
    }),
    answer: answer<EnvironmentView>('As it was noted; the instance follows'),
  },
  resumeInstance: {
    ...addresses.resumeInstance,
    summary: 'Bring an instance back from standby; desired goes up by one',
    params: instanceParams,
    query: nothing,
    body: z.strictObject({ by: byField }),
    answer: answer<EnvironmentView>('As it was noted; the instance follows'),
  },
  replaceInstance: {
    ...addresses.replaceInstance,
    summary: 'Drain and stop an instance once another serves in its place',
    params: instanceParams,
    query: nothing,
    body: z.strictObject({ by: byField }),
    answer: answer<EnvironmentView>('As it was noted; the instances follow'),
  },
} as const satisfies Record<string, Route>;
