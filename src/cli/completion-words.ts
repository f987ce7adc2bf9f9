import { type CommandFamily, type CommandSpec, jsonOption } from './command.ts';

/** The words of the command tree, as the shells' scripts need them. */

export interface Word {
  word: string;
  says: string;
}

export interface CommandWords {
  /** From the root: `['env', 'set']`; empty for the root itself. */
  path: readonly string[];
  commands: readonly Word[];
  options: readonly Word[];
  /** Its arguments are ids of instances. */
  takesInstances: boolean;
}

const helpWord: Word = { word: '--help', says: 'print help' };

export function completionWords(tree: readonly (CommandSpec | CommandFamily)[]): CommandWords[] {
  return [
    {
      path: [],
      commands: tree.map(({ name, summary }) => ({ word: name, says: summary })),
      options: [helpWord, { word: '--version', says: 'print the version' }],
      takesInstances: false,
    },
    ...tree.flatMap((spec) => wordsOf(spec, [])),
  ];
}

function wordsOf(spec: CommandSpec | CommandFamily, above: readonly string[]): CommandWords[] {
  const path = [...above, spec.name];
  if (!('commands' in spec)) {
    const takesInstances = spec.arguments?.some(({ completes }) => completes === 'instances');
    const options = optionWords(spec);
    return [{ path, commands: [], options, takesInstances: takesInstances ?? false }];
  }
  const commands = spec.commands.map(({ name, summary }) => ({ word: name, says: summary }));
  const meant = spec.commands.find(({ name }) => name === spec.fallback);
  return [
    {
      path,
      commands,
      options: meant ? optionWords(meant) : [helpWord],
      takesInstances: false,
    },
    ...spec.commands.flatMap((child) => wordsOf(child, path)),
  ];
}

function optionWords(spec: CommandSpec): Word[] {
  const options = [...(spec.options ?? []), jsonOption].flatMap(({ flags, description }) => {
    const long = /--[a-z-]+/.exec(flags)?.[0];
    return long === undefined ? [] : [{ word: long, says: description }];
  });
  return [...options, helpWord];
}
