import {
  type Configuration,
  configurationSchema,
  movesByWeight,
  type Rollout,
  type Variables,
} from '../model/configuration.ts';
import { defaultDomain, PRODUCTION } from '../model/environment.ts';
import { sizes } from '../model/size.ts';
import { DEFAULT_TRAFFIC } from '../model/traffic.ts';
import { ALWAYS, type Windows } from '../model/window.ts';
import type { CommandLine } from './command.ts';
import { contradictions } from './contradiction.ts';
import { DEFAULTS } from './defaults.ts';
import { presetLayer } from './preset-layer.ts';
import type { Complaint } from './reader.ts';
import { chooseCache, keyWithoutCache } from './resolve-cache.ts';
import { chooseGuards } from './resolve-guards.ts';
import { chooseHooks } from './resolve-hooks.ts';
import { chooseGroup, chooseScaling } from './resolve-scaling.ts';
import { chooseTraffic } from './resolve-traffic.ts';
import { boundsCrossed, sameMoments } from './schedule-contradiction.ts';
import type { Definition, Layer } from './schema.ts';

/** Where a value comes from. */
export type Provenance = 'file' | 'default' | 'detected' | 'preset' | 'environment override';

export interface ResolveInput {
  application: string;
  environment: string;
  definition: Definition;
  /** Used where the file names neither `start` nor `upstream`. */
  detected: CommandLine | null;
  /** Schedules are checked against each other from here on. */
  now: number;
}

export interface Resolved {
  /** Null when there is no start command, or values contradict each other. */
  configuration: Configuration | null;
  /** By the paths users write: `web.capacity.min`. */
  provenance: Record<string, Provenance>;
  /** What cannot be right about the values together. */
  complaints: Complaint[];
}

/** One place of several that have a say. */
export interface SourceLayer {
  spec: Layer;
  provenance: Provenance;
}

/** Fills in every value of one environment: override, file, detected, preset or default. */
export function resolveConfiguration(input: ResolveInput): Resolved {
  const layers = layersOf(input);
  const provenance: Record<string, Provenance> = {};
  const choose: Choose = (keyPath, read, otherwise) => {
    for (const layer of layers) {
      const value = read(layer.spec);
      if (value === undefined) continue;
      provenance[keyPath] = layer.provenance;
      return value;
    }
    provenance[keyPath] = 'default';
    return otherwise;
  };

  const source = chooseSource(layers, provenance);
  const health = chooseHealth(choose);
  const { zones, ...capacity } = chooseCapacity(choose);
  const size = choose('web.capacity.size', (spec) => spec.web?.capacity?.size, null);
  const allowed = size === null ? null : sizes[size];
  const web: Configuration['web'] = {
    start: source?.command ?? null,
    bootstrap: choose('hooks.bootstrap', (spec) => spec.hooks?.bootstrap, null),
    upstream: source?.upstream ?? null,
    health,
    capacity,
    zones,
    size,
    limits: {
      memoryBytes: choose('web.memory', (spec) => spec.web?.memory, allowed?.memoryBytes ?? null),
      cpu: choose('web.cpu', (spec) => spec.web?.cpu, allowed?.cpu ?? null),
    },
    concurrency: choose('web.concurrency', (spec) => spec.web?.concurrency, null),
    group: chooseGroup(choose),
    scaling: chooseScaling(choose),
    variables: mergeVariables(layers, source?.variables ?? {}, provenance),
    stopGraceMs: choose('web.stopGrace', (spec) => spec.web?.stopGrace, DEFAULTS.stopGraceMs),
    drainMs: choose('web.drain', (spec) => spec.web?.drain, DEFAULTS.drainMs),
  };
  const domains = chooseDomains(input, provenance);
  const traffic = {
    ...chooseTraffic(choose, defaultAlgorithm(web.upstream)),
    cache: chooseCache(layers, choose, provenance),
    guards: chooseGuards(layers, provenance),
  };
  const rollout = chooseRollout(choose);
  const windows: Windows = {
    ranges: choose('deploy.windows', (spec) => spec.deploy?.windows, [...ALWAYS.ranges]),
    timeZone: choose('deploy.timeZone', (spec) => spec.deploy?.timeZone, ALWAYS.timeZone),
  };
  const hooks = chooseHooks(choose);

  const written = {
    startAndUpstream: layers.some(({ spec }) => spec.web?.start && spec.web.upstream),
    burst: provenance['edge.limits.burst'] !== 'default',
    withoutCache: keyWithoutCache(provenance),
  };
  const { policies } = web.scaling;
  const found = [
    ...contradictions(web, hooks, traffic, written),
    ...(isSmaller(provenance) ? [] : boundsCrossed(policies, web.capacity)),
    ...sameMoments(policies, input.now),
  ];
  const complaints = found.map(({ keyPaths, what, hint }) => {
    // It is the override's doing when it has any part in it.
    const overridden = keyPaths.some((path) => provenance[path] === 'environment override');
    const prefix = overridden ? `environments.${input.environment}.` : '';
    return { keyPath: prefix + keyPaths[0], what, hint };
  });
  const complete = source !== null && complaints.length === 0;
  return {
    configuration: complete
      ? configurationSchema.parse({ web, domains, traffic, rollout, windows, hooks })
      : null,
    provenance,
    complaints,
  };
}

/**
 * An environment that has bounds of its own and the schedules of all, as staging has: max holds there,
 * whatever they set.
 */
function isSmaller(provenance: Record<string, Provenance>): boolean {
  if (provenance['web.scaling.policies'] !== 'file') return false;
  const bounds = [provenance['web.capacity.min'], provenance['web.capacity.max']];
  return bounds.some((from) => from === 'environment override' || from === 'preset');
}

function layersOf({ definition, environment, detected }: ResolveInput): SourceLayer[] {
  const override = definition.environments?.[environment];
  const layers: SourceLayer[] = [{ spec: definition, provenance: 'file' }];
  if (override) layers.unshift({ spec: override, provenance: 'environment override' });
  if (detected) layers.push({ spec: { web: { start: detected } }, provenance: 'detected' });
  const preset = presetLayer(environment, definition);
  if (preset) layers.push({ spec: preset, provenance: 'preset' });
  return layers;
}

/** A list of addresses says which to ask first. */
const defaultAlgorithm = (upstream: Configuration['web']['upstream']) =>
  Array.isArray(upstream) ? 'first' : DEFAULT_TRAFFIC.balancing.algorithm;

interface Source {
  command: string[] | null;
  upstream: Configuration['web']['upstream'];
  variables: Variables;
}

/** `start` and `upstream` exclude each other, so the nearest layer that has either has the say. */
function chooseSource(
  layers: SourceLayer[],
  provenance: Record<string, Provenance>,
): Source | null {
  const layer = layers.find(({ spec }) => spec.web?.start ?? spec.web?.upstream);
  if (!layer) return null;
  const { start, upstream } = layer.spec.web ?? {};
  provenance[start ? 'web.start' : 'web.upstream'] = layer.provenance;
  for (const name of Object.keys(start?.variables ?? {})) {
    provenance[`web.env.${name}`] = layer.provenance;
  }
  return {
    command: start?.command ?? null,
    upstream: upstream ?? null,
    variables: start?.variables ?? {},
  };
}

/** The nearest layer's value, or the default; either way it is noted where it is from. */
export type Choose = <T>(keyPath: string, read: (spec: Layer) => T | undefined, otherwise: T) => T;

function chooseHealth(choose: Choose): Configuration['web']['health'] {
  const defaults = DEFAULTS.health;
  const intervalMs = choose(
    'web.health.interval',
    (spec) => spec.web?.health?.interval,
    defaults.intervalMs,
  );
  return {
    path: choose('web.health.path', (spec) => spec.web?.health?.path, defaults.path),
    matcher: choose('web.health.matcher', (spec) => spec.web?.health?.matcher, {
      ...defaults.matcher,
    }),
    intervalMs,
    timeoutMs: choose(
      'web.health.timeout',
      (spec) => spec.web?.health?.timeout,
      Math.min(defaults.timeoutMs, intervalMs),
    ),
    body: choose('web.health.body', (spec) => spec.web?.health?.body, null),
    deepPath: choose('web.health.deep', (spec) => spec.web?.health?.deep, null),
    healthyThreshold: choose(
      'web.health.healthyThreshold',
      (spec) => spec.web?.health?.healthyThreshold,
      defaults.healthyThreshold,
    ),
    unhealthyThreshold: choose(
      'web.health.unhealthyThreshold',
      (spec) => spec.web?.health?.unhealthyThreshold,
      defaults.unhealthyThreshold,
    ),
  };
}

function chooseCapacity(choose: Choose): Configuration['web']['capacity'] & { zones: string[] } {
  const defaults = DEFAULTS.capacity;
  const min = choose('web.capacity.min', (spec) => spec.web?.capacity?.min, defaults.min);
  const desired = choose('web.capacity.desired', (spec) => spec.web?.capacity?.desired, min);
  const max = choose(
    'web.capacity.max',
    (spec) => spec.web?.capacity?.max,
    Math.max(defaults.max, desired),
  );
  const zones = choose('web.capacity.zones', (spec) => spec.web?.capacity?.zones, [
    ...defaults.zones,
  ]);
  return { min, desired, max, zones };
}

function chooseRollout(choose: Choose): Configuration['rollout'] {
  const defaults = DEFAULTS.rolling;
  const policy = choose('deploy.policy', (spec) => spec.deploy?.policy, 'rolling');
  const keepMs = policy === 'blue-green' ? defaults.keepBlueMs : defaults.keepMs;
  return {
    policy,
    ...chooseBatches(policy, choose),
    ...chooseShares(policy, choose),
    healthyMs: choose(
      'deploy.healthyFor',
      (spec) => spec.deploy?.healthyFor,
      defaults.healthyForMs,
    ),
    startTimeoutMs: choose(
      'deploy.startTimeout',
      (spec) => spec.deploy?.startTimeout,
      defaults.startTimeoutMs,
    ),
    keepMs: choose('deploy.keep', (spec) => spec.deploy?.keep, keepMs),
  };
}

function chooseBatches(
  policy: Rollout['policy'],
  choose: Choose,
): Pick<Rollout, 'batch' | 'extra'> {
  const { batch, extra } = DEFAULTS.rolling;
  if (policy !== 'rolling') return { batch, extra };
  return {
    batch: choose('deploy.batch', (spec) => spec.deploy?.batch, batch),
    extra: choose('deploy.extra', (spec) => spec.deploy?.extra, extra),
  };
}

function chooseShares(
  policy: Rollout['policy'],
  choose: Choose,
): Pick<Rollout, 'percent' | 'bakeMs' | 'minRequests' | 'probes' | 'patienceMs'> {
  const { percent, bakeMs, minRequests, patienceMs } = DEFAULTS.share;
  const probes: string[] = [];
  if (!movesByWeight(policy)) return { percent, bakeMs, minRequests, probes, patienceMs };
  return {
    percent: choose('deploy.percent', (spec) => spec.deploy?.percent, percent),
    bakeMs: choose('deploy.bake', (spec) => spec.deploy?.bake, bakeMs),
    minRequests: choose('deploy.minRequests', (spec) => spec.deploy?.minRequests, minRequests),
    probes: choose('deploy.probes', (spec) => spec.deploy?.probes, probes),
    patienceMs: choose('deploy.patience', (spec) => spec.deploy?.patience, patienceMs),
  };
}

/**
 * Names at the top level are production's: two environments that answered to the same name would
 * take each other's traffic.
 */
function chooseDomains(
  { application, environment, definition }: ResolveInput,
  provenance: Record<string, Provenance>,
): string[] {
  const own = definition.environments?.[environment]?.edge?.domains;
  const top = environment === PRODUCTION ? definition.edge?.domains : undefined;
  provenance['edge.domains'] = own ? 'environment override' : top ? 'file' : 'default';
  return own ?? top ?? [defaultDomain(application, environment)];
}

/** What the command line sets, under what the file sets, under what the environment sets. */
function mergeVariables(
  layers: SourceLayer[],
  fromCommand: Variables,
  provenance: Record<string, Provenance>,
): Variables {
  const variables = { ...fromCommand };
  for (const layer of [...layers].reverse()) {
    for (const [name, value] of Object.entries(layer.spec.web?.env ?? {})) {
      variables[name] = value;
      provenance[`web.env.${name}`] = layer.provenance;
    }
  }
  return variables;
}
