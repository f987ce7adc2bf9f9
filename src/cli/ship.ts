import { Fault } from '../kernel/fault.ts';
import type { Outcome } from '../model/view.ts';
import type { Context } from './context.ts';
import { liveLine } from './live-line.ts';
import type { mannerOf } from './manner.ts';
import { type PackedVersion, type Project, packProject } from './project.ts';
import { formatBytes, formatPlural } from './quantity.ts';

/** Brings a directory to the daemon: packs it, sends what is not there, starts the deployment. */

/** What the daemon takes. */
const MAX_MESSAGE_LENGTH = 1_000;

export interface Shipment {
  /** Its message null: what the commit says, or nothing. */
  manner: ReturnType<typeof mannerOf>;
  unchanged: 'deploy' | 'skip';
}

export async function ship(
  context: Context,
  project: Project,
  { manner, unchanged }: Shipment,
): Promise<Outcome> {
  const packed = await sendCode(context, project);
  const { application, environment, configuration, lifecycle, commit } = project;
  const { message } = manner;
  return await context.client().call('deploy', {
    params: { application, environment },
    body: {
      configuration,
      version: packed?.input ?? null,
      lifecycle,
      ...manner,
      message: message ?? commit?.subject.slice(0, MAX_MESSAGE_LENGTH) ?? null,
      unchanged,
    },
  });
}

/** Packs the code and sends it, unless it is there already; null for a fixed address. */
export async function sendCode(context: Context, project: Project): Promise<PackedVersion | null> {
  const packed = await packAndTell(context, project);
  if (packed) await send(context, packed);
  if (!context.interrupt.aborted) return packed;
  throw new Fault({ code: 'interrupted', message: 'interrupted before anything was changed' });
}

async function packAndTell(context: Context, project: Project): Promise<PackedVersion | null> {
  const live = liveLine(context.stderr);
  const { paint } = context.stderr;
  live.show(`  ${paint.dim('packing …')}`);
  try {
    const packed = await packProject(project);
    for (const { path, why } of packed?.bundle.skipped ?? []) {
      live.print(paint.yellow(`  left out ${path}: ${why}`));
    }
    return packed;
  } finally {
    live.clear();
  }
}

async function send(context: Context, { bundle, input }: PackedVersion): Promise<void> {
  const client = context.client();
  const { digest, files, sizeBytes } = input;
  const size = `${formatPlural(files, 'file')}, ${formatBytes(sizeBytes)}`;
  const live = liveLine(context.stderr);
  const { paint } = context.stderr;
  const { present } = await client.call('bundle', {
    params: { digest },
    query: { files, sizeBytes },
  });
  if (present) {
    bundle.stream.destroy();
    context.stderr.line(paint.dim(`  bundle      ${size}, already there`));
    return;
  }
  live.show(`  ${paint.dim(`sending ${size} …`)}`);
  try {
    await client.call('putBundle', {
      params: { digest },
      query: { files, sizeBytes },
      body: bundle.stream,
    });
  } catch (thrown) {
    // What went wrong while reading the directory says more than the connection it broke.
    const { errored } = bundle.stream;
    throw errored instanceof Fault ? errored : thrown;
  } finally {
    live.clear();
  }
  context.stderr.line(paint.dim(`  bundle      ${size}`));
}
