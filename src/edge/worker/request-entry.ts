import type { RequestHead } from '../http/request-head.ts';
import { accessWithoutRule } from './access-log.ts';
import type { RowCounter } from './account.ts';
import type { ClientConnection } from './client-connection.ts';
import type { EdgeContext } from './edge-context.ts';
import { Exchange } from './exchange.ts';
import { hasBeenHere } from './loop-guard.ts';
import { type OwnAnswer, ownAnswers, tooManyRequests, unknownHost } from './own-answers.ts';
import type { ResponseWitness } from './response-relay.ts';
import type { Route } from './route.ts';
import type { Wake } from './wake.ts';

/** The first steps of a request whose form is right: what needs no app is answered here. */
export function enter(edge: EdgeContext, client: ClientConnection, head: RequestHead): void {
  edge.account.accept();
  if (head.target === '*') {
    answerInstead(edge, client, head, ownAnswers.itself);
    return;
  }
  const route = edge.table.find(head.hostName);
  if (route === null) {
    answerInstead(edge, client, head, unknownHost(head.host));
    return;
  }
  if (route.loopName !== '' && hasBeenHere(head, route.loopName)) {
    answerInstead(edge, client, head, ownAnswers.looped, route);
    return;
  }
  const { perClient } = route.admission;
  if (perClient !== null) {
    const nowMs = edge.clock.monotonic();
    const seconds = edge.rates.take(
      route.environment,
      client.forwarded.countedAs,
      perClient,
      nowMs,
    );
    if (seconds > 0) {
      answerInstead(edge, client, head, tooManyRequests(seconds), route);
      return;
    }
  }
  if (route.guards !== null) {
    const refused = route.guards.refuse(head, client.forwarded, edge);
    if (refused !== null) {
      answerInstead(edge, client, head, refused, route);
      return;
    }
  }
  if (route.cache !== null) route.cache.enter(client, head, route);
  else enterApp(edge, client, head, route);
}

/** @param witness told of the answer; null for nobody */
export function enterApp(
  edge: EdgeContext,
  client: ClientConnection,
  head: RequestHead,
  route: Route,
  witness: ResponseWitness | null = null,
): void {
  if (!isAwake(edge, client, head, route)) return;
  const exchange = new Exchange(edge, client, head, route);
  client.goOnAs(exchange);
  exchange.begin(witness);
}

/** False when it has been answered, because nothing runs that could. */
export function isAwake(
  edge: EdgeContext,
  client: ClientConnection,
  head: RequestHead,
  route: Route,
): boolean {
  if (route.wake === null || arrivesAt(route.wake, client, head)) return true;
  answerInstead(edge, client, head, ownAnswers.asleep, route);
  return false;
}

/** False: it is a probe of what sleeps, and nothing is to be started for it. */
function arrivesAt(wake: Wake, client: ClientConnection, head: RequestHead): boolean {
  if (wake.isProbe(head)) return !wake.asleep;
  client.demand = wake.demand;
  client.demand.enter();
  return true;
}

/** Answers a request that goes no further. @param route null where none was found */
export function answerInstead(
  edge: EdgeContext,
  client: ClientConnection,
  head: RequestHead,
  { status, text, fields, outcome }: OwnAnswer,
  route: Route | null = null,
): void {
  const keep = head.body === 0 && client.mayStay(head);
  const row: RowCounter = route?.row ?? edge.account.poolless;
  edge.account.end(row, outcome, status);
  edge.accessLog?.write({
    ...accessWithoutRule(head, client.forwarded.clientOf(head), outcome, status),
    environment: route?.environment ?? '',
  });
  client.answer({ status, text, fields, headOnly: head.method === 'HEAD', close: !keep });
  client.exchangeEnded(keep);
}
