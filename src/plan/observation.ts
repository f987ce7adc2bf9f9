import type { Rollout } from '../model/configuration.ts';
import type { Deployment } from '../model/deployment.ts';
import type { Environment } from '../model/environment.ts';
import type { Group } from '../model/group.ts';
import type { HookRun } from '../model/hook.ts';
import type { Exit, Instance } from '../model/instance.ts';
import type { DeepReport, StandbyHealth, TargetHealth, TargetTraffic } from '../model/target.ts';

/** What a plan is made from: plain data, read at one moment. */

export interface ObservedInstance extends Instance {
  /** What the runtime says; null when it has no such slot. */
  slot: ObservedSlot | null;
  /** What the edge says; null when it has no such target, or cannot be asked. */
  target: ObservedTarget | null;
}

export interface ObservedSlot {
  running: boolean;
  listening: boolean;
  port: number;
  exit: Exit | null;
  /** How long its bootstrap took; null while it has not passed, and where there is none. */
  bootstrapMs: number | null;
  /** Its program was not started yet. */
  isBootstrapping: boolean;
}

export interface ObservedTarget {
  health: TargetHealth;
  description: string;
  /** When it came into this health. */
  since: number;
  inFlight: number;
  tunnels: number;
  /** Why the edge leaves it out for a while although it passes its checks; null when it does not. */
  ejection: string | null;
  /** What it says of what it depends on; null when it has not been asked. */
  deep: DeepReport | null;
  /** Since when its deep check fails without a pass between; left out while it does not. */
  deepFailingSince?: number;
  /** Of a standby one alone, from an edge that tells it: what its checks say meanwhile. */
  standby?: StandbyHealth;
}

/** What the planner needs of a release. */
export interface ReleaseNeeds {
  number: number;
  zones: readonly string[];
  drainMs: number;
  /** A fixed address: there is nothing to launch. */
  upstream: boolean;
  rollout: Rollout;
  /** How its instances are kept. */
  group: Group;
}

/** An instance that ended by itself. */
export interface Failure {
  instance: string;
  release: number;
  launchedAt: number;
  at: number;
  /** How long it had been in service, or, where it never was, fit for it; null when it was neither. */
  servedMs: number | null;
  cause: string;
  /** Somebody, or nobody in time, has said that it must not take traffic. */
  abandoned?: true;
}

/** A hook of the running deployment. */
export interface ObservedHook extends HookRun {
  /** What the runtime says; null when it has no such slot. */
  slot: { running: boolean; exit: Exit | null } | null;
  /** What a build makes; null for other hooks. `elsewhere`: another deployment is making it. */
  image: 'missing' | 'elsewhere' | 'there' | null;
}

export interface Observation {
  environment: Environment;
  /** The running deployment. */
  deployment: Deployment | null;
  /** Of the running deployment, in its order. */
  hooks: readonly ObservedHook[];
  releases: ReadonlyMap<number, ReleaseNeeds>;
  /** Live instances only. */
  instances: readonly ObservedInstance[];
  /** The target of a fixed address, when the goal is one; of several, one that is healthy. */
  fixed: ObservedTarget | null;
  /** Of fixed addresses, those that are not healthy, and why: a sentence each. */
  fixedOut?: readonly string[];
  /** The newest snapshot in force at the edge; null when the edge cannot be asked. */
  acknowledgedSnapshot: number | null;
  /** What has passed through each target since the deployment began; empty where none is judged. */
  traffic: readonly TargetTraffic[];
  /** Recent ones, oldest first. */
  failures: readonly Failure[];
}
