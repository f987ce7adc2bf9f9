import { shortCommit } from '../bundle/commit.ts';
import type { BundleEntry } from '../bundle/entry.ts';
import type { Configuration, Variables } from '../model/configuration.ts';
import type { SavedConfiguration } from '../model/saved-configuration.ts';
import type { Context } from './context.ts';
import { InputFault } from './exit-code.ts';
import { MASK } from './mask.ts';
import { type Project, packProject } from './project.ts';
import { settingsOf } from './settings.ts';
import type { Where } from './where.ts';

/** What differs between two states of an application: files, configuration and variables. */

export interface Change {
  /** A key path of the configuration, or the name of a variable. */
  key: string;
  /** Null where it is not set. */
  before: string | null;
  after: string | null;
}

export interface Comparison {
  before: string;
  after: string;
  files: { added: string[]; changed: string[]; removed: string[] };
  configuration: Change[];
  variables: Change[];
}

/** What stands before the first release. */
export const NOTHING = 'nothing';

interface Side {
  name: string;
  /** Digest by path. */
  files: ReadonlyMap<string, string>;
  configuration: Configuration | null;
  variables: Variables;
}

export const hasDifferences = ({ files, configuration, variables }: Comparison): boolean =>
  files.added.length + files.changed.length + files.removed.length > 0 ||
  configuration.length > 0 ||
  variables.length > 0;

/** For scripts: an interface. */
export function comparisonJson(comparison: Comparison, reveal: boolean) {
  const hide = (side: string | null) => (side === null || reveal ? side : MASK);
  const variables = comparison.variables.map(({ key, before, after }) => ({
    key,
    before: hide(before),
    after: hide(after),
  }));
  return { differs: hasDifferences(comparison), ...comparison, variables };
}

/** What deploying the directory would change. */
export async function compareWithRunning(context: Context, project: Project): Promise<Comparison> {
  const running = await runningSide(context, project);
  const packed = await packProject(project);
  const { web } = project.configuration;
  const after: Side = {
    name: project.commit ? `commit ${shortCommit(project.commit.id)}` : 'this directory',
    files: new Map((packed?.bundle.entries ?? []).map((entry) => [entry.path, digestOf(entry)])),
    configuration: project.configuration,
    // Variables set with `belay env` stay, whatever is deployed.
    variables: { ...web.variables, ...running.kept },
  };
  packed?.bundle.stream.destroy();
  return compare(running.side, after);
}

/** Two versions or releases; without a second one, what runs. */
export async function compareReleases(
  context: Context,
  where: Where,
  before: string,
  after: string | null,
): Promise<Comparison> {
  const first = await namedSide(context, where, before);
  const second =
    after === null
      ? (await runningSide(context, where)).side
      : await namedSide(context, where, after);
  return compare(first, second);
}

/** An environment as it runs, at the capacity it has, and a release of another. */
export async function compareEnvironments(
  context: Context,
  before: Where,
  after: Where,
  release: number,
): Promise<Comparison> {
  const { capacity } = await context.client().call('environment', { params: before });
  const [{ side: running }, { side: made }] = await Promise.all([
    runningSide(context, before),
    releaseSide(context, after, release),
  ]);
  const { configuration } = running;
  return compare(
    {
      ...running,
      name: before.environment,
      configuration: configuration && {
        ...configuration,
        web: { ...configuration.web, capacity },
      },
    },
    { ...made, name: after.environment },
  );
}

/**
 * What a saved configuration would change about another, or about what an environment runs by: what is
 * never taken from it does not count.
 */
export async function compareConfigurations(
  context: Context,
  before: SavedConfiguration,
  after: SavedConfiguration | Where,
): Promise<Comparison> {
  const { withSaved } = await import('../model/saved-configuration.ts');
  const other =
    'configuration' in after ? savedSide(after) : (await runningSide(context, after)).side;
  const side = savedSide(before);
  const configuration = other.configuration && withSaved(other.configuration, before.configuration);
  return compare({ ...side, configuration }, { ...other, files: new Map() });
}

const savedSide = ({ name, configuration }: SavedConfiguration): Side => ({
  name,
  files: new Map(),
  configuration,
  variables: configuration.web.variables,
});

/** What runs, and the variables that outlive a deployment. Before the first one, nothing. */
async function runningSide(
  context: Context,
  where: Where,
): Promise<{ side: Side; kept: Variables }> {
  const { environments } = await context
    .client()
    .call('environments', { query: { application: where.application } });
  const view = environments.find(({ environment }) => environment === where.environment);
  if (!view || view.release === null) {
    return {
      side: { name: NOTHING, files: new Map(), configuration: null, variables: {} },
      kept: {},
    };
  }
  const { side, kept } = await releaseSide(context, where, view.release);
  return { side: { ...side, name: `${side.name}, which runs` }, kept };
}

async function namedSide(context: Context, where: Where, name: string): Promise<Side> {
  const { application, environment } = where;
  const { releases } = await context
    .client()
    .call('releases', { params: { application, environment } });
  const release = releases.find(
    ({ number, version }) => String(number) === name || version === name,
  );
  if (release) return (await releaseSide(context, where, release.number)).side;
  if (/^\d+$/.test(name)) throw unknownRelease(where, name);
  // A version that this environment never ran has files, and no configuration here.
  const files = await versionFiles(context, where, name);
  return { name, files, configuration: null, variables: {} };
}

async function releaseSide(
  context: Context,
  where: Where,
  number: number,
): Promise<{ side: Side; kept: Variables }> {
  const { application, environment } = where;
  const release = await context
    .client()
    .call('release', { params: { application, environment, number } });
  const { version, configuration, variables } = release;
  const side: Side = {
    name: version === null ? `release ${number}` : `${version} (release ${number})`,
    files: version === null ? new Map() : await versionFiles(context, where, version),
    configuration,
    variables: { ...configuration.web.variables, ...variables },
  };
  return { side, kept: variables };
}

async function versionFiles(
  context: Context,
  { application }: Where,
  label: string,
): Promise<ReadonlyMap<string, string>> {
  const { files } = await context.client().call('versionFiles', { params: { application, label } });
  return new Map(files.map(({ path, digest }) => [path, bareDigest(digest)]));
}

function compare(before: Side, after: Side): Comparison {
  return {
    before: before.name,
    after: after.name,
    files: compareFiles(before.files, after.files),
    configuration:
      before.configuration && after.configuration
        ? compareKeys(keysOf(before.configuration), keysOf(after.configuration))
        : [],
    variables: compareKeys(
      new Map(Object.entries(before.variables)),
      new Map(Object.entries(after.variables)),
    ),
  };
}

function compareFiles(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>) {
  const paths = (of: ReadonlyMap<string, string>, keep: (path: string) => boolean) =>
    [...of.keys()].filter(keep).sort();
  return {
    added: paths(after, (path) => !before.has(path)),
    changed: paths(after, (path) => before.has(path) && before.get(path) !== after.get(path)),
    removed: paths(before, (path) => !after.has(path)),
  };
}

function compareKeys(
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
): Change[] {
  return [...new Set([...before.keys(), ...after.keys()])]
    .map((key) => ({ key, before: before.get(key) ?? null, after: after.get(key) ?? null }))
    .filter((change) => change.before !== change.after);
}

/** Variables are compared on their own. */
function keysOf(configuration: Configuration): Map<string, string> {
  return new Map([...settingsOf(configuration)].filter(([key]) => !key.startsWith('web.env.')));
}

/** As the daemon gives them: a link's content is where it points to. */
const digestOf = (entry: BundleEntry): string =>
  entry.kind === 'file' ? entry.hash : `link:${entry.target}`;

const bareDigest = (digest: string): string => digest.replace(/^sha256:/, '');

function unknownRelease(where: Where, name: string): InputFault {
  return new InputFault({
    code: 'unknown-release',
    message: `${where.application}/${where.environment} has no release ${name}`,
    hint: `see which there are with: belay versions -a ${where.application}`,
  });
}
