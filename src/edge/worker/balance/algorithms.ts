import type { Balancing } from '../../../model/traffic.ts';
import { first } from './first.ts';
import { leastOutstanding } from './least-outstanding.ts';
import type { Pickable, Picker } from './picker.ts';
import { roundRobin } from './round-robin.ts';
import { weightedRandom } from './weighted-random.ts';

/** @param random the next number from 0 to below 1 */
export function pickerFor<Choice extends Pickable>(
  algorithm: Balancing['algorithm'],
  random: () => number,
): Picker<Choice> {
  switch (algorithm) {
    case 'round-robin':
      return roundRobin();
    case 'least-outstanding':
      return leastOutstanding();
    case 'weighted-random':
      return weightedRandom(random);
    case 'first':
      return first();
  }
}
