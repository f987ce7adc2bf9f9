import { command } from './command.ts';
import { completionScripts, shells } from './completion-script.ts';
import { completionWords } from './completion-words.ts';
import { answer } from './context.ts';
import { exitCodes, InputFault } from './exit-code.ts';

export const completionCommand = command({
  name: 'completion',
  summary: 'print the completion of a shell: bash, zsh or fish',
  description: 'Prints a script that teaches a shell to complete the words of this program.',
  arguments: [{ syntax: '<shell>', description: shells.join(', ') }],
  examples: [
    ['source <(belay completion bash)', 'in ~/.bashrc'],
    ['source <(belay completion zsh)', 'in ~/.zshrc, after compinit'],
    ['belay completion fish | source', 'in ~/.config/fish/config.fish'],
  ],
  async run(context, _options, [name = '']) {
    const shell = shells.find((each) => each === name);
    if (!shell) {
      throw new InputFault({
        code: 'unknown-shell',
        message: `there is no completion for '${name}'`,
        subject: name,
        hint: `use one of: ${shells.join(', ')}`,
      });
    }
    // The tree holds this command too, so it is made only when it is asked for.
    const { commandGroups } = await import('./program.ts');
    const script = completionScripts[shell](
      completionWords(commandGroups.flatMap(({ commands }) => commands)),
    );
    answer(context, { shell, script }, () => [script.trimEnd()]);
    return exitCodes.ok;
  },
});
