import type { WorkerState } from './fleet-worker.ts';

/**
 * What the fleet lacks and has too much of, decided from what it is. Pure: level-triggered, and
 * empty when there are as many workers as wanted and no old ones that could go.
 */

/** Old generations may keep upgraded connections so long … */
export const UPGRADE_DRAIN_MS = 60 * 60_000;
/**
 * … but no more than so many generations live at once: each is a process of some 60 MB. Ten upgrades
 * within the hour close nothing.
 */
export const MAX_GENERATIONS = 12;

/** Between starts of workers that die before they are ready; the first replacement is at once. */
const FIRST_BACK_OFF_MS = 100;
const MAX_BACK_OFF_MS = 5_000;

export interface FleetState {
  generation: number;
  /** How many workers of the generation there should be. */
  size: number;
  /** Earlier workers that have not reconnected are still waited for. */
  adopting: boolean;
  workers: { name: string; generation: number; state: WorkerState }[];
}

export type FleetStep =
  | { kind: 'launch'; count: number }
  /** `early`: it was promised more time than it gets. */
  | { kind: 'retire'; worker: string; drainMs: number; early: boolean };

export function planFleet({ generation, size, adopting, workers }: FleetState): FleetStep[] {
  const own = workers.filter((worker) => worker.generation === generation);
  const accepting = own.filter(({ state }) => state === 'accepting');
  const coming = own.filter(
    ({ state }) => state === 'starting' || (state === 'absent' && adopting),
  );
  // Of too many, those that serve stay: what is only coming has nothing to drain.
  const serving = [...accepting, ...coming];
  const steps: FleetStep[] = serving.slice(size).map(({ name }) => retire(name, UPGRADE_DRAIN_MS));
  if (serving.length < size) steps.push({ kind: 'launch', count: size - serving.length });

  // The old ones accept until the new ones do.
  if (accepting.length >= size) steps.push(...retireOld(generation, workers));
  return steps;
}

/** @param earlyDeaths workers in a row that died before they were ready */
export function backOffMs(earlyDeaths: number): number {
  if (earlyDeaths < 2) return 0;
  return Math.min(MAX_BACK_OFF_MS, FIRST_BACK_OFF_MS * 2 ** (earlyDeaths - 2));
}

function retireOld(generation: number, workers: FleetState['workers']): FleetStep[] {
  const old = workers.filter((worker) => worker.generation < generation);
  const generations = [...new Set(old.map((worker) => worker.generation))].sort((x, y) => y - x);
  const tooOld = generations.slice(MAX_GENERATIONS - 1);
  return old.flatMap(({ name, generation: itsOwn, state }): FleetStep[] => {
    if (tooOld.includes(itsOwn)) return [retire(name, 0, true)];
    return state === 'accepting' ? [retire(name, UPGRADE_DRAIN_MS)] : [];
  });
}

const retire = (worker: string, drainMs: number, early = false): FleetStep => ({
  kind: 'retire',
  worker,
  drainMs,
  early,
});
