import type { Deployment } from '../model/deployment.ts';
import type { EdgeSettings } from '../model/edge-settings.ts';
import type { Environment, EnvironmentKey } from '../model/environment.ts';
import type { BelayEvent, NewEvent } from '../model/event.ts';
import type { Instance } from '../model/instance.ts';
import type { Lifecycle } from '../model/lifecycle.ts';
import type { GroupPoint } from '../model/metrics.ts';
import type { Release } from '../model/release.ts';
import type { SavedConfiguration } from '../model/saved-configuration.ts';
import type { ScalingMemory, ScalingRecord } from '../model/scaling-decision.ts';
import type { SigningKeys } from '../model/signing-keys.ts';
import type { JournalEntry, Step } from '../model/step.ts';
import type { Ticket } from '../model/ticket.ts';
import type { Version } from '../model/version.ts';

/** The wall clock beside a clock that nobody can set. */
export interface ClockReading {
  /** Which start of the machine the other clock counts from. */
  bootId: string;
  /** Wall time less that clock's time. */
  aheadMs: number;
}

/**
 * What must survive a crash: desired and observed state, the journal of operations, events. What a
 * call has returned from is on disk; calls inside `transaction` are on disk together or not at all.
 */
export interface Store {
  transaction<T>(work: () => T): T;

  environments(): Environment[];
  saveEnvironment(environment: Environment): void;

  versions(application: string): Version[];
  saveVersion(version: Version): void;

  /** Newest first. */
  releases(environment: EnvironmentKey): Release[];
  saveRelease(release: Release): void;

  /** Live ones, and those that ended after `since` (milliseconds since the epoch). */
  instances(environment: EnvironmentKey, since: number): Instance[];
  instance(id: string): Instance | null;
  saveInstance(instance: Instance): void;

  /** Newest first. */
  deployments(environment: EnvironmentKey, limit: number): Deployment[];
  saveDeployment(deployment: Deployment): void;

  /** Newest first. */
  tickets(environment: EnvironmentKey, limit: number): Ticket[];
  saveTicket(ticket: Ticket): void;

  /** Writes the step down before it is performed; returns the entry's number. */
  planStep(environment: EnvironmentKey, deployment: number | null, step: Step, at: number): number;
  endStep(id: number, state: 'done' | 'failed', at: number, error: string | null): void;
  /** Closes what an earlier life left open; returns how many there were. */
  interruptOpenSteps(at: number): number;
  /** Oldest first. */
  steps(environment: EnvironmentKey, deployment: number): JournalEntry[];

  appendEvent(event: NewEvent, at: number): BelayEvent;
  /** The newest `limit` events after number `after`, oldest first. */
  events(query: { environment?: string; after: number; limit: number }): BelayEvent[];

  /** In no order. */
  savedConfigurations(application: string): SavedConfiguration[];
  /** In the place of all that were there. */
  saveSavedConfigurations(application: string, saved: readonly SavedConfiguration[]): void;

  /** What was set for the edge as a whole; the defaults before anything was. */
  edgeSettings(): EdgeSettings;
  saveEdgeSettings(settings: EdgeSettings): void;
  /** What was last said of an application's versions; the default before anything was. */
  lifecycle(application: string): Lifecycle;
  saveLifecycle(application: string, lifecycle: Lifecycle): void;
  /** Every application that ever had a version. */
  applications(): string[];

  /** Null before the first decision. */
  scalingMemory(environment: EnvironmentKey): ScalingMemory | null;
  saveScalingMemory(environment: EnvironmentKey, memory: ScalingMemory): void;
  /** Newest first. */
  scalingRecords(environment: EnvironmentKey, limit: number): ScalingRecord[];
  /** Returns the number under which it can be saved again. */
  addScalingRecord(environment: EnvironmentKey, record: ScalingRecord): number;
  saveScalingRecord(id: number, record: ScalingRecord): void;

  /** What an environment did in one minute, in the place of what was said of that minute before. */
  saveMinute(environment: EnvironmentKey, point: GroupPoint): void;
  /** Those that ended from then to then, both included; oldest first. */
  minutes(environment: EnvironmentKey, from: number, to: number): GroupPoint[];
  /** Drops those of all environments that ended before the one or after the other. */
  forgetMinutes(before: number, after: number): void;

  /** The key that signs the edge's cookies: the one on record, else this one from now on. */
  cookieKey(fresh: string): string;
  /** None before the first is saved. */
  signingKeys(environment: EnvironmentKey): SigningKeys;
  saveSigningKeys(environment: EnvironmentKey, keys: SigningKeys): void;

  /** How far the wall clock was ahead of the machine's own, when it was last looked at. */
  clockReading(): ClockReading | null;
  saveClockReading(reading: ClockReading): void;

  /** The next routing snapshot's number: grows across lives. */
  nextSnapshotNumber(atLeast: number): number;

  /**
   * Drops what nobody asks for any more: ended instances, the steps of healing and scaling, decisions on
   * capacity, and what has waited, from before `at`. Releases, deployments with their steps, and versions stay.
   */
  forgetBefore(at: number): void;

  close(): void;
}
