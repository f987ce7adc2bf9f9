import type { CacheSpec } from './cache-spec.ts';
import type { GuardsSpec } from './guard-spec.ts';
import type {
  LifecycleSpec,
  ReplacementHealth,
  ScalingPolicySpec,
  ScalingSpec,
  SizeName,
  TerminationCriterion,
} from './scaling-spec.ts';

/**
 * What users write. Every key that exists works; a key that is not here is refused with its path
 * and the nearest key there is.
 */

/** A time with its unit: `'300ms'`, `'5s'`, `'2m'`, `'1h'`, `'1d'`. */
export type Duration = `${number}${'ms' | 's' | 'm' | 'h' | 'd'}`;

/** A size with its unit, in powers of 1024: `'64mb'`, `'1gb'`. */
export type Size = `${number}${'kb' | 'mb' | 'gb'}`;

/** Active health checks, with the meaning they have at a load balancer of AWS. */
export interface HealthSpec {
  /** Asked with GET on every instance. Default `'/'`. */
  path?: string;
  /** Status codes that pass: `'200'`, or a range `'200-399'`. Default `'200-399'`. */
  matcher?: string | number;
  /** Between two checks of one instance. Default `'5s'`. */
  interval?: Duration;
  /** How long an answer may take; at most `interval`. Default `'2s'`, or `interval` if shorter. */
  timeout?: Duration;
  /** The answer must contain this text. */
  body?: string;
  /**
   * Asked as well, for what the app depends on: its answer is shown part by part in `belay status`,
   * and instances keep their traffic whatever it says. A JSON object with `checks`, by name.
   */
  deep?: string;
  /** Checks in a row that bring an unhealthy instance back; a new one needs one. Default 2. */
  healthyThreshold?: number;
  /** Failed checks in a row that make an instance unhealthy. Default 2. */
  unhealthyThreshold?: number;
  /**
   * What gets an instance replaced: `'process'`, only its end; `'edge'`, failed checks as well;
   * `'deep'`, also what it says of what it depends on. Default `'edge'`.
   */
  replace?: ReplacementHealth;
  /** Failed checks so soon after the first pass replace nobody. Default `'0s'`. */
  grace?: Duration;
}

/** How many instances there are, and where. */
export interface CapacitySpec {
  /** Never fewer instances than this. Default 1. */
  min?: number;
  /** How many at the start; `belay scale` changes it later. Default `min`. */
  desired?: number;
  /** Never more instances than this, except while deploying. Default 4, or `desired` if greater. */
  max?: number;
  /** Failure domains over which instances are spread evenly. Default `['a', 'b']`. */
  zones?: string[];
  /** What an instance may use: `cpu` and `memory` by one name. Default: no limit. */
  size?: SizeName;
  /** Instances kept started, without traffic, beyond those desired. Default 0. */
  warm?: number;
  /**
   * Which instance goes first when there are too many, by criteria in turn. Default
   * `['zone', 'oldest-version', 'oldest']`.
   */
  terminate?: TerminationCriterion[];
  /** Nothing runs after this time without a request; the next one starts it. Needs `min: 0`. Default `false`. */
  idle?: false | Duration;
}

/** The tier behind the edge. */
export interface WebSpec {
  /**
   * The program and its arguments: `'node server.js'` or `['node', 'server.js']`. No shell runs
   * it; `$PORT` and other variables are filled in. Without it, it is detected.
   */
  start?: string | string[];
  /**
   * `'http://host:port'` of something Belay does not start, or a list of them: the first that is
   * healthy is asked. Instead of `start`.
   */
  upstream?: string | string[];
  /** How an instance shows that it can serve. */
  health?: HealthSpec;
  /** How many instances there are, and where. */
  capacity?: CapacitySpec;
  /** The most memory an instance may use: `'256mb'`. Default: no limit. */
  memory?: Size;
  /** The most processor time an instance may use, in cores: `0.5` is half of one. Default: no limit. */
  cpu?: number;
  /** Threads or workers inside an instance, which it is told in WEB_CONCURRENCY. Default: not told. */
  concurrency?: number;
  /** How capacity follows the load: policies, or policies and their bounds. Default: it does not. */
  scaling?: ScalingPolicySpec[] | ScalingSpec;
  /** Turns of an instance's life at which it waits for somebody. Default: it does not. */
  lifecycle?: LifecycleSpec;
  /** Environment variables. Belay adds PORT, HOST and BELAY_*. */
  env?: Record<string, string>;
  /** Between SIGTERM and SIGKILL when an instance is stopped. Default `'10s'`. */
  stopGrace?: Duration;
  /** How long open requests and connections may go on when an instance is taken out. Default `'30s'`. */
  drain?: Duration;
}

/**
 * Requests that wait because no instance can take them: none is healthy, or all are at
 * `maxConcurrency`.
 */
export interface QueueSpec {
  /** How many may wait, for each edge worker; one more gets 503. Default 1024. */
  length?: number;
  /** How long one may wait; then it gets 503. Default `'10s'`. */
  wait?: Duration;
}

/**
 * An instance whose answers go wrong is left out for a while although it passes its checks, and for
 * longer each time.
 */
export interface EjectSpec {
  /** So many errors in a row: no connection, a broken or late answer, or a 5xx. Default 5. */
  errors?: number;
  /** How long the first time; at most ten times as long. From `'1s'`. Default `'30s'`. */
  for?: Duration;
  /** Never more of the instances than this share, in per cent. Default 50. */
  maxPercent?: number;
}

/** How long the edge waits for an instance. */
export interface TimeoutsSpec {
  /** From the whole request to the head of the answer; then 504. From `'100ms'`. Default `'60s'`. */
  answer?: Duration;
  /**
   * Without a byte of an answer that has begun, or of a WebSocket; then it is cut. From `'1s'`.
   * Default `'10m'`.
   */
  quiet?: Duration;
}

/** What is refused before it reaches an instance. */
export interface LimitsSpec {
  /** The largest body of a request; more gets 413. Default `'5gb'`. */
  body?: Size;
  /**
   * Requests of one client address (IPv6 by /64), for each edge worker; more get 429. Default: no
   * limit.
   */
  requestsPerSecond?: number;
  /** How many of them at once. Default: those of one second. */
  burst?: number;
}

/** The program that takes the traffic. */
export interface EdgeSpec {
  /**
   * Host names of this application, in lower case: `'shop.localhost'`, `'*.shop.localhost'` for
   * one label below, `'*'` for any. At the top level they are production's. Default
   * `'<application>.localhost'`, and `'<environment>.<application>.localhost'` for the rest.
   */
  domains?: string[];
  /**
   * Which instance gets a request: each in turn, the one with the fewest open requests, one at
   * random, or the first that is healthy and has room. Default `'round-robin'`; `'first'` for a list
   * of upstreams.
   */
  balance?: 'round-robin' | 'least-outstanding' | 'weighted-random' | 'first';
  /** A new instance gets its share by and by over this time, at most `'15m'`. Default `'0s'`. */
  slowStart?: Duration;
  /**
   * A client stays with its instance, by a cookie: for a day, or for this long after its last
   * request. Default `false`.
   */
  sticky?: boolean | Duration;
  /** Requests inside one instance at a time, for each edge worker. Default: no limit. */
  maxConcurrency?: number;
  /** Requests that wait for an instance. */
  queue?: QueueSpec;
  /** When an instance is left out because of its answers; `false`: never. */
  eject?: false | EjectSpec;
  /** How long the edge waits for an instance. */
  timeouts?: TimeoutsSpec;
  /** What is refused before it reaches an instance. */
  limits?: LimitsSpec;
  /**
   * Who may ask for some paths, and how often: `{ '/videos/*': { signed: true } }`. Default `false`,
   * anybody.
   */
  guard?: GuardsSpec;
  /**
   * Which answers are kept for everybody: `true`, those the app allows; or by path, as in
   * `{ '/assets/*': '1d' }`. Default `false`.
   */
  cache?: CacheSpec;
  /**
   * What a deployment does to what is kept: each release has its own (`'switch'`), it is gone
   * (`'purge'`), or it stays (`'keep'`). Default `'switch'`.
   */
  cacheOnDeploy?: 'switch' | 'purge' | 'keep';
  /** Whether text that is kept goes out compressed to who takes it so. Default `false`. */
  compress?: boolean;
}

/** What every deployment policy can be told. */
export interface DeployOptions {
  /** How long a new instance must stay healthy before it counts. Default `'200ms'`. */
  healthyFor?: Duration;
  /** How long an instance may take from its start to its first passed check. Default `'60s'`. */
  startTimeout?: Duration;
  /**
   * How long replaced instances stay warm, so that a rollback is a flip. Default `'5m'` for
   * `blue-green`, `'0s'` for the others.
   */
  keep?: Duration;
  /**
   * When something new may be deployed: `['mon-thu 09:00-17:00', 'fri 09:00-12:00']`. Rollbacks and
   * restarts always may. Default `[]`, always.
   */
  windows?: string[];
  /** Whose clock on the wall that is: `'Europe/Berlin'`. Default `'UTC'`. */
  timeZone?: string;
}

/** How `rolling` replaces instances. */
export interface RollingOptions extends DeployOptions {
  /** Instances replaced at a time, as a number or a share: `'25%'`. Default 1. */
  batch?: number | `${number}%`;
  /** Instances above `desired` while it runs, so that capacity is kept; 0: in place. Default 1. */
  extra?: number | `${number}%`;
}

/** How `canary` and `linear` move traffic, and judge what it was answered. */
export interface ShareOptions extends DeployOptions {
  /** The first share of the traffic, and of `linear` each further step. Default 10. */
  percent?: number;
  /** How long each share is watched before it is judged. Default `'5m'`. */
  bake?: Duration;
  /** Requests of the new release without which there is no judgement. Default 100. */
  minRequests?: number;
  /**
   * Paths that Belay asks the new instances for itself, and those they are compared with, where fewer
   * requests come: by GET, and past the edge. They count for the judgement and in no account.
   */
  probes?: string[];
  /** Where there is none: how long somebody may take to promote or abort. Default `'1h'`. */
  patience?: Duration;
}

/** A deployment policy, by name with its options. */
export type PolicySpec =
  | (RollingOptions & { policy: 'rolling' })
  | (ShareOptions & { policy: 'canary' | 'linear' })
  | (DeployOptions & { policy: 'all-at-once' | 'immutable' | 'blue-green' });

export type DeploySpec = PolicySpec | PolicySpec['policy'];

/** A command that is run to its end, and what it may take. */
export interface HookOptions {
  /** The program and its arguments, as `start` has them. */
  run: string | string[];
  /** It is ended when it is not done by then. From `'1s'`. Default `'10m'`. */
  timeout?: Duration;
  /** The most memory it may use. Default `'2gb'` for `build`, `'512mb'` for the others. */
  memory?: Size;
  /** The most processor time it may use, in cores. Default 1. */
  cpu?: number;
}

/** How `postdeploy` is run. */
export interface PostdeployOptions extends HookOptions {
  /** `'roll-back'`: the deployment goes back; `'tell'`: it succeeds all the same. Default `'roll-back'`. */
  onFailure?: 'roll-back' | 'tell';
}

/** What is run beside the instances of a release. */
export interface HooksSpec {
  /**
   * Once for each deployment, before any instance starts, with the new release's code and variables.
   * Its failure stops the deployment before anything has changed.
   */
  migrate?: string | string[] | HookOptions;
  /** Once for each deployment, when every instance of the new release serves. */
  postdeploy?: string | string[] | PostdeployOptions;
  /** In every instance before its program, within `startTimeout`. */
  bootstrap?: string | string[];
}

/** What one environment has different. Keys that are left out are as at the top level. */
export interface EnvironmentSpec {
  /**
   * Makes of the sources what instances run, once for each version: the golden image. Has no variables
   * but those written before the command.
   */
  build?: string | string[] | HookOptions;
  /** The tier behind the edge. `env` is merged name by name; lists are replaced whole. */
  web?: WebSpec;
  /** The program that takes the traffic. */
  edge?: EdgeSpec;
  /** How a new version comes into service. */
  deploy?: DeploySpec;
  /** What is run beside the instances of a release. */
  hooks?: HooksSpec;
}

/**
 * Versions that no environment runs, is moving to or could go back to are removed from the disk by
 * these rules.
 */
export interface VersionsSpec {
  /** So many of the newest stay, by when they were last deployed; at most 1000. Default 20. */
  keep?: number;
  /** Of them, none that was deployed longer ago; from `'1d'` to `'3650d'`. Default: whatever their age. */
  maxAge?: Duration;
}

/** An application, apart from its name. */
export interface AppSpec extends EnvironmentSpec {
  /** How many versions stay on the disk, and how long. */
  versions?: VersionsSpec;
  /** What single environments have different, by their names: `{ staging: { … } }`. */
  environments?: Record<string, EnvironmentSpec>;
}

/** An application. Without a name it is called as its directory is. */
export interface AppDefinition extends AppSpec {
  name?: string;
}
