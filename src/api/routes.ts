import { z } from 'zod';
import { configurationSchema, variablesSchema } from '../model/configuration.ts';
import { edgeSettingsSchema } from '../model/edge-settings.ts';
import type { BelayEvent } from '../model/event.ts';
import { hookNames } from '../model/hook.ts';
import type { LedgerReading } from '../model/ledger.ts';
import { lifecycleSchema, type Pruning, type VersionView } from '../model/lifecycle.ts';
import type { Release } from '../model/release.ts';
import type { ScalingView } from '../model/scaling-view.ts';
import type {
  DaemonView,
  DeploymentDetail,
  DeploymentView,
  EdgeSettingsView,
  EnvironmentView,
  ForecastView,
  Outcome,
  ReleaseView,
  TicketView,
  TrafficReading,
} from '../model/view.ts';
import { addresses } from './addresses.ts';
import { cacheRoutes } from './cache-routes.ts';
import { environmentRoutes } from './environment-routes.ts';
import { instanceRoutes } from './instance-routes.ts';
import { lifecycleRoutes } from './lifecycle-routes.ts';
import { metricRoutes } from './metric-routes.ts';
import {
  type Answer,
  answer,
  byField,
  deploymentParams,
  digest,
  environmentParams,
  mannerFields,
  nothing,
  type Route,
  versionInput,
} from './route.ts';
import { signingRoutes } from './signing-routes.ts';

/**
 * The one table of the API. The server, the typed client and the OpenAPI document are all made from
 * it, so they cannot disagree. A response's type is the model's; its shape is described for readers.
 */

export const routes = {
  daemon: {
    ...addresses.daemon,
    summary: 'The daemon and its edge',
    params: nothing,
    query: nothing,
    body: null,
    answer: answer<DaemonView>('Process ids, listeners, workers'),
  },
  stopDaemon: {
    ...addresses.stopDaemon,
    summary: 'Stop the daemon; the edge and the instances go on',
    params: nothing,
    query: nothing,
    body: z.strictObject({
      /** Stop the edge too, once no environment is left. */
      edge: z.boolean().default(false),
    }),
    answer: answer<{ stopping: true }>('Said before it stops'),
  },
  upgradeEdge: {
    ...addresses.upgradeEdge,
    summary: 'Start a new generation of the edge on the same listeners',
    params: nothing,
    query: nothing,
    body: nothing,
    answer: answer<DaemonView>('The daemon and its new edge'),
  },
  edgeSettings: {
    ...addresses.edgeSettings,
    summary: 'What holds for the edge as a whole',
    params: nothing,
    query: nothing,
    body: null,
    answer: answer<EdgeSettingsView>('Every setting, and the snapshot in force'),
  },
  setEdgeSettings: {
    ...addresses.setEdgeSettings,
    summary: 'Replace the settings of the edge, all of them',
    params: nothing,
    query: nothing,
    body: edgeSettingsSchema,
    answer: answer<EdgeSettingsView>('In force on every worker'),
  },
  ledger: {
    ...addresses.ledger,
    summary: 'The cumulative account of every request',
    params: nothing,
    query: nothing,
    body: null,
    answer: answer<LedgerReading>('A reading; a receipt is the difference of two'),
  },
  traffic: {
    ...addresses.traffic,
    summary: 'All that has passed until now, by environment and by instance',
    params: nothing,
    query: nothing,
    body: null,
    answer: answer<TrafficReading>('A reading; rates are the difference of two'),
  },
  environments: {
    ...addresses.environments,
    summary: 'Every environment that is not terminated',
    params: nothing,
    query: z.strictObject({ application: z.string().optional() }),
    body: null,
    answer: answer<{ environments: EnvironmentView[] }>('Status, health and instances'),
  },
  environment: {
    ...addresses.environment,
    summary: 'One environment',
    params: environmentParams,
    query: nothing,
    body: null,
    answer: answer<EnvironmentView>('Status, health and instances'),
  },
  bundle: {
    ...addresses.bundle,
    summary: 'Whether a bundle is already there',
    params: z.strictObject({ digest }),
    /** Of what would be sent: refused here when there is no room for it. */
    query: z.strictObject({
      files: z.coerce.number().int().min(0).optional(),
      sizeBytes: z.coerce.number().int().min(0).optional(),
    }),
    body: null,
    answer: answer<{ present: boolean }>('Present and whole, or to be sent'),
  },
  putBundle: {
    ...addresses.putBundle,
    summary: 'Send a bundle: the body is a tar stream',
    params: z.strictObject({ digest }),
    query: z.strictObject({
      files: z.coerce.number().int().min(0),
      sizeBytes: z.coerce.number().int().min(0),
    }),
    body: null,
    answer: answer<{ present: true }>('It is unpacked and its digest is right'),
  },
  deploy: {
    ...addresses.deploy,
    summary: 'Deploy a version and a configuration; makes the environment if there is none',
    params: environmentParams,
    query: nothing,
    body: z.strictObject({
      configuration: configurationSchema,
      /** Null for a fixed address. */
      version: versionInput.nullable(),
      /** How long versions of the application stay; as before when left out. */
      lifecycle: lifecycleSchema.optional(),
      ...mannerFields,
      /** Without a change to deploy: refuse, or do nothing and say so. */
      unchanged: z.enum(['deploy', 'skip']).default('deploy'),
    }),
    answer: answer<Outcome>('Started, or queued; neither when skipped'),
  },
  deployments: {
    ...addresses.deployments,
    summary: 'Deployments, newest first',
    params: environmentParams,
    query: z.strictObject({ limit: z.coerce.number().int().min(1).max(1000).default(20) }),
    body: null,
    answer: answer<{ deployments: DeploymentView[] }>('Newest first'),
  },
  deployment: {
    ...addresses.deployment,
    summary: 'One deployment with its steps from the journal',
    params: deploymentParams,
    query: nothing,
    body: null,
    answer: answer<DeploymentDetail>('With steps'),
  },
  abort: {
    ...addresses.abort,
    summary: 'Abort the running deployment: the fleet goes back',
    params: environmentParams,
    query: nothing,
    body: nothing,
    answer: answer<{ deployment: DeploymentView }>('Going back'),
  },
  promote: {
    ...addresses.promote,
    summary: 'Go on with the running deployment without waiting for a judgement of its traffic',
    params: environmentParams,
    query: nothing,
    body: nothing,
    answer: answer<{ deployment: DeploymentView }>('Going on'),
  },
  rollback: {
    ...addresses.rollback,
    summary: 'Go back to an earlier release: code and configuration together',
    params: environmentParams,
    query: nothing,
    body: z.strictObject({
      /** A version label or a release number; null for the last release that was different. */
      to: z.union([z.string(), z.int()]).nullable().default(null),
      ...mannerFields,
    }),
    answer: answer<Outcome>('Started, or queued'),
  },
  restart: {
    ...addresses.restart,
    summary: 'Replace every instance by a new one of the same version and configuration',
    params: environmentParams,
    query: nothing,
    body: z.strictObject(mannerFields),
    answer: answer<Outcome>('Started, or queued'),
  },
  forecast: {
    ...addresses.forecast,
    summary: 'What a deploy of this configuration would do, and how long it would take',
    params: environmentParams,
    query: nothing,
    body: z.strictObject({ configuration: configurationSchema }),
    answer: answer<ForecastView>('Nothing is written'),
  },
  tickets: {
    ...addresses.tickets,
    summary: 'What waits for its turn to be deployed, and what has waited, newest first',
    params: environmentParams,
    query: z.strictObject({ limit: z.coerce.number().int().min(1).max(1000).default(20) }),
    body: null,
    answer: answer<{ tickets: TicketView[] }>('Newest first'),
  },
  cancel: {
    ...addresses.cancel,
    summary: 'Take one out of the queue',
    params: deploymentParams,
    query: nothing,
    body: z.strictObject({ by: byField }),
    answer: answer<{ ticket: TicketView }>('Cancelled'),
  },
  freeze: {
    ...addresses.freeze,
    summary: 'Let nothing new be deployed; rollbacks and restarts pass',
    params: environmentParams,
    query: nothing,
    body: z.strictObject({
      by: byField,
      reason: z.string().max(1000).nullable().default(null),
      /** Milliseconds since the epoch; null: until it is lifted. */
      until: z.int().nullable().default(null),
    }),
    answer: answer<EnvironmentView>('Frozen'),
  },
  unfreeze: {
    ...addresses.unfreeze,
    summary: 'Let new things be deployed again',
    params: environmentParams,
    query: nothing,
    body: z.strictObject({ by: byField }),
    answer: answer<EnvironmentView>('No longer frozen'),
  },
  scale: {
    ...addresses.scale,
    summary: 'Change the capacity',
    params: environmentParams,
    query: nothing,
    body: z.strictObject({
      desired: z.int().min(0).max(10_000).optional(),
      min: z.int().min(0).max(10_000).optional(),
      max: z.int().min(1).max(10_000).optional(),
      /** Although the machine has too little for it. */
      force: z.boolean().default(false),
    }),
    answer: answer<EnvironmentView>('With the new capacity; instances follow'),
  },
  scaling: {
    ...addresses.scaling,
    summary: 'How capacity follows the load: policies, decisions, what comes next',
    params: environmentParams,
    query: z.strictObject({ limit: z.coerce.number().int().min(1).max(1000).default(20) }),
    body: null,
    answer: answer<ScalingView>('Decisions newest first'),
  },
  terminate: {
    ...addresses.terminate,
    summary: 'Drain and stop every instance and give up the names',
    params: environmentParams,
    query: nothing,
    body: nothing,
    answer: answer<EnvironmentView>('Terminating'),
  },
  variables: {
    ...addresses.variables,
    summary: 'Environment variables, where each comes from',
    params: environmentParams,
    query: nothing,
    body: null,
    answer: answer<{
      variables: { name: string; value: string; source: 'configuration' | 'environment' }[];
    }>('Values in the clear: the socket is the owner’s alone'),
  },
  setVariables: {
    ...addresses.setVariables,
    summary: 'Set and remove environment variables: a deployment like any other',
    params: environmentParams,
    query: nothing,
    body: z.strictObject({ set: variablesSchema, unset: z.array(z.string()), ...mannerFields }),
    answer: answer<Outcome>('Started, or queued; neither when nothing changed'),
  },
  versions: {
    ...addresses.versions,
    summary: 'Versions, newest first',
    params: z.strictObject({ application: z.string() }),
    query: nothing,
    body: null,
    answer: answer<{ versions: VersionView[] }>('Newest first'),
  },
  prune: {
    ...addresses.prune,
    summary: 'Remove the files of versions that nobody needs',
    params: z.strictObject({ application: z.string() }),
    query: nothing,
    body: z.strictObject({
      /** Only tell what would be removed. */
      dryRun: z.boolean().default(false),
      /** So many of the newest stay; null: as many as the configuration says. */
      keep: lifecycleSchema.shape.keep.nullable().default(null),
    }),
    answer: answer<Pruning>('What was removed, and what room it took'),
  },
  versionFiles: {
    ...addresses.versionFiles,
    summary: 'The files of a version with their digests',
    params: z.strictObject({ application: z.string(), label: z.string() }),
    query: nothing,
    body: null,
    answer: answer<{ files: { path: string; sizeBytes: number; digest: string }[] }>('By path'),
  },
  releases: {
    ...addresses.releases,
    summary: 'Releases, newest first',
    params: environmentParams,
    query: nothing,
    body: null,
    answer: answer<{ releases: ReleaseView[] }>('Newest first'),
  },
  release: {
    ...addresses.release,
    summary: 'One release: version, configuration and variables',
    params: deploymentParams,
    query: nothing,
    body: null,
    answer: answer<Release & { directory: string | null }>('Whole, with where its code lies'),
  },
  logs: {
    ...addresses.logs,
    summary: 'The last lines of every instance, of one, or of the newest run of a hook',
    params: environmentParams,
    query: z.strictObject({
      instance: z.string().optional(),
      hook: z.enum(hookNames).optional(),
      tail: z.coerce.number().int().min(0).max(100_000).default(100),
    }),
    body: null,
    answer: answer<{ instances: { instance: string; release: number; lines: string[] }[] }>(
      'By instance, oldest instance first',
    ),
  },
  events: {
    ...addresses.events,
    summary: 'Events, oldest first',
    params: nothing,
    query: z.strictObject({
      environment: z.string().optional(),
      after: z.coerce.number().int().min(0).default(0),
      limit: z.coerce.number().int().min(1).max(10_000).default(100),
    }),
    body: null,
    answer: answer<{ events: BelayEvent[] }>('The newest `limit` after `after`'),
  },
  ...cacheRoutes,
  ...environmentRoutes,
  ...instanceRoutes,
  ...lifecycleRoutes,
  ...metricRoutes,
  ...signingRoutes,
} as const satisfies Record<string, Route>;

export type RouteName = keyof typeof routes;
export type AnswerOf<Name extends RouteName> =
  (typeof routes)[Name]['answer'] extends Answer<infer T> ? T : never;
