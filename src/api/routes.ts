import { z } from 'zod';
import { configurationSchema, variablesSchema } from '../model/configuration.ts';
import type { BelayEvent } from '../model/event.ts';
import type { LedgerReading } from '../model/ledger.ts';
import type { Release } from '../model/release.ts';
import type { Version } from '../model/version.ts';
import type {
  DaemonView,
  DeploymentDetail,
  DeploymentView,
  EnvironmentView,
  ReleaseView,
} from '../model/view.ts';

/**
 * The one table of the API. The server, the typed client and the OpenAPI document are all made from
 * it, so they cannot disagree. A response's type is the model's; its shape is described for readers.
 */

/** Marks what a route answers with. */
interface Answer<T> {
  readonly type?: T;
  readonly description: string;
}
const answer = <T>(description: string): Answer<T> => ({ description });

const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/);
const environmentParams = z.strictObject({ application: z.string(), environment: z.string() });
const deploymentParams = environmentParams.extend({ number: z.coerce.number().int().min(1) });
const nothing = z.strictObject({});

/** Where a version's bundle comes from, as the client found it. */
const versionInput = z.strictObject({
  digest,
  files: z.int().min(0),
  sizeBytes: z.int().min(0),
  author: z.string().max(200).nullable(),
  commit: z.string().max(100).nullable(),
});

export interface Route {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH';
  path: string;
  summary: string;
  params: z.ZodObject;
  query: z.ZodObject;
  body: z.ZodType | null;
  answer: Answer<unknown>;
}

export const routes = {
  daemon: {
    method: 'GET',
    path: '/v1/daemon',
    summary: 'The daemon and its edge',
    params: nothing,
    query: nothing,
    body: null,
    answer: answer<DaemonView>('Process ids, listeners, workers'),
  },
  stopDaemon: {
    method: 'POST',
    path: '/v1/daemon/stop',
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
    method: 'POST',
    path: '/v1/edge/upgrade',
    summary: 'Start a new generation of the edge on the same listeners',
    params: nothing,
    query: nothing,
    body: nothing,
    answer: answer<DaemonView>('The daemon and its new edge'),
  },
  ledger: {
    method: 'GET',
    path: '/v1/ledger',
    summary: 'The cumulative account of every request',
    params: nothing,
    query: nothing,
    body: null,
    answer: answer<LedgerReading>('A reading; a receipt is the difference of two'),
  },
  environments: {
    method: 'GET',
    path: '/v1/environments',
    summary: 'Every environment that is not terminated',
    params: nothing,
    query: z.strictObject({ application: z.string().optional() }),
    body: null,
    answer: answer<{ environments: EnvironmentView[] }>('Status, health and instances'),
  },
  environment: {
    method: 'GET',
    path: '/v1/applications/:application/environments/:environment',
    summary: 'One environment',
    params: environmentParams,
    query: nothing,
    body: null,
    answer: answer<EnvironmentView>('Status, health and instances'),
  },
  bundle: {
    method: 'GET',
    path: '/v1/bundles/:digest',
    summary: 'Whether a bundle is already there',
    params: z.strictObject({ digest }),
    query: nothing,
    body: null,
    answer: answer<{ present: boolean }>('Present or not'),
  },
  putBundle: {
    method: 'PUT',
    path: '/v1/bundles/:digest',
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
    method: 'POST',
    path: '/v1/applications/:application/environments/:environment/deployments',
    summary: 'Deploy a version and a configuration; makes the environment if there is none',
    params: environmentParams,
    query: nothing,
    body: z.strictObject({
      configuration: configurationSchema,
      /** Null for a fixed address. */
      version: versionInput.nullable(),
      message: z.string().max(1000).nullable().default(null),
      /** Without a change to deploy: refuse, or do nothing and say so. */
      unchanged: z.enum(['deploy', 'skip']).default('deploy'),
    }),
    answer: answer<{ deployment: DeploymentView | null }>('Started; null when skipped'),
  },
  deployments: {
    method: 'GET',
    path: '/v1/applications/:application/environments/:environment/deployments',
    summary: 'Deployments, newest first',
    params: environmentParams,
    query: z.strictObject({ limit: z.coerce.number().int().min(1).max(1000).default(20) }),
    body: null,
    answer: answer<{ deployments: DeploymentView[] }>('Newest first'),
  },
  deployment: {
    method: 'GET',
    path: '/v1/applications/:application/environments/:environment/deployments/:number',
    summary: 'One deployment with its steps from the journal',
    params: deploymentParams,
    query: nothing,
    body: null,
    answer: answer<DeploymentDetail>('With steps'),
  },
  abort: {
    method: 'POST',
    path: '/v1/applications/:application/environments/:environment/abort',
    summary: 'Abort the running deployment: the fleet goes back',
    params: environmentParams,
    query: nothing,
    body: nothing,
    answer: answer<{ deployment: DeploymentView }>('Going back'),
  },
  rollback: {
    method: 'POST',
    path: '/v1/applications/:application/environments/:environment/rollback',
    summary: 'Go back to an earlier release: code and configuration together',
    params: environmentParams,
    query: nothing,
    body: z.strictObject({
      /** A version label or a release number; null for the last release that was different. */
      to: z.union([z.string(), z.int()]).nullable().default(null),
    }),
    answer: answer<{ deployment: DeploymentView }>('Started'),
  },
  restart: {
    method: 'POST',
    path: '/v1/applications/:application/environments/:environment/restart',
    summary: 'Replace every instance by a new one of the same version and configuration',
    params: environmentParams,
    query: nothing,
    body: nothing,
    answer: answer<{ deployment: DeploymentView }>('Started'),
  },
  scale: {
    method: 'POST',
    path: '/v1/applications/:application/environments/:environment/scale',
    summary: 'Change the capacity',
    params: environmentParams,
    query: nothing,
    body: z.strictObject({
      desired: z.int().min(0).max(10_000).optional(),
      min: z.int().min(0).max(10_000).optional(),
      max: z.int().min(1).max(10_000).optional(),
    }),
    answer: answer<EnvironmentView>('With the new capacity; instances follow'),
  },
  terminate: {
    method: 'POST',
    path: '/v1/applications/:application/environments/:environment/terminate',
    summary: 'Drain and stop every instance and give up the names',
    params: environmentParams,
    query: nothing,
    body: nothing,
    answer: answer<EnvironmentView>('Terminating'),
  },
  variables: {
    method: 'GET',
    path: '/v1/applications/:application/environments/:environment/variables',
    summary: 'Environment variables, where each comes from',
    params: environmentParams,
    query: nothing,
    body: null,
    answer: answer<{
      variables: { name: string; value: string; source: 'configuration' | 'environment' }[];
    }>('Values in the clear: the socket is the owner’s alone'),
  },
  setVariables: {
    method: 'PATCH',
    path: '/v1/applications/:application/environments/:environment/variables',
    summary: 'Set and remove environment variables: a deployment like any other',
    params: environmentParams,
    query: nothing,
    body: z.strictObject({ set: variablesSchema, unset: z.array(z.string()) }),
    answer: answer<{ deployment: DeploymentView | null }>('Null when nothing changed'),
  },
  versions: {
    method: 'GET',
    path: '/v1/applications/:application/versions',
    summary: 'Versions, newest first',
    params: z.strictObject({ application: z.string() }),
    query: nothing,
    body: null,
    answer: answer<{ versions: (Version & { runningIn: string[] })[] }>('Newest first'),
  },
  versionFiles: {
    method: 'GET',
    path: '/v1/applications/:application/versions/:label/files',
    summary: 'The files of a version with their digests',
    params: z.strictObject({ application: z.string(), label: z.string() }),
    query: nothing,
    body: null,
    answer: answer<{ files: { path: string; sizeBytes: number; digest: string }[] }>('By path'),
  },
  releases: {
    method: 'GET',
    path: '/v1/applications/:application/environments/:environment/releases',
    summary: 'Releases, newest first',
    params: environmentParams,
    query: nothing,
    body: null,
    answer: answer<{ releases: ReleaseView[] }>('Newest first'),
  },
  release: {
    method: 'GET',
    path: '/v1/applications/:application/environments/:environment/releases/:number',
    summary: 'One release: version, configuration and variables',
    params: deploymentParams,
    query: nothing,
    body: null,
    answer: answer<Release & { directory: string | null }>('Whole, with where its code lies'),
  },
  logs: {
    method: 'GET',
    path: '/v1/applications/:application/environments/:environment/logs',
    summary: 'The last lines of every instance, or of one',
    params: environmentParams,
    query: z.strictObject({
      instance: z.string().optional(),
      tail: z.coerce.number().int().min(0).max(100_000).default(100),
    }),
    body: null,
    answer: answer<{ instances: { instance: string; release: number; lines: string[] }[] }>(
      'By instance, oldest instance first',
    ),
  },
  events: {
    method: 'GET',
    path: '/v1/events',
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
} as const satisfies Record<string, Route>;

export type RouteName = keyof typeof routes;
export type AnswerOf<Name extends RouteName> =
  (typeof routes)[Name]['answer'] extends Answer<infer T> ? T : never;

/**
 * Streams, beside the table: server-sent events.
 *
 * `GET /v1/events/stream?environment=` — `id` is the event's number, `data` a BelayEvent; replays
 * from `Last-Event-ID`.
 * `GET /v1/applications/:application/environments/:environment/logs/stream?instance=` — `data` is
 * `{ instance, line }`; no replay.
 */
export const streams = {
  events: '/v1/events/stream',
  logs: '/v1/applications/:application/environments/:environment/logs/stream',
} as const;
