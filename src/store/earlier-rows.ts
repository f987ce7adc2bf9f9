import { NO_CACHE_PURGES } from '../model/cache-purges.ts';
import { configurationSchema, rolloutSchema } from '../model/configuration.ts';
import type { Deployment } from '../model/deployment.ts';
import { DEFAULT_EDGE_SETTINGS, type EdgeSettings } from '../model/edge-settings.ts';
import type { Environment } from '../model/environment.ts';
import type { Release } from '../model/release.ts';
import type { Ticket } from '../model/ticket.ts';

/** Rows that an earlier Belay wrote, completed: what there was not yet has its default. */

/** Until 0.1.0 no names were swapped, nothing was cached, and nobody noted when an environment ended. */
export function completeEnvironment(environment: Environment): Environment {
  return {
    ...environment,
    names: environment.names ?? null,
    terminatedAt: environment.terminatedAt ?? null,
    cachePurges: environment.cachePurges ?? NO_CACHE_PURGES,
  };
}

export function completeRelease(release: Release): Release {
  return { ...release, configuration: configurationSchema.parse(release.configuration) };
}

/** Until 0.1.0 answers were not told by their class, no traffic moved by weight, nothing had hooks. */
export function completeDeployment(deployment: Deployment): Deployment {
  const { ledgerAtStart, stage, hooks, boot, promoted } = deployment;
  const rows = ledgerAtStart?.rows.map((row) => ({ ...row, answers: row.answers ?? {} }));
  return {
    ...deployment,
    rollout: rolloutSchema.parse(deployment.rollout),
    stage: stage ?? null,
    hooks: hooks ?? [],
    boot: boot ?? null,
    promoted: promoted ?? false,
    by: deployment.by ?? null,
    message: deployment.message ?? null,
    overrides: deployment.overrides ?? [],
    ledgerAtStart: ledgerAtStart && rows ? { ...ledgerAtStart, rows } : null,
  };
}

export function completeEdgeSettings(settings: Partial<EdgeSettings>): EdgeSettings {
  return { ...DEFAULT_EDGE_SETTINGS, ...settings };
}

/** What waits may have waited over an upgrade. */
export function completeTicket(ticket: Ticket): Ticket {
  const { request } = ticket;
  if (request.kind !== 'deploy') return ticket;
  const configuration = configurationSchema.parse(request.configuration);
  return { ...ticket, request: { ...request, configuration } };
}
