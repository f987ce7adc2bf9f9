import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { systemClock } from '../src/kernel/clock.ts';

/** An application that takes so long to boot, as most do; otherwise as small as can be. */
export const BOOT_MS = 300;

export function appFiles(name: string, instances: number): Record<string, string> {
  return {
    'package.json': `{ "name": "${name}", "private": true, "type": "module" }\n`,
    'server.js': `import { createServer } from 'node:http';
const server = createServer((request, response) => response.end('ok'));
server.keepAliveTimeout = 75_000;
setTimeout(() => {
  server.listen(Number(process.env.PORT), process.env.HOST, () => console.log('listening'));
}, ${BOOT_MS});
process.once('SIGTERM', () => {
  server.close();
  server.closeIdleConnections();
});
`,
    'belay.config.ts': `import { app } from 'belay';
export default app('${name}', {
  web: {
    start: 'node server.js',
    capacity: { min: 1, desired: ${instances}, max: ${instances + 1}, zones: ['a', 'b'] },
  },
});
`,
  };
}

/** From the start of the program until it listens, with nothing around it. */
export async function measureBootMs(folder: string): Promise<number> {
  const begun = systemClock.monotonic();
  const child = spawn(process.execPath, ['server.js'], {
    cwd: folder,
    env: { PATH: process.env.PATH, PORT: '0', HOST: '127.0.0.1' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const gone = new Promise((resolve) => child.once('exit', resolve));
  for await (const line of createInterface({ input: child.stdout })) {
    if (line === 'listening') break;
  }
  const took = systemClock.monotonic() - begun;
  child.kill('SIGKILL');
  await gone;
  return took;
}
