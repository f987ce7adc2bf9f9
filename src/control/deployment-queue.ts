import type { Clock } from '../kernel/clock.ts';
import { Fault, messageOf } from '../kernel/fault.ts';
import { type Environment, type EnvironmentKey, environmentKey } from '../model/environment.ts';
import { type Ticket, type TicketState, ticketMachine } from '../model/ticket.ts';
import type { DeploymentView } from '../model/view.ts';
import { gateFor } from './deployment-gate.ts';
import type { EventFeed } from './event-feed.ts';
import type { Records } from './records.ts';
import { command } from './refusals.ts';

/**
 * The queue of an environment: what waits for the deployment that runs, or for a window. Each ticket
 * is on record before anybody is told of it, and starts by itself, in order, whatever verdict the
 * one before it came to.
 */

const LONGEST_QUEUE = 10;

type NewTicket = Pick<Ticket, 'request' | 'by' | 'message' | 'force'>;

export interface DeploymentQueueParts {
  records: Records;
  feed: EventFeed;
  clock: Clock;
}

export class DeploymentQueue {
  readonly #parts: DeploymentQueueParts;

  constructor(parts: DeploymentQueueParts) {
    this.#parts = parts;
  }

  /** @throws `queue-full` */
  add(environment: Environment, asked: NewTicket, waitsFor: string): Ticket {
    const { records, clock } = this.#parts;
    const { key } = environment;
    const waiting = records.waiting(key);
    if (waiting.length >= LONGEST_QUEUE) {
      throw new Fault({
        code: 'queue-full',
        message: `${waiting.length} deployments of ${key} wait already`,
        subject: key,
        hint: `take one out with: ${command('belay queue cancel N', environment)}, or put yours in the place of those that wait: --replace`,
        retryable: true,
      });
    }
    const ticket: Ticket = {
      environment: key,
      number: (records.tickets(key, 1)[0]?.number ?? 0) + 1,
      ...asked,
      askedAt: clock.now(),
      state: 'waiting',
      reason: null,
      deployment: null,
      endedAt: null,
    };
    records.saveTicket(ticket);
    this.#tell(ticket, 'info', 'deployment-queued', `${nameOf(ticket)} waits: ${waitsFor}`);
    return ticket;
  }

  /** Deploys that wait give way to a newer one; what else waits stays. */
  replaceDeploys(key: EnvironmentKey): void {
    for (const ticket of this.#parts.records.waiting(key)) {
      if (ticket.request.kind !== 'deploy') continue;
      this.#end(ticket, 'replaced', 'a newer deploy took its place');
    }
  }

  /** The first that may start now. */
  next(environment: Environment): Ticket | undefined {
    const { records, clock } = this.#parts;
    const now = clock.now();
    return records
      .waiting(environment.key)
      .find(({ request, force }) => force || gateFor(environment, request.kind, records, now).open);
  }

  started(ticket: Ticket, deployment: DeploymentView | null): void {
    if (deployment === null) this.#end(ticket, 'refused', 'there was nothing left to change');
    else this.#end(ticket, 'started', null, deployment.number);
  }

  refused(ticket: Ticket, fault: unknown): void {
    this.#end(ticket, 'refused', messageOf(fault));
  }

  /** @throws `unknown-ticket`, `ticket-ended` */
  cancel(application: string, name: string, number: number, by: string | null): Ticket {
    const { records } = this.#parts;
    const environment = records.environment(environmentKey(application, name));
    const { key } = environment;
    const ticket = records.tickets(key, 10_000).find((each) => each.number === number);
    if (!ticket) {
      throw new Fault({
        code: 'unknown-ticket',
        message: `nothing has waited at ${key} under number ${number}`,
        subject: key,
        hint: `see what waits with: ${command('belay queue', environment)}`,
      });
    }
    if (ticketMachine.isFinal(ticket.state)) {
      const become = ticket.deployment === null ? '' : ` as ${nameOfStarted(ticket)}`;
      throw new Fault({
        code: 'ticket-ended',
        message: `${nameOf(ticket)} of ${key} does not wait any more: it was ${ticket.state}${become}`,
        subject: key,
        hint:
          ticket.deployment === null
            ? undefined
            : `if it still runs, stop it with: ${command('belay deploy --abort', environment)}`,
      });
    }
    return records.transaction(() =>
      this.#end(ticket, 'cancelled', by === null ? 'on request' : `by ${by}`),
    );
  }

  /** The environment is gone. */
  cancelAll(key: EnvironmentKey): void {
    const { records } = this.#parts;
    if (records.waiting(key).length === 0) return;
    records.transaction(() => {
      for (const ticket of records.waiting(key)) {
        this.#end(ticket, 'cancelled', 'the environment was terminated');
      }
    });
  }

  #end(
    ticket: Ticket,
    to: Exclude<TicketState, 'waiting'>,
    reason: string | null,
    deployment: number | null = null,
  ): Ticket {
    const { records, clock } = this.#parts;
    const state = ticketMachine.move(nameOf(ticket), ticket.state, to);
    const ended: Ticket = { ...ticket, state, reason, deployment, endedAt: clock.now() };
    records.saveTicket(ended);
    if (to !== 'started') {
      const severity = to === 'refused' ? 'warning' : 'info';
      this.#tell(ended, severity, `queued-${to}`, `${nameOf(ticket)} was ${to}: ${reason ?? ''}`);
    }
    return ended;
  }

  #tell({ environment }: Ticket, severity: 'info' | 'warning', type: string, message: string) {
    this.#parts.feed.publish({ environment, severity, type, message });
  }
}

/** `queued deploy 3`: apart from `deploy 3`, which is a deployment's number. */
const nameOf = ({ request, number }: Ticket): string => `queued ${request.kind} ${number}`;

const nameOfStarted = ({ request, deployment }: Ticket): string => `${request.kind} ${deployment}`;
