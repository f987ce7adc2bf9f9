import { type CommandFamily, command } from './command.ts';
import {
  deleteCommand,
  diffCommand,
  listCommand,
  saveCommand,
  showCommand,
} from './config-saved.ts';
import { answer } from './context.ts';
import { exitCodes } from './exit-code.ts';
import { environmentOption } from './options.ts';
import { loadProject, type Project, shortPath } from './project.ts';
import { lifecycleSettings, settingsOf } from './settings.ts';
import { renderTable } from './table.ts';

const printCommand = command<{ environment: string }>({
  name: 'print',
  summary: 'the whole configuration, and where each value comes from',
  description:
    'Prints the configuration of a directory for one environment with every default filled in, and where each value comes from: the file, detection, a preset, a default. Needs no daemon.',
  arguments: [{ syntax: '[DIR]', description: 'where the code is (default: this directory)' }],
  options: [environmentOption],
  examples: [['belay config -e staging', 'as staging sees it']],
  async run(context, options, [directory = '.']) {
    const project = await loadProject(context, directory, options.environment);
    const { application, environment, file, configuration, lifecycle, provenance, detection } =
      project;
    const value = {
      ...{ application, environment, file, configuration, lifecycle },
      ...{ provenance, detection },
    };
    answer(context, value, () => {
      const { paint } = context.stdout;
      const source = file === null ? 'no file' : shortPath(context.directory, file);
      return [
        `${paint.bold(`${application}/${environment}`)}  ${paint.dim(source)}`,
        ...detection.map(({ what, why }) => `  ${paint.dim(what)}  ${why}`),
        '',
        ...renderTable(
          [{ title: 'KEY' }, { title: 'VALUE' }, { title: 'FROM' }],
          rowsOf(project),
          paint,
        ),
      ];
    });
    return exitCodes.ok;
  },
});

export const configFamily: CommandFamily = {
  name: 'config',
  summary: 'the whole configuration of a directory; save, list, show, delete, diff',
  description:
    "Prints a directory's configuration when nothing else is said (a directory called as one of the commands is written with its path: ./list). Saved configurations are kept by the daemon for each application, to make environments by.",
  commands: [printCommand, saveCommand, listCommand, showCommand, deleteCommand, diffCommand],
  fallback: 'print',
};

function rowsOf({ configuration, lifecycle, provenance }: Project): string[][] {
  const settings = [...settingsOf(configuration), ...lifecycleSettings(lifecycle)];
  // Of a list as a whole it is known where it is from, not of what is in it.
  const originOf = (key: string) => provenance[key.replace(/\[\d+\]$/, '')] ?? '';
  return settings.map(([key, value]) => [key, value, originOf(key)]);
}
