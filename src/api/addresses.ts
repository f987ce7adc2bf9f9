import { cacheAddresses } from './cache-addresses.ts';
import { environmentAddresses } from './environment-addresses.ts';
import { instanceAddresses } from './instance-addresses.ts';
import { lifecycleAddresses } from './lifecycle-addresses.ts';
import { metricAddresses } from './metric-addresses.ts';
import { signingAddresses } from './signing-addresses.ts';

/**
 * Where each route is: the part of the table (`routes.ts`) that a client needs, apart from the
 * schemas, which take longer to load than all else in a command.
 */

export interface Address {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** With `:name` for what varies. */
  path: string;
}

export const addresses = {
  daemon: { method: 'GET', path: '/v1/daemon' },
  stopDaemon: { method: 'POST', path: '/v1/daemon/stop' },
  upgradeEdge: { method: 'POST', path: '/v1/edge/upgrade' },
  edgeSettings: { method: 'GET', path: '/v1/edge/settings' },
  setEdgeSettings: { method: 'PUT', path: '/v1/edge/settings' },
  ledger: { method: 'GET', path: '/v1/ledger' },
  traffic: { method: 'GET', path: '/v1/traffic' },
  environments: { method: 'GET', path: '/v1/environments' },
  environment: { method: 'GET', path: '/v1/applications/:application/environments/:environment' },
  bundle: { method: 'GET', path: '/v1/bundles/:digest' },
  putBundle: { method: 'PUT', path: '/v1/bundles/:digest' },
  deploy: {
    method: 'POST',
    path: '/v1/applications/:application/environments/:environment/deployments',
  },
  deployments: {
    method: 'GET',
    path: '/v1/applications/:application/environments/:environment/deployments',
  },
  deployment: {
    method: 'GET',
    path: '/v1/applications/:application/environments/:environment/deployments/:number',
  },
  abort: { method: 'POST', path: '/v1/applications/:application/environments/:environment/abort' },
  promote: {
    method: 'POST',
    path: '/v1/applications/:application/environments/:environment/promote',
  },
  rollback: {
    method: 'POST',
    path: '/v1/applications/:application/environments/:environment/rollback',
  },
  restart: {
    method: 'POST',
    path: '/v1/applications/:application/environments/:environment/restart',
  },
  forecast: {
    method: 'POST',
    path: '/v1/applications/:application/environments/:environment/forecast',
  },
  tickets: {
    method: 'GET',
    path: '/v1/applications/:application/environments/:environment/queue',
  },
  cancel: {
    method: 'POST',
    path: '/v1/applications/:application/environments/:environment/queue/:number/cancel',
  },
  freeze: {
    method: 'POST',
    path: '/v1/applications/:application/environments/:environment/freeze',
  },
  unfreeze: {
    method: 'POST',
    path: '/v1/applications/:application/environments/:environment/unfreeze',
  },
  scale: { method: 'POST', path: '/v1/applications/:application/environments/:environment/scale' },
  scaling: {
    method: 'GET',
    path: '/v1/applications/:application/environments/:environment/scaling',
  },
  terminate: {
    method: 'POST',
    path: '/v1/applications/:application/environments/:environment/terminate',
  },
  variables: {
    method: 'GET',
    path: '/v1/applications/:application/environments/:environment/variables',
  },
  setVariables: {
    method: 'PATCH',
    path: '/v1/applications/:application/environments/:environment/variables',
  },
  versions: { method: 'GET', path: '/v1/applications/:application/versions' },
  prune: { method: 'POST', path: '/v1/applications/:application/versions/prune' },
  versionFiles: { method: 'GET', path: '/v1/applications/:application/versions/:label/files' },
  releases: {
    method: 'GET',
    path: '/v1/applications/:application/environments/:environment/releases',
  },
  release: {
    method: 'GET',
    path: '/v1/applications/:application/environments/:environment/releases/:number',
  },
  logs: { method: 'GET', path: '/v1/applications/:application/environments/:environment/logs' },
  events: { method: 'GET', path: '/v1/events' },
  ...cacheAddresses,
  ...environmentAddresses,
  ...instanceAddresses,
  ...lifecycleAddresses,
  ...metricAddresses,
  ...signingAddresses,
} as const satisfies Record<string, Address>;

/**
 * Beside the table: `GET /metrics`, for Prometheus, and streams of server-sent events.
 *
 * `GET /v1/events/stream?environment=` — `id` is the event's number, `data` a BelayEvent; replays
 * from `Last-Event-ID`.
 * `GET /v1/applications/:application/environments/:environment/logs/stream?instance=&hook=` — `data`
 * is `{ instance, line }`; no replay.
 */
export const streams = {
  events: '/v1/events/stream',
  logs: '/v1/applications/:application/environments/:environment/logs/stream',
} as const;
