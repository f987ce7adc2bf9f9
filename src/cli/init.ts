import { existsSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Detection, detectStart } from '../config/detect.ts';
import { Fault, messageOf, systemCode } from '../kernel/fault.ts';
import { command } from './command.ts';
import { answer } from './context.ts';
import { exitCodes, InputFault } from './exit-code.ts';
import { newConfiguration } from './init-text.ts';
import { applicationName, asInput, CONFIG_FILE, shortPath } from './project.ts';

export const initCommand = command<{ force?: boolean }>({
  name: 'init',
  summary: 'write a belay.config.ts that says what was detected',
  description:
    'Looks at the directory, writes a belay.config.ts with what it found and what else can be said there, as comments. Overwrites nothing unless told to.',
  arguments: [{ syntax: '[DIR]', description: 'where the code is (default: this directory)' }],
  options: [{ flags: '--force', description: 'overwrite the file that is there' }],
  async run(context, options, [directory = '.']) {
    const root = resolve(context.directory, directory);
    const path = join(root, CONFIG_FILE);
    if (existsSync(path) && !options.force) throw alreadyThere(path);
    const { start, detection } = asInput(() => detectStart(root));
    const application = applicationName(root);
    write(path, newConfiguration(application, isStaticSite(detection) ? 'static' : start));
    answer(context, { file: path, application, detection }, () => [
      ...detection.map(({ what, why }) => `  ${what}: ${why}`),
      `${context.stdout.paint.green('✓')} Wrote ${shortPath(context.directory, path)} for ${application}.`,
      ...(start ? [] : ['  Nothing says how to start it: fill in web.start.']),
      '  Next: belay up',
    ]);
    return exitCodes.ok;
  },
});

/** Its command line has paths of this machine in it, which no file should have. */
const isStaticSite = (detection: readonly Detection[]): boolean =>
  detection.at(-1)?.what === 'index.html';

function write(path: string, text: string): void {
  try {
    writeFileSync(path, text);
  } catch (cause) {
    throw new Fault({
      code: 'config-not-written',
      message: `the configuration could not be written (${systemCode(cause) ?? messageOf(cause)})`,
      subject: path,
      hint: 'check the directory, and that this user may write it',
      cause,
    });
  }
}

function alreadyThere(path: string): InputFault {
  return new InputFault({
    code: 'config-exists',
    message: 'there is a configuration already',
    subject: path,
    hint: 'to overwrite it: belay init --force',
  });
}
