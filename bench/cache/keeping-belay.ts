import { HONOUR_THE_APP, type RoutedCache } from '../../src/model/cache.ts';
import { type Belay, type BelayOptions, startBelay } from '../edge/belay.ts';

const KEEPING: RoutedCache = { rules: [HONOUR_THE_APP], release: 1, purgedUpTo: 0, purges: [] };

export const keeping: BelayOptions = { cache: KEEPING };

/** Ours with its cache: it keeps what the app allows, and says on each answer where it is from. */
export const startKeepingBelay = (folder: string, originPort: number): Promise<Belay> =>
  startBelay(folder, originPort, keeping);
