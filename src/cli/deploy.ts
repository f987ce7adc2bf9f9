import type { Rollout } from '../model/configuration.ts';
import { attach } from './attach.ts';
import { command } from './command.ts';
import { compareWithRunning, comparisonJson } from './comparison.ts';
import { renderComparison } from './comparison-text.ts';
import { conclude } from './conclude.ts';
import { answer, type Context } from './context.ts';
import { configOption, withSavedConfiguration } from './environment-changes.ts';
import { exitCodes, InputFault } from './exit-code.ts';
import { renderForecast, wouldSucceed } from './forecast-text.ts';
import { type MannerOptions, mannerOf, mannerOptions } from './manner.ts';
import { type EnvironmentOptions, environmentOptions } from './options.ts';
import type { Project } from './project.ts';
import { ship } from './ship.ts';
import { openSource, type Source } from './source.ts';
import { concludeOutcome } from './turn.ts';
import { chooseEnvironment, type Where } from './where.ts';

/** Named here too, held to the model by its type, so that help loads no schema. */
const policies = Object.keys({
  rolling: true,
  'all-at-once': true,
  immutable: true,
  'blue-green': true,
  canary: true,
  linear: true,
} satisfies Record<Rollout['policy'], true>);

interface DeployOptions extends EnvironmentOptions, MannerOptions {
  policy?: string;
  config?: string;
  commit?: string;
  abort?: boolean;
  promote?: boolean;
  attach?: boolean;
  dryRun?: boolean;
}

export const deployCommand = command<DeployOptions>({
  name: 'deploy',
  summary: 'ship a change without losing a request',
  description:
    'Packs the directory, deploys it, shows each step, and ends with the receipt: how many requests passed and how many were lost. A version that does not come up healthy is rolled back. Ctrl-C leaves the deployment alone; belay attach comes back to it.',
  arguments: [{ syntax: '[DIR]', description: 'where the code is (default: this directory)' }],
  options: [
    {
      flags: '--commit <ref>',
      description: 'deploy a commit, a branch or a tag, not what the directory holds now',
    },
    { flags: '--policy <name>', description: `how: ${policies.join(', ')}` },
    configOption,
    {
      flags: '--dry-run',
      description: 'only show what would change, step by step, and how long it would take',
    },
    { flags: '--attach', description: 'follow the deployment that runs, as belay attach does' },
    {
      flags: '--promote',
      description: 'go on with the canary that runs, without waiting for its judgement',
    },
    { flags: '--abort', description: 'stop the deployment that runs; the old release comes back' },
    ...mannerOptions,
    ...environmentOptions,
  ],
  examples: [
    ['belay deploy', 'this directory to production'],
    ['belay deploy -e staging -m "Faster search"', 'to staging, with a reason'],
    ['belay deploy --commit v1.4', 'as it was tagged, whatever the directory holds'],
    ['belay deploy --dry-run', 'what would change, and how long it would take'],
    ['belay deploy --queue', 'when the one that runs has ended, or the window opens'],
    ['belay deploy --abort', 'no, back'],
  ],
  async run(context, options, [directory = '.']) {
    refusePolicy(options.policy);
    refuseTwo(options);
    if (options.promote) return promote(context, options);
    if (options.abort) return abort(context, options);
    if (options.attach) {
      return attach(context, await chooseEnvironment(context, options), null, options);
    }
    await using source = await openSource(context, directory, options.commit);
    const named = await loadNamed(source, directory, options);
    const configured = await withSavedConfiguration(context, named, options.config);
    const project = await withPolicy(configured, options.policy);
    if (options.dryRun) return await showChanges(context, project);
    const manner = mannerOf(options);
    const outcome = await ship(context, project, { manner, unchanged: 'deploy' });
    // Sent: following it to its end needs nothing of it.
    await source[Symbol.asyncDispose]();
    return concludeOutcome(context, whereOf(project), outcome, options, 'Nothing to change.');
  },
});

/** Refused before anything is loaded or sent. */
function refusePolicy(policy: string | undefined): void {
  if (policy === undefined || policies.includes(policy)) return;
  throw new InputFault({
    code: 'unknown-policy',
    message: `there is no deployment policy '${policy}'`,
    subject: policy,
    hint: `use one of: ${policies.join(', ')}`,
    details: { policies },
  });
}

/** What is said to a deployment that runs, one thing at a time, and what begins another. */
function refuseTwo({ abort, attach, promote, commit }: DeployOptions): void {
  const said = [
    commit !== undefined && '--commit',
    ...[abort && '--abort', attach && '--attach', promote && '--promote'],
  ].filter(Boolean);
  if (said.length < 2) return;
  throw new InputFault({
    code: 'bad-usage',
    message: `${said.join(' and ')} exclude each other`,
    hint: 'see: belay deploy --help',
  });
}

async function loadNamed(
  source: Source,
  directory: string,
  options: DeployOptions,
): Promise<Project> {
  const project = await source.load(options.environment);
  if (options.app === undefined || options.app === project.application) return project;
  throw new InputFault({
    code: 'other-application',
    message: `${directory} is ${project.application}, not ${options.app}`,
    subject: project.file ?? project.directory,
    hint: 'leave out --app, or name the directory of that application',
  });
}

async function withPolicy(project: Project, policy: string | undefined): Promise<Project> {
  const { configuration } = project;
  if (policy === undefined || policy === configuration.rollout.policy) return project;
  const { rolloutSchema } = await import('../model/configuration.ts');
  const rollout = rolloutSchema.parse({ ...configuration.rollout, policy });
  return { ...project, configuration: { ...configuration, rollout } };
}

async function promote(context: Context, options: DeployOptions): Promise<number> {
  const where = await chooseEnvironment(context, options);
  const { deployment } = await context.client().call('promote', { params: where, body: {} });
  return await conclude(context, where, deployment, options);
}

/** Ends well when the old release runs again: that is what was asked for. */
async function abort(context: Context, options: DeployOptions): Promise<number> {
  const where = await chooseEnvironment(context, options);
  const { deployment } = await context.client().call('abort', { params: where, body: {} });
  const code = await conclude(context, where, deployment, options);
  return code === exitCodes.rolledBack ? exitCodes.ok : code;
}

/** Exit code 2 where it would be refused, or would not succeed as far as one can tell. */
async function showChanges(context: Context, project: Project): Promise<number> {
  const { configuration } = project;
  const comparison = await compareWithRunning(context, project);
  const view = await context
    .client()
    .call('forecast', { params: whereOf(project), body: { configuration } });
  const { paint } = context.stdout;
  answer(context, { ...comparisonJson(comparison, false), ...view }, () => [
    ...renderComparison(comparison, { reveal: false, paint }),
    '',
    ...renderForecast(view, paint),
    '',
    'Nothing was changed: this was a dry run.',
  ]);
  return wouldSucceed(view) ? exitCodes.ok : exitCodes.differs;
}

const whereOf = ({ application, environment }: Project): Where => ({ application, environment });
