/** Stands for a value that may be a secret. The same for all, so that it tells no length. */
export const MASK = '••••••';
