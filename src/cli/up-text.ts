import { PRODUCTION } from '../model/environment.ts';
import type { DaemonView, DeploymentView, EnvironmentView } from '../model/view.ts';
import type { Context } from './context.ts';
import { type Project, shortPath } from './project.ts';
import { formatDuration, formatPlural } from './quantity.ts';
import { selfCommand } from './self.ts';
import { settingsOf } from './settings.ts';

/** What a newcomer sees first: what was found, where it runs, and what to do next. */

const DEFAULT_PORT = 8080;
const FACT_COLUMNS = 12;

/** Before anything is started: what will run, and why this. */
export function renderFound(context: Context, project: Project): string[] {
  const { paint } = context.stderr;
  const { application, environment, configuration, detection, file } = project;
  const { upstream } = configuration.web;
  const settings = settingsOf(configuration);
  const source = file === null ? project.directory : shortPath(context.directory, file);
  const fact = (name: string, value: string) => `  ${paint.dim(name.padEnd(FACT_COLUMNS))}${value}`;
  return [
    `${paint.bold(`${application}/${environment}`)}  ${paint.dim(source)}`,
    ...detection.map(({ what, why }) => fact('found', `${what}: ${why}`)),
    ...(upstream === null
      ? [
          fact('runs', settings.get('web.start') ?? ''),
          fact('instances', instancesText(configuration)),
        ]
      : [fact('sends to', [upstream].flat().join(', '))]),
  ];
}

function instancesText({ web }: Project['configuration']): string {
  const { capacity, zones, group } = web;
  const sleeps = group.idleMs !== null && capacity.desired === 0;
  const count = sleeps ? `as many as are wanted, at most ${capacity.max}` : `${capacity.desired}`;
  return `${count}, in ${zones.length === 1 ? 'zone' : 'zones'} ${zones.join(', ')}`;
}

interface UpPicture {
  view: EnvironmentView;
  deployment: DeploymentView | null;
  /** As it was given. */
  directory: string;
  /** Why the port is not the usual one; null when it is. */
  port: string | null;
}

export function renderUp(
  context: Context,
  { view, deployment, directory, port }: UpPicture,
): string[] {
  const { paint } = context.stdout;
  const self = selfCommand(context);
  const flags = view.environment === PRODUCTION ? '' : ` -e ${view.environment}`;
  const deploy = `${self} deploy${directory === '.' ? '' : ` ${directory}`}${flags}`;
  const next: [string, string][] = [
    [`${self} status`, 'see how it does'],
    [deploy, 'ship a change, and get the receipt'],
    [`${self} down -a ${view.application}${flags}`, 'drain and stop it'],
  ];
  const width = Math.max(...next.map(([line]) => line.length));
  return [
    `${paint.green('✓')} ${paint.bold(`${view.application}/${view.environment} ${verdictOf(view, deployment)}`)}`,
    '',
    `  ${paint.cyan(view.url)}`,
    ...(port === null ? [] : [`  ${paint.dim(port)}`]),
    '',
    'Next:',
    ...next.map(([line, what]) => `  ${line.padEnd(width)}  ${paint.dim(what)}`),
  ];
}

function verdictOf(
  { instances, version }: EnvironmentView,
  deployment: DeploymentView | null,
): string {
  const serving = instances.filter(({ state }) => state === 'in-service');
  const zones = new Set(serving.map(({ zone }) => zone)).size;
  const where =
    serving.length === 0
      ? ''
      : `: ${formatPlural(serving.length, 'instance')} in ${formatPlural(zones, 'zone')}`;
  if (!deployment) return `runs this already${version === null ? '' : `, as ${version}`}${where}.`;
  const took = (deployment.endedAt ?? deployment.startedAt) - deployment.startedAt;
  return `is up${where}, in ${formatDuration(took)}.`;
}

/** Why the edge listens where it does, when that is not where one would look. */
export function describePort(
  { environment }: Context,
  { edge }: DaemonView,
  startedNow: boolean,
): string | null {
  const port = edge?.listeners[0]?.port;
  if (port === undefined || port === DEFAULT_PORT) return null;
  const asked = environment.BELAY_HTTP;
  if (asked === String(port)) return `port ${port}, because BELAY_HTTP says so`;
  if (asked === '0') return `port ${port}, because BELAY_HTTP=0 takes any that is free`;
  if (startedNow) return `port ${port}, because ${asked || DEFAULT_PORT} was in use`;
  return `port ${port}, which the edge took when it started`;
}
