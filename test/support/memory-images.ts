import type { ImageKey, ImageStore } from '../../src/bundle/driver.ts';

/** Golden images that exist only as names. */
export function memoryImages(): ImageStore {
  const images = new Set<string>();
  const begun = new Set<string>();
  const directory = ({ digest, command }: ImageKey) =>
    `/versions/${digest}.built-${command.join('-')}`;
  return {
    directory,
    isThere: (image) => images.has(directory(image)),
    async begin(image, run) {
      begun.add(run);
      return `${directory(image)}.making-${run}`;
    },
    async keep(image, run) {
      if (!begun.delete(run)) throw new Error(`${run} was never begun`);
      images.add(directory(image));
    },
    async discard(_, run) {
      begun.delete(run);
    },
    async clean(runs) {
      for (const run of begun) if (!runs.has(run)) begun.delete(run);
    },
  };
}
