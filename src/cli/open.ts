import { spawn } from 'node:child_process';
import { command } from './command.ts';
import { answer, type Context } from './context.ts';
import { exitCodes } from './exit-code.ts';
import { type EnvironmentOptions, environmentOptions } from './options.ts';
import { chooseEnvironment } from './where.ts';

export const openCommand = command<EnvironmentOptions & { browser: boolean }>({
  name: 'open',
  summary: 'print the URL, and open it in a browser',
  description:
    'Prints the URL of an environment, and opens it in a browser where there is a display.',
  options: [...environmentOptions, { flags: '--no-browser', description: 'only print it' }],
  async run(context, options) {
    const where = await chooseEnvironment(context, options);
    const { url } = await context.client().call('environment', { params: where });
    const opener = options.browser && !context.json ? openerFor(context.environment) : null;
    answer(context, { url }, () => [url]);
    if (opener && !(await launch(opener, url))) {
      context.stderr.line(`No browser could be started: ${opener} is not installed.`);
    }
    return exitCodes.ok;
  },
});

/** The system's program for opening a URL, where somebody could see it. */
function openerFor(environment: Context['environment']): string | null {
  if (process.platform === 'darwin') return 'open';
  return environment.DISPLAY || environment.WAYLAND_DISPLAY ? 'xdg-open' : null;
}

function launch(program: string, url: string): Promise<boolean> {
  return new Promise((resolve) => {
    const child = spawn(program, [url], { stdio: 'ignore', detached: true });
    child.on('error', () => resolve(false));
    child.on('spawn', () => {
      child.unref();
      resolve(true);
    });
  });
}
