import { Fault } from '../../kernel/fault.ts';
import { type Snapshot, snapshotSchema } from '../../model/snapshot.ts';

/** What the control plane sends, before it is taken. */

/** @throws `bad-snapshot` */
export function parseSnapshot(received: unknown): Snapshot {
  const parsed = snapshotSchema.safeParse(received);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new Fault({
    code: 'bad-snapshot',
    message: `the snapshot is not valid: ${issue?.path.join('.')}: ${issue?.message}`,
    subject: issue?.path.join('.'),
  });
}

export function staleSnapshot(number: number, current: number): Fault {
  return new Fault({
    code: 'stale-snapshot',
    message: `the edge holds snapshot ${current}; number ${number} is not newer`,
    details: { current },
  });
}
