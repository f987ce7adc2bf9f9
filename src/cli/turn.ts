import { Fault } from '../kernel/fault.ts';
import type { Outcome, TicketView } from '../model/view.ts';
import { conclude } from './conclude.ts';
import { answer, type Context } from './context.ts';
import { exitCodes } from './exit-code.ts';
import { liveLine } from './live-line.ts';
import { defaultTimeoutMs, type FollowOptions } from './options.ts';
import { formatDuration } from './quantity.ts';
import { commandFor, type Where } from './where.ts';

/** What follows when a deployment was asked for: it has started, or waits for its turn. */

const POLL_MS = 500;
/** A daemon that died is usually back, and at it again, within seconds. */
const PATIENCE_MS = 30_000;
/** The queue is bounded, and this is more than it holds. */
const TICKETS_READ = 100;

/** Follows it to its end, over the queue too. @throws `not-started`, and what `conclude` throws */
export async function concludeOutcome(
  context: Context,
  where: Where,
  { deployment, ticket, advice = [] }: Outcome,
  options: Partial<FollowOptions>,
  unchanged: string,
): Promise<number> {
  const { paint } = context.stderr;
  for (const { what, instead } of advice) {
    context.stderr.line(`${paint.yellow(`! ${what}`)}; ${instead}`);
  }
  if (deployment) return await conclude(context, where, deployment, options);
  if (ticket) return await waitForTurn(context, where, ticket, options);
  answer(context, { unchanged: true, ...where }, () => [unchanged]);
  return exitCodes.ok;
}

async function waitForTurn(
  context: Context,
  where: Where,
  queued: TicketView,
  options: Partial<FollowOptions>,
): Promise<number> {
  const { clock, interrupt, stderr } = context;
  stderr.line(`${stderr.paint.bold(nameOf(queued))} of ${keyOf(where)} waits for its turn.`);
  if (options.detach) return tellLeft(context, where, queued, exitCodes.ok);
  const startedAt = clock.monotonic();
  const timeoutMs = options.timeout ?? defaultTimeoutMs;
  const live = liveLine(stderr);
  let awaySince: number | null = null;
  try {
    for (;;) {
      const ticket = await readTicket(context, where, queued);
      const waitedMs = clock.monotonic() - startedAt;
      if (ticket instanceof Fault) {
        awaySince ??= waitedMs;
        if (waitedMs - awaySince >= PATIENCE_MS) throw ticket;
      } else if (ticket.state === 'waiting') {
        awaySince = null;
      } else {
        live.clear();
        return await concludeTurn(context, where, ticket, {
          ...options,
          timeout: Math.max(1, timeoutMs - waitedMs),
        });
      }
      if (interrupt.aborted) return tellLeft(context, where, queued, exitCodes.interrupted);
      if (waitedMs >= timeoutMs) throw timedOut(where, queued);
      live.show(`  ${stderr.paint.dim(`waiting for its turn · ${formatDuration(waitedMs)}`)}`);
      await clock.sleep(Math.min(POLL_MS, timeoutMs - waitedMs), interrupt);
    }
  } finally {
    live.clear();
  }
}

/** Its turn has come, or will not. */
async function concludeTurn(
  context: Context,
  where: Where,
  ticket: TicketView,
  options: Partial<FollowOptions>,
): Promise<number> {
  if (ticket.deployment === null) {
    throw new Fault({
      code: 'not-started',
      message: `${nameOf(ticket)} of ${keyOf(where)} was ${ticket.state}: ${ticket.reason ?? 'nobody said why'}`,
      subject: keyOf(where),
      hint: `see what waits with: ${commandFor('queue', where)}`,
    });
  }
  const params = { ...where, number: ticket.deployment };
  const deployment = await context.client().call('deployment', { params });
  return await conclude(context, where, deployment, options);
}

/** The ticket, or the Fault that says the daemon is away. */
async function readTicket(
  context: Context,
  where: Where,
  queued: TicketView,
): Promise<TicketView | Fault> {
  try {
    const { tickets } = await context
      .client()
      .call('tickets', { params: where, query: { limit: TICKETS_READ } });
    return tickets.find(({ number }) => number === queued.number) ?? queued;
  } catch (thrown) {
    if (thrown instanceof Fault && thrown.code === 'daemon-unreachable') return thrown;
    throw thrown;
  }
}

function tellLeft(context: Context, where: Where, ticket: TicketView, code: number): number {
  const { kind, number } = ticket;
  if (context.json) {
    context.stdout.line(JSON.stringify({ detached: true, ...where, queued: number, kind }));
    return code;
  }
  context.stderr.line(`Left: ${nameOf(ticket)} waits on without you.`);
  context.stderr.line(`  See it:      ${commandFor('queue', where)}`);
  context.stderr.line(`  Take it out: ${commandFor(`queue cancel ${number}`, where)}`);
  return code;
}

function timedOut(where: Where, ticket: TicketView): Fault {
  return new Fault({
    code: 'timed-out',
    message: `the turn of ${nameOf(ticket)} did not come in time; it waits on`,
    subject: keyOf(where),
    hint: `see what it waits for with: ${commandFor('queue', where)}`,
    retryable: true,
  });
}

/** Apart from `deploy 3`, which is the number of a deployment. */
export const nameOf = ({ kind, number }: TicketView): string => `queued ${kind} ${number}`;

const keyOf = ({ application, environment }: Where): string => `${application}/${environment}`;
