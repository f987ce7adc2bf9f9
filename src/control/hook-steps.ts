import type { BundleStore, ImageKey, ImageStore } from '../bundle/driver.ts';
import type { EdgeDriver } from '../edge/driver.ts';
import type { Clock } from '../kernel/clock.ts';
import { Fault, messageOf } from '../kernel/fault.ts';
import type { Hook, Variables } from '../model/configuration.ts';
import type { Deployment } from '../model/deployment.ts';
import type { Environment } from '../model/environment.ts';
import { type HookRun, hookMachine } from '../model/hook.ts';
import { type Release, variablesOf } from '../model/release.ts';
import type { Step } from '../model/step.ts';
import type { Runtime, SlotSpec } from '../runtime/driver.ts';
import type { EventFeed } from './event-feed.ts';
import { domainsOf } from './names.ts';
import { type Prepared, recordOnly } from './prepared.ts';
import type { Records } from './records.ts';
import { directoryOf, imageOf } from './release-slot.ts';
import { signingVariablesOf } from './token-keys.ts';

/** What each step of a hook changes on record, and does. */

type StepOf<Kind extends Step['kind']> = Extract<Step, { kind: Kind }>;

export interface HookStepParts {
  edge: EdgeDriver;
  records: Records;
  runtime: Runtime;
  bundles: BundleStore;
  images: ImageStore;
  feed: EventFeed;
  clock: Clock;
}

/** A hook of the running deployment, with all that it is run by. */
interface Subject {
  environment: Environment;
  deployment: Deployment;
  run: HookRun;
  release: Release;
  hook: Hook;
  /** What a build makes; null for other hooks. */
  image: ImageKey | null;
}

export class HookSteps {
  readonly #parts: HookStepParts;

  constructor(parts: HookStepParts) {
    this.#parts = parts;
  }

  run(environment: Environment, step: StepOf<'run-hook'>): Prepared {
    const { runtime, images, clock } = this.#parts;
    const subject = this.#subject(environment, step.hook);
    const { run, image } = subject;
    if (run.state === 'due') {
      this.#move(subject, { state: 'running', startedAt: clock.now() });
      this.#tell(subject, 'info', 'hook-started', `${run.hook} runs: ${step.reason}`);
    }
    const effect = async () => {
      try {
        const directory = image
          ? await images.begin(image, run.id)
          : directoryOf(environment, subject.release, this.#parts);
        const address = step.hook === 'postdeploy' ? await this.#address(environment) : {};
        const signing = image ? {} : signingVariablesOf(subject.release, this.#parts.records);
        await runtime.ensure(slotSpec(subject, directory, { ...signing, ...address }));
      } catch (fault) {
        await this.#fail(environment, step.hook, 'could not be started', fault);
        throw fault;
      }
    };
    return { effect, background: false };
  }

  keepImage(environment: Environment, step: StepOf<'keep-image'>): Prepared {
    const { run, image } = this.#subject(environment, step.hook);
    if (!image) throw new Error(`${run.id} makes no image`);
    const effect = async () => {
      try {
        await this.#parts.images.keep(image, run.id);
      } catch (fault) {
        await this.#fail(environment, step.hook, 'could not be kept', fault);
        throw fault;
      }
    };
    return { effect, background: false };
  }

  end(environment: Environment, { hook, outcome, reason }: StepOf<'end-hook'>): Prepared {
    const { clock } = this.#parts;
    const subject = this.#subject(environment, hook);
    const { run } = subject;
    const failed = outcome === 'failed';
    const cause = failed ? reason : null;
    this.#move(subject, { state: outcome, cause, endedAt: clock.now() });
    const told = failed ? reason : `${hook} ${outcome}: ${reason}`;
    this.#tell(subject, failed ? 'error' : 'info', `hook-${outcome}`, told);
    // One that was never begun has left nothing.
    if (run.state === 'due') return recordOnly;
    return { effect: () => this.#clear(subject), background: false };
  }

  /** The log stays, as an instance's does. */
  async #clear({ run, image, release }: Subject): Promise<void> {
    await this.#parts.runtime.remove(run.id, release.configuration.web.stopGraceMs);
    if (image) await this.#parts.images.discard(image, run.id);
  }

  /** Where the new release answers, for those that try it out; nothing while the edge is away. */
  async #address(environment: Environment): Promise<Variables> {
    const { edge, records } = this.#parts;
    const listener = (await edge.status().catch(() => null))?.listeners[0];
    if (!listener) return {};
    const domains = domainsOf(environment, records);
    const domain = domains.find((each) => !each.includes('*')) ?? 'localhost';
    return { BELAY_EDGE: `http://127.0.0.1:${listener.port}`, BELAY_DOMAIN: domain };
  }

  async #fail(
    environment: Environment,
    hook: HookRun['hook'],
    what: string,
    fault: unknown,
  ): Promise<void> {
    // The daemon is ending: its next life begins it again.
    if (fault instanceof Fault && fault.code === 'runtime-closed') return;
    const subject = this.#subject(environment, hook);
    const cause = `${hook} ${what} (${messageOf(fault)})`;
    this.#move(subject, { state: 'failed', cause, endedAt: this.#parts.clock.now() });
    this.#tell(subject, 'error', 'hook-failed', cause);
    await this.#clear(subject);
  }

  #move(subject: Subject, change: Partial<HookRun> & Pick<HookRun, 'state'>): void {
    const { deployment, run } = subject;
    hookMachine.move(run.id, run.state, change.state);
    const hooks = deployment.hooks.map((each) =>
      each.id === run.id ? { ...each, ...change } : each,
    );
    this.#parts.records.saveDeployment({ ...deployment, hooks });
  }

  #subject(environment: Environment, name: HookRun['hook']): Subject {
    const { records } = this.#parts;
    const deployment = records.runningDeployment(environment.key);
    const run = deployment?.hooks.find(({ hook }) => hook === name);
    const release = deployment && records.release(environment.key, deployment.to);
    const hook = release?.configuration.hooks[name];
    if (!deployment || !run || !release || !hook) {
      throw new Error(`${environment.key} has no ${name} to run`);
    }
    const image = name === 'build' ? imageOf(environment, release, records) : null;
    return { environment, deployment, run, release, hook, image };
  }

  #tell(
    { environment, deployment, run }: Subject,
    severity: 'info' | 'error',
    type: string,
    message: string,
  ): void {
    this.#parts.feed.publish({
      environment: environment.key,
      deployment: deployment.number,
      instance: run.id,
      severity,
      type,
      message,
    });
  }
}

/**
 * A build sees nothing of the environment it is for: its image is every environment's. The others see
 * what an instance of the release would.
 */
function slotSpec(subject: Subject, directory: string, more: Variables): SlotSpec {
  const { environment, run, release, hook, image } = subject;
  return {
    id: run.id,
    application: environment.application,
    environment: environment.name,
    release: release.number,
    zone: release.configuration.web.zones[0] ?? '',
    directory,
    bootstrap: null,
    command: hook.command,
    variables: { ...(image ? {} : variablesOf(release)), ...more, ...hook.variables },
    limits: hook.limits,
  };
}
