import type { EdgeDriver } from '../edge/driver.ts';
import type { Clock } from '../kernel/clock.ts';
import { Fault } from '../kernel/fault.ts';
import type { Capacity } from '../model/configuration.ts';
import { type EnvironmentKey, environmentKey, environmentMachine } from '../model/environment.ts';
import type { Freeze } from '../model/freeze.ts';
import type { LifecycleAnswer } from '../model/instance-wait.ts';
import { parseName } from '../model/name.ts';
import type { DeploymentRequest, Ticket } from '../model/ticket.ts';
import type { DeploymentView, Outcome, TicketView } from '../model/view.ts';
import type { BundleCare } from './bundle-care.ts';
import { type CircumstanceParts, circumstancesOf } from './circumstances.ts';
import { closedFault, gateFor } from './deployment-gate.ts';
import { DeploymentQueue } from './deployment-queue.ts';
import { DeploymentRequests, type Readings, type Where } from './deployment-requests.ts';
import { DeploymentStart } from './deployment-start.ts';
import type { EventFeed } from './event-feed.ts';
import { freezeEnvironment, unfreezeEnvironment } from './freezing.ts';
import {
  protectInstances,
  putOnStandby,
  replaceInstance,
  resumeInstance,
} from './instance-requests.ts';
import { abortDeployment, promoteDeployment } from './interventions.ts';
import { answerWait, heartbeatWait } from './lifecycle-answers.ts';
import { busyFault, terminating } from './refusals.ts';
import { scaleEnvironment } from './scaling-by-hand.ts';
import { ticketView } from './views.ts';

/** What people ask for. Each is checked whole, then written down at once; the loop does the rest. */

/** How a deployment is asked for. */
export interface Manner {
  by: string | null;
  message: string | null;
  /** Go ahead although it is frozen, out of its window, or not advisable. */
  force: boolean;
  /** Where it cannot start now: refuse it, queue it, or queue it in the place of waiting deploys. */
  otherwise: 'refuse' | 'queue' | 'replace';
}

export interface OperationParts extends CircumstanceParts {
  edge: EdgeDriver;
  care: BundleCare;
  feed: EventFeed;
  clock: Clock;
  wake: (environment: string) => void;
}

export class Operations {
  readonly #parts: OperationParts;
  readonly #starts: DeploymentStart;
  readonly #requests: DeploymentRequests;
  readonly #queue: DeploymentQueue;

  constructor(parts: OperationParts) {
    this.#parts = parts;
    this.#starts = new DeploymentStart(parts);
    this.#requests = new DeploymentRequests({ ...parts, starts: this.#starts });
    this.#queue = new DeploymentQueue(parts);
  }

  /** Starts a deployment, or queues it where the manner says so. */
  async ask(where: Where, request: DeploymentRequest, manner: Manner): Promise<Outcome> {
    const { records } = this.#parts;
    const key = environmentKey(where.application, where.environment);
    if (request.kind !== 'deploy') records.environment(key);
    else {
      parseName('application', where.application);
      parseName('environment', where.environment);
    }
    const letGo = await this.#parts.care.requireWhole(key, request);
    const readings = await this.#read(key);
    const outcome = this.#write(key, (): Outcome => {
      const { hindrance, overrides } = this.#hindrance(key, request, manner);
      if (hindrance) {
        const idle = hindrance.code !== 'operation-in-progress';
        // Nothing new is asked for: what runs may be told so at any time.
        const same = idle && this.#requests.changesNothing(where, request);
        const ticket = same ? null : this.#enqueue(key, request, manner, hindrance);
        return { deployment: null, ticket };
      }
      const { by, message, force } = manner;
      const asked = { by, message, overrides };
      const begun = this.#requests.begin(where, request, asked, force, readings);
      if (begun === null) return { deployment: null, ticket: null };
      const { started, advice } = begun;
      return { deployment: started, ticket: null, ...(advice.length > 0 && { advice }) };
    });
    letGo();
    return outcome;
  }

  /**
   * Starts what waits first and may start now, if nothing runs.
   *
   * @returns whether anything has changed
   */
  async startNext(key: EnvironmentKey): Promise<boolean> {
    const { records } = this.#parts;
    const environment = records.find(key);
    if (!environment || records.waiting(key).length === 0) return false;
    if (environment.status === 'terminating' || environment.status === 'terminated') {
      this.#queue.cancelAll(key);
      return true;
    }
    const next = this.#queue.next(environment);
    if (records.runningDeployment(key) || !next) return false;
    const flaw = await this.#parts.care.flawOf(key, next.request);
    const readings = await this.#read(key);
    const ticket = records.runningDeployment(key) ? undefined : this.#queue.next(environment);
    if (ticket?.number !== next.number) return false;
    if (flaw) this.#write(key, () => this.#queue.refused(ticket, flaw));
    else this.#startWaiting(ticket, readings);
    return true;
  }

  tickets(application: string, name: string, limit: number): TicketView[] {
    const { records } = this.#parts;
    const { key } = records.environment(environmentKey(application, name));
    return records.tickets(key, limit).map(ticketView);
  }

  cancel(application: string, name: string, number: number, by: string | null): TicketView {
    return ticketView(this.#queue.cancel(application, name, number, by));
  }

  freeze(application: string, name: string, freeze: Omit<Freeze, 'since'>): void {
    freezeEnvironment(environmentKey(application, name), freeze, this.#parts);
  }

  unfreeze(application: string, name: string, by: string | null): void {
    unfreezeEnvironment(environmentKey(application, name), by, this.#parts);
  }

  abort(application: string, name: string): DeploymentView {
    return abortDeployment(environmentKey(application, name), this.#parts);
  }

  promote(application: string, name: string): DeploymentView {
    return promoteDeployment(environmentKey(application, name), this.#parts);
  }

  /** @throws `bad-capacity`, `overcommitted` */
  scale(application: string, name: string, change: Partial<Capacity>, force = false): void {
    scaleEnvironment(environmentKey(application, name), change, force, this.#parts);
  }

  protect(where: Where, ids: readonly string[], isProtected: boolean, by: string | null): void {
    protectInstances(keyOf(where), ids, isProtected, by, this.#parts);
  }

  standby(where: Where, id: string, substitute: boolean, by: string | null): void {
    putOnStandby(keyOf(where), id, substitute, by, this.#parts);
  }

  resume(where: Where, id: string, by: string | null): void {
    resumeInstance(keyOf(where), id, by, this.#parts);
  }

  replace(where: Where, id: string, by: string | null): void {
    replaceInstance(keyOf(where), id, by, this.#parts);
  }

  answerWait(where: Where, id: string, answer: LifecycleAnswer, by: string | null): void {
    answerWait(keyOf(where), id, answer, by, this.#parts);
  }

  heartbeatWait(where: Where, id: string, by: string | null): void {
    heartbeatWait(keyOf(where), id, by, this.#parts);
  }

  terminate(application: string, name: string): void {
    const { records, feed, wake } = this.#parts;
    const key = environmentKey(application, name);
    const environment = records.environment(key);
    if (environment.status === 'terminating') return;
    const status = environmentMachine.move(key, environment.status, 'terminating');
    records.transaction(() => {
      records.saveEnvironment({ ...environment, status });
      this.#queue.cancelAll(key);
      feed.publish({
        environment: key,
        severity: 'info',
        type: 'environment-terminating',
        message: `${key} is being terminated`,
      });
    });
    wake(key);
  }

  async #read(key: EnvironmentKey): Promise<Readings> {
    const [ledger, circumstances] = await Promise.all([
      this.#starts.readLedger(),
      circumstancesOf(key, this.#parts),
    ]);
    return { ledger, circumstances };
  }

  /** What keeps it from starting now, and what would have but for `force`. */
  #hindrance(
    key: EnvironmentKey,
    request: DeploymentRequest,
    { force }: Manner,
  ): { hindrance: Fault | null; overrides: string[] } {
    const { records, clock } = this.#parts;
    const environment = records.find(key);
    if (!environment || environment.status === 'terminated') {
      return { hindrance: null, overrides: [] };
    }
    if (environment.status === 'terminating') throw terminating(environment);
    const busy = busyFault(environment, records, this.#queue.next(environment));
    if (busy) return { hindrance: busy, overrides: [] };
    const gate = gateFor(environment, request.kind, records, clock.now());
    if (gate.open) return { hindrance: null, overrides: [] };
    if (force) return { hindrance: null, overrides: [gate.why] };
    return { hindrance: closedFault(environment, gate), overrides: [] };
  }

  #enqueue(
    key: EnvironmentKey,
    request: DeploymentRequest,
    { by, message, force, otherwise }: Manner,
    hindrance: Fault,
  ): TicketView {
    const { records } = this.#parts;
    if (otherwise === 'refuse') throw hindrance;
    if (otherwise === 'replace') this.#queue.replaceDeploys(key);
    const asked = { request, by, message, force };
    const ticket = this.#queue.add(records.environment(key), asked, hindrance.message);
    return ticketView(ticket);
  }

  #startWaiting(ticket: Ticket, readings: Readings): void {
    const { records, clock } = this.#parts;
    const { environment: key, request, by, message, force } = ticket;
    const { application, name } = records.environment(key);
    const gate = gateFor(records.environment(key), request.kind, records, clock.now());
    const asked = { by, message, overrides: gate.open ? [] : [gate.why] };
    const where = { application, environment: name };
    try {
      this.#write(key, () => {
        const begun = this.#requests.begin(where, request, asked, force, readings);
        this.#queue.started(ticket, begun?.started ?? null);
      });
    } catch (fault) {
      if (!(fault instanceof Fault)) throw fault;
      this.#write(key, () => this.#queue.refused(ticket, fault));
    }
  }

  #write<T>(key: string, work: () => T): T {
    const result = this.#parts.records.transaction(work);
    this.#parts.wake(key);
    return result;
  }
}

const keyOf = ({ application, environment }: Where): EnvironmentKey =>
  environmentKey(application, environment);
