import type { Clock } from '../../kernel/clock.ts';
import { findTree, type InstanceIndex } from './instance-tree.ts';
import { readProcessTable } from './process-table.ts';
import { killTree } from './terminate.ts';

/**
 * Ends the processes that carry an instance's id when nothing else is known of it: its record was
 * lost, or another version of Belay wrote it.
 *
 * @throws `unkillable` (retryable)
 */
export async function endStray(
  instance: string,
  index: InstanceIndex,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  const tree = () => findTree({ instance, shim: null, known: [] }, readProcessTable(), index);
  await killTree({ instance, shim: null, tree }, clock, signal);
}
