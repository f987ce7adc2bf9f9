// What this example can be made to do wrong, by environment variables, to see what happens then.
const { env } = process;

export const faults = {
  /** TIME_BOOT_MS=300: takes so long until it listens. */
  bootMs: Number(env.TIME_BOOT_MS ?? 0),
  /** TIME_CRASH=boot: exits with code 1 at once. */
  crashAtBoot: env.TIME_CRASH === 'boot',
  /** TIME_LISTEN=never: runs, and never opens its port. */
  neverListens: env.TIME_LISTEN === 'never',
  /** TIME_HEALTH=500: answers so to health checks; TIME_HEALTH=hang: does not answer them. */
  health: env.TIME_HEALTH === 'hang' ? 'hang' : env.TIME_HEALTH ? Number(env.TIME_HEALTH) : null,
  /** TIME_SLOW_MS=500: every answer but those to health checks takes so much longer. */
  slowMs: Number(env.TIME_SLOW_MS ?? 0),
  /** TIME_DEAF=1: does not hear SIGTERM. */
  deaf: env.TIME_DEAF === '1',
  /** TIME_FLOOD=1: writes its log as fast as it can. */
  flood: env.TIME_FLOOD === '1',
};

export function flood() {
  const lines = `${'tick tock '.repeat(100)}\n`.repeat(256);
  const write = () => process.stdout.write(lines, () => setImmediate(write));
  write();
}
