import { stateMachine } from '../kernel/state-machine.ts';
import type { Hooks } from './configuration.ts';
import type { Deployment, DeploymentKind } from './deployment.ts';

/**
 * A command of the user's that a deployment runs to its end.
 *
 * build       makes the golden image of a version, once for each build command
 * migrate     before any instance starts; its failure stops the deployment before it changed anything
 * postdeploy  when every instance of the new release serves
 */
export const hookNames = ['build', 'migrate', 'postdeploy'] as const;
export type HookName = (typeof hookNames)[number];

/**
 * due       its turn has not come; it never will once the deployment has turned back
 * running   started, or about to be started
 * passed    ended with 0
 * kept      nothing to do: the image was made before
 * failed    ended otherwise, was not done in time, or could not be started
 * stopped   the deployment turned back meanwhile
 */
export type HookState = 'due' | 'running' | 'passed' | 'kept' | 'failed' | 'stopped';

export type HookOutcome = Exclude<HookState, 'due' | 'running'>;

export const hookMachine = stateMachine<HookState>('hook', {
  due: ['running', 'kept'],
  running: ['passed', 'failed', 'stopped'],
  passed: [],
  kept: [],
  failed: [],
  stopped: [],
});

/** One hook of one deployment. */
export interface HookRun {
  hook: HookName;
  /** Names its slot and its log: `migrate-` and 8 hexadecimal digits. */
  id: string;
  state: HookState;
  timeoutMs: number;
  /** Its failure turns the deployment back. */
  turnsBack: boolean;
  startedAt: number | null;
  endedAt: number | null;
  /** Why it failed, in a sentence; null otherwise. */
  cause: string | null;
}

interface HookedRelease {
  version: string | null;
  configuration: { hooks: Hooks };
}

/**
 * What a deployment has to run, in this order. A rollback and a restart go to a release that has been
 * through its hooks: of theirs only the image counts, which may have been cleaned away.
 */
export function hooksDue(
  kind: DeploymentKind,
  { version, configuration: { hooks } }: HookedRelease,
  newId: (hook: HookName) => string,
): HookRun[] {
  const isNew = kind === 'deploy' || kind === 'env' || kind === 'resize';
  return hookNames.flatMap((hook): HookRun[] => {
    const wanted = hooks[hook];
    // A fixed address has no code to run.
    if (wanted === null || version === null || (hook !== 'build' && !isNew)) return [];
    const { timeoutMs, turnsBack } = wanted;
    const id = newId(hook);
    const untouched = { startedAt: null, endedAt: null, cause: null };
    return [{ hook, id, state: 'due', timeoutMs, turnsBack, ...untouched }];
  });
}

type Hooked = Pick<Deployment, 'state' | 'hooks'>;

/** Nothing of the new release may start yet: for all else the environment is as it was before. */
export const isPreparing = ({ state, hooks }: Hooked): boolean =>
  state === 'running' && hooks.some((run) => run.hook !== 'postdeploy' && !isDone(run));

/** The hook for whose failure the deployment has to turn back. */
export const failedHook = ({ hooks }: Pick<Deployment, 'hooks'>): HookRun | undefined =>
  hooks.find(({ state, turnsBack }) => state === 'failed' && turnsBack);

const isDone = ({ state }: HookRun): boolean => state === 'passed' || state === 'kept';
