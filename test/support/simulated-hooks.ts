import type { Hook } from '../../src/model/configuration.ts';
import type { Deployment, DeploymentKind } from '../../src/model/deployment.ts';
import { type HookName, type HookRun, hookMachine, hooksDue } from '../../src/model/hook.ts';
import type { Step } from '../../src/model/step.ts';
import type { ObservedHook } from '../../src/plan/observation.ts';

/** How one hook of a release behaves. */
export interface HookBehaviour {
  /** Null: it never ends. */
  takesMs: number | null;
  exitCode: number;
  timeoutMs?: number;
  /** Of postdeploy: false where its failure is only told. */
  turnsBack?: boolean;
}

export type HookBehaviours = Readonly<Partial<Record<HookName, HookBehaviour>>>;

type HookStep = Extract<Step, { kind: 'run-hook' | 'keep-image' | 'end-hook' }>;

const command = { command: ['true'], variables: {}, limits: { memoryBytes: null, cpu: null } };

/** Hooks as data, beside the fleet of a simulated environment: what runs, and which images there are. */
export class SimulatedHooks {
  /** Hooks that have a process, with the time of their start. */
  readonly running = new Map<string, { behaviour: HookBehaviour; startedAt: number }>();
  /** Every run that was begun, in order: `build-1`, `migrate-2` … */
  readonly begun: string[] = [];
  readonly #images = new Set<number>();
  #nextId = 0;

  due(kind: DeploymentKind, behaviours: HookBehaviours): HookRun[] {
    const hook = (name: HookName): Hook | null => {
      const { timeoutMs = 600_000, turnsBack = true } = behaviours[name] ?? {};
      return behaviours[name] ? { ...command, timeoutMs, turnsBack } : null;
    };
    const hooks = {
      build: hook('build'),
      migrate: hook('migrate'),
      postdeploy: hook('postdeploy'),
    };
    return hooksDue(kind, { version: 'v1', configuration: { hooks } }, (name) => {
      this.#nextId += 1;
      return `${name}-${this.#nextId}`;
    });
  }

  observed({ to, hooks }: Deployment, now: number): ObservedHook[] {
    return hooks.map((run) => {
      const image = this.#images.has(to) ? 'there' : 'missing';
      return { ...run, image: run.hook === 'build' ? image : null, slot: this.#slot(run, now) };
    });
  }

  /** @returns the deployment after the step */
  perform(
    deployment: Deployment,
    step: HookStep,
    behaviours: HookBehaviours,
    now: number,
  ): Deployment {
    const run = deployment.hooks.find(({ hook }) => hook === step.hook);
    const behaviour = behaviours[step.hook];
    if (!run || !behaviour) throw new Error(`there is no ${step.hook}`);
    switch (step.kind) {
      case 'run-hook':
        this.running.set(run.id, { behaviour, startedAt: now });
        this.begun.push(run.id);
        return run.state === 'running'
          ? deployment
          : moved(deployment, run, { state: 'running', startedAt: now });
      case 'keep-image':
        this.#images.add(deployment.to);
        return deployment;
      case 'end-hook': {
        this.running.delete(run.id);
        const cause = step.outcome === 'failed' ? step.reason : null;
        return moved(deployment, run, { state: step.outcome, cause, endedAt: now });
      }
    }
  }

  #slot({ id }: HookRun, now: number): ObservedHook['slot'] {
    const held = this.running.get(id);
    if (!held) return null;
    const { behaviour, startedAt } = held;
    const { takesMs, exitCode: code } = behaviour;
    if (takesMs === null || now < startedAt + takesMs) return { running: true, exit: null };
    const exit = { code, signal: null, cause: `exited with code ${code}`, at: startedAt + takesMs };
    return { running: false, exit };
  }
}

function moved(
  deployment: Deployment,
  run: HookRun,
  change: Partial<HookRun> & Pick<HookRun, 'state'>,
): Deployment {
  hookMachine.move(run.id, run.state, change.state);
  const hooks = deployment.hooks.map((each) =>
    each.id === run.id ? { ...each, ...change } : each,
  );
  return { ...deployment, hooks };
}
