import { Fault } from '../kernel/fault.ts';
import type { EnvironmentView, InstanceView } from '../model/view.ts';
import type { Context } from './context.ts';
import { liveLine } from './live-line.ts';
import { defaultTimeoutMs } from './options.ts';
import { commandFor, type Where } from './where.ts';

/** Where an instance is, by its id alone, and how what was asked of it comes along. */

const POLL_MS = 300;

export interface Found {
  id: string;
  where: Where;
}

/** Ids are unique over all environments. @throws `unknown-instance` */
export async function whereIs(context: Context, id: string): Promise<Found> {
  const { environments } = await context.client().call('environments');
  const view = environments.find(({ instances }) => instances.some((each) => each.id === id));
  if (view) {
    return { id, where: { application: view.application, environment: view.environment } };
  }
  throw new Fault({
    code: 'unknown-instance',
    message: `there is no instance ${id}`,
    subject: id,
    hint: 'see which there are with: belay status',
  });
}

/** Until it is done; `undefined` is an instance that is there no more. @throws `timed-out` */
export async function followInstance(
  context: Context,
  { id, where }: Found,
  aim: { timeoutMs?: number; isDone: (instance: InstanceView | undefined) => boolean },
): Promise<EnvironmentView | 'interrupted'> {
  const { clock, interrupt, stderr } = context;
  const deadline = clock.monotonic() + (aim.timeoutMs ?? defaultTimeoutMs);
  const live = liveLine(stderr);
  try {
    for (;;) {
      const view = await context.client().call('environment', { params: where });
      const instance = view.instances.find((each) => each.id === id);
      if (aim.isDone(instance)) return view;
      if (!instance) throw ended(id, where);
      live.show(`  ${stderr.paint.dim(`${progressOf(instance, view)} …`)}`);
      if (clock.monotonic() >= deadline) throw timedOut(instance, view, where);
      if ((await clock.sleep(POLL_MS, interrupt)) === 'aborted') return 'interrupted';
    }
  } finally {
    live.clear();
  }
}

const progressOf = ({ id, state, reason }: InstanceView, { cause }: EnvironmentView): string =>
  `${id} is ${state}${reason === '' ? '' : `, ${reason}`}; ${cause}`;

function ended(id: string, where: Where): Fault {
  return new Fault({
    code: 'instance-ended',
    message: `${id} has ended meanwhile`,
    subject: id,
    hint: `see why with: ${commandFor('events', where)}`,
  });
}

function timedOut(instance: InstanceView, view: EnvironmentView, where: Where): Fault {
  return new Fault({
    code: 'timed-out',
    message: `${progressOf(instance, view)}; it goes on without you`,
    subject: instance.id,
    hint: `see how it comes along with: ${commandFor('status', where)}`,
    retryable: true,
  });
}
