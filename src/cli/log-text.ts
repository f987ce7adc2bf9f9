import type { Paint } from './paint.ts';

/** Log lines, each with its instance before it where several write. */

type Ink = (text: string) => string;

export type LogPrefix = (instance: string) => string;

/** Gives each instance a colour of its own, in the order in which they appear. */
export function logPrefix(paint: Paint): LogPrefix {
  const inks: Ink[] = [paint.cyan, paint.green, paint.yellow, paint.bold, paint.dim];
  const given = new Map<string, Ink>();
  return (instance) => {
    let ink = given.get(instance);
    if (!ink) {
      ink = inks[given.size % inks.length] ?? paint.dim;
      given.set(instance, ink);
    }
    return `${ink(instance)} ${paint.dim('│')} `;
  };
}
