import { Fault, type FaultJson } from '../kernel/fault.ts';
import type { EnvironmentKey } from '../model/environment.ts';
import type { LedgerReading } from '../model/ledger.ts';
import type { Snapshot } from '../model/snapshot.ts';
import type { TargetTraffic } from '../model/target.ts';
import type { EdgeEvent, EdgeStatus } from './driver.ts';

/**
 * What the control plane and the supervisor say to each other: JSON lines over `edge/control.sock`.
 * Requests carry a number and may be answered in any order; events come unasked.
 */

export interface ControlMethods {
  /** Answers when the current generation accepts connections. */
  ready: { params: null; result: EdgeStatus };
  status: { params: null; result: EdgeStatus };
  /** Answers at once. */
  alive: { params: null; result: null };
  /** `again`: the same driver asks a second time, because the first answer was cut off. */
  publish: { params: { snapshot: Snapshot; again: boolean }; result: null };
  ledger: { params: null; result: LedgerReading };
  traffic: { params: null; result: TargetTraffic[] };
  quietMs: { params: null; result: Record<EnvironmentKey, number> };
  /** Answers when the new supervisor is about to take over: connect again, and ask for `ready`. */
  upgrade: { params: null; result: null };
  /** From the new supervisor to the old: let go of the home, then exit. */
  'hand-over': { params: null; result: null };
  stop: { params: { drainMs: number }; result: null };
}
export type ControlMethod = keyof ControlMethods;

export interface ControlRequest<Method extends ControlMethod = ControlMethod> {
  id: number;
  method: Method;
  params: ControlMethods[Method]['params'];
}

export type FromSupervisor =
  | { id: number; result: unknown }
  | { id: number; fault: FaultJson }
  | { event: EdgeEvent };

export function faultFromJson(json: FaultJson): Fault {
  return new Fault({ ...json });
}
