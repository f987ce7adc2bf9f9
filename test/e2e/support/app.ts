import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What the app of the tests does; see app/server.js. A different one is a different version. */
export interface Variant {
  name: string;
  /** How it ends at boot. */
  crash?: 'exit' | 'signal';
  /** Ends at boot while this file is there. */
  crashWhile?: string;
  /** What it answers to health checks. */
  health?: number | 'hang';
  /** Where it listens, if not where it should. */
  listen?: 'never' | 'elsewhere';
  /** Answers 500 to so many of a hundred requests. */
  failPercent?: number;
  /** Does not hear SIGTERM. */
  deaf?: boolean;
  /** Writes its log as fast as it can. */
  flood?: boolean;
  /** Takes so long before it listens, in milliseconds. */
  bootMs?: number;
  /** Says so many lines first. */
  say?: number;
  /** Processor time that each request takes, in milliseconds. */
  burnMs?: number;
  /** Between that and the answer. */
  waitMs?: number;
  /** A file in which it writes down every request that is no health check. */
  record?: string;
}

type HookOption = string | { run: string; timeout?: string; onFailure?: string };

/** What differs from the configuration of the tests, as users write it. */
export interface AppOptions {
  build?: HookOption;
  hooks?: { migrate?: HookOption; postdeploy?: HookOption; bootstrap?: string };
  start?: string;
  capacity?: {
    min: number;
    desired?: number;
    max: number;
    zones?: string[];
    idle?: string;
    warm?: number;
  };
  lifecycle?: Partial<Record<'launching' | 'terminating', { heartbeat: string }>>;
  /** Of one core, for each instance. */
  cpu?: number;
  scaling?: object;
  drain?: string;
  stopGrace?: string;
  health?: { interval: string; timeout: string };
  edge?: {
    maxConcurrency?: number;
    timeouts?: { answer?: string; quiet?: string };
    queue?: { length?: number; wait?: string };
  };
  deploy?: {
    policy?: string;
    startTimeout?: string;
    healthyFor?: string;
    batch?: number | string;
    extra?: number | string;
    keep?: string;
    percent?: number;
    bake?: string;
    minRequests?: number;
    patience?: string;
  };
}

export const APPLICATION = 'numbers';
export const ENVIRONMENT = 'production';

const here = import.meta.dirname;

/** Writes the app's directory, with a configuration for quick tests. */
export function writeApp(directory: string, variant: Variant, options: AppOptions = {}): string {
  mkdirSync(directory, { recursive: true });
  for (const file of ['server.js', 'websocket.js'])
    cpSync(join(here, 'app', file), join(directory, file));
  writeFileSync(join(directory, 'package.json'), '{ "type": "module", "private": true }\n');
  writeFileSync(join(directory, 'variant.json'), `${JSON.stringify(variant)}\n`);
  const configuration = {
    ...(options.build ? { build: options.build } : {}),
    ...(options.hooks ? { hooks: options.hooks } : {}),
    web: {
      start: options.start ?? 'node server.js',
      health: { path: '/healthz', interval: '1s', timeout: '1s', ...options.health },
      capacity: options.capacity ?? { min: 2, desired: 3, max: 6, zones: ['a', 'b'] },
      ...(options.cpu === undefined ? {} : { cpu: options.cpu }),
      ...(options.scaling ? { scaling: options.scaling } : {}),
      ...(options.lifecycle ? { lifecycle: options.lifecycle } : {}),
      drain: options.drain ?? '2s',
      stopGrace: options.stopGrace ?? '2s',
    },
    edge: options.edge ?? {},
    deploy: { policy: 'rolling', startTimeout: '20s', ...options.deploy },
  };
  writeFileSync(
    join(directory, 'belay.config.ts'),
    `import { app } from 'belay';\n\nexport default app('${APPLICATION}', ${JSON.stringify(configuration, null, 2)});\n`,
  );
  return directory;
}
