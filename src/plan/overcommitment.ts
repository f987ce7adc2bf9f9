import type { Machine } from '../kernel/machine.ts';
import type { Limits } from '../model/configuration.ts';
import type { Concern } from '../model/forecast.ts';
import { type SizeName, sizeNames, sizes } from '../model/size.ts';

/** Whether a machine has what its instances may use all together, as far as they have limits. */

/** What is asked of it. */
export interface Commitment {
  /** Instances that are wanted, and the most there may ever be. */
  desired: number;
  max: number;
  /** Kept warm beside them, which takes memory and hardly any processor time. */
  warm: number;
  size: SizeName | null;
  limits: Limits;
}

/** Memory that is not there ends instances; processor time that is not there makes them slower. */
export function overcommitment(commitment: Commitment, machine: Machine): Concern[] {
  return [memoryConcern(commitment, machine), cpuConcern(commitment, machine)].filter(
    (concern): concern is Concern => concern !== null,
  );
}

function memoryConcern(commitment: Commitment, machine: Machine): Concern | null {
  const { desired, max, warm, limits } = commitment;
  const { memoryBytes } = limits;
  if (memoryBytes === null || (max + warm) * memoryBytes <= machine.memoryBytes) return null;
  const grave = (desired + warm) * memoryBytes > machine.memoryBytes;
  const count = (grave ? desired : max) + warm;
  const counted = `${instances(count)}${warm === 0 ? '' : ` (${warm} of them warm)`}`;
  const each = megabytes(memoryBytes);
  const needs = `need ${megabytes(count * memoryBytes)} of memory, and the machine has ${megabytes(machine.memoryBytes)}`;
  const room = Math.max(0, Math.floor(machine.memoryBytes / memoryBytes) - warm);
  const smaller = smallerThan(commitment, machine.memoryBytes / count);
  return {
    code: 'memory-overcommitted',
    grave,
    what: grave
      ? `${counted} of ${each} ${needs}`
      : `${counted} of ${each}, as max allows, would ${needs}`,
    instead: `${grave ? 'run' : 'set max to'} ${room === 0 ? 'fewer' : `${room} at most`}${smaller}`,
  };
}

function cpuConcern({ desired, limits }: Commitment, machine: Machine): Concern | null {
  const { cpu } = limits;
  if (cpu === null || desired * cpu <= machine.cores) return null;
  const cores = desired * cpu;
  const ratio = (cores / machine.cores).toFixed(1);
  return {
    code: 'cpu-overcommitted',
    grave: false,
    what: `${instances(desired)} of ${coresText(cpu)} may take ${coresText(cores)}, ${ratio} times the ${machine.cores} there are`,
    instead: 'count on less than that of each while all are busy',
  };
}

/** The largest size of which so many fit. */
function smallerThan({ size }: Commitment, memoryBytes: number): string {
  const fits = sizeNames.findLast((name) => sizes[name].memoryBytes <= memoryBytes);
  return size === null || fits === undefined ? '' : `, or instances of size ${fits}`;
}

const instances = (count: number): string => (count === 1 ? '1 instance' : `${count} instances`);
const coresText = (cores: number): string => (cores === 1 ? '1 core' : `${cores} cores`);
const megabytes = (bytes: number): string => `${Math.ceil(bytes / 1_048_576)} MB`;
