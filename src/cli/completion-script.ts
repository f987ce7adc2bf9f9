import type { CommandWords, Word } from './completion-words.ts';

/**
 * Completion scripts, generated whole: they ask nobody at run time, so they are instant. Only where
 * the id of an instance is wanted they ask which there are.
 */

export const shells = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof shells)[number];

export const completionScripts: Readonly<Record<Shell, (tree: readonly CommandWords[]) => string>> =
  { bash: bashScript, zsh: zshScript, fish: fishScript };

const INSTANCES =
  "belay status --json 2>/dev/null | grep -oE '\"i-[0-9a-f]{8}\"' | tr -d '\"' | sort -u";

/** Finds the command under the cursor by taking words as long as they name one. */
function bashScript(tree: readonly CommandWords[]): string {
  const cases = tree.map(
    ({ path, commands, options, takesInstances }) =>
      `    '${path.join(' ')}') commands='${list(commands)}'; options='${list(options)}'${takesInstances ? '; instances=yes' : ''} ;;`,
  );
  return `# bash completion for belay
_belay() {
  local current=\${COMP_WORDS[COMP_CWORD]} path='' word commands options instances
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$path $word" in
${pathCases(tree)}
    esac
  done
  case "$path" in
${cases.join('\n')}
  esac
  COMPREPLY=()
  if [[ $current == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$options" -- "$current")
  elif [[ -n $commands ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$commands" -- "$current")
  elif [[ -n $instances ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$(${INSTANCES})" -- "$current")
  else
    mapfile -t COMPREPLY < <(compgen -f -- "$current")
  fi
}
complete -o filenames -F _belay belay
`;
}

function zshScript(tree: readonly CommandWords[]): string {
  const described = (words: readonly Word[]) =>
    words.map(({ word, says }) => quote(`${word}:${says.replaceAll(':', '\\:')}`)).join(' ');
  const cases = tree.map(
    ({ path, commands, options, takesInstances }) =>
      `    '${path.join(' ')}') commands=(${described(commands)}); options=(${described(options)})${takesInstances ? '; instances=yes' : ''} ;;`,
  );
  return `#compdef belay
_belay() {
  local path_='' word instances
  local -a commands options
  for word in "\${(@)words[2,CURRENT-1]}"; do
    case "$path_ $word" in
${pathCases(tree).replaceAll('path=', 'path_=')}
    esac
  done
  case "$path_" in
${cases.join('\n')}
  esac
  if [[ $PREFIX == -* ]]; then
    _describe -o 'option' options
  elif (( $#commands )); then
    _describe 'command' commands
  elif [[ -n $instances ]]; then
    compadd -- \${(f)"$(${INSTANCES})"}
  else
    _files
  fi
}
compdef _belay belay
`;
}

function fishScript(tree: readonly CommandWords[]): string {
  const lines = tree.flatMap(({ path, commands, options, takesInstances }) => {
    const condition = quote(fishCondition(path, commands));
    return [
      ...(takesInstances
        ? [`complete -c belay -n ${condition} -f -a ${quote(`(${INSTANCES})`)}`]
        : []),
      ...commands.map(
        ({ word, says }) => `complete -c belay -n ${condition} -f -a ${word} -d ${quote(says)}`,
      ),
      ...options.map(
        ({ word, says }) =>
          `complete -c belay -n ${condition} -l ${word.slice(2)} -d ${quote(says)}`,
      ),
    ];
  });
  return ['# fish completion for belay', ...lines, ''].join('\n');
}

function fishCondition(path: readonly string[], commands: readonly Word[]): string {
  if (path.length === 0) return '__fish_use_subcommand';
  const seen = path.map((word) => `__fish_seen_subcommand_from ${word}`);
  const below = commands.length === 0 ? [] : [`not __fish_seen_subcommand_from ${list(commands)}`];
  return [...seen, ...below].join('; and ');
}

/** `' env') path='env'`, `'env set') path='env set'`. */
function pathCases(tree: readonly CommandWords[]): string {
  return tree
    .filter(({ path }) => path.length > 0)
    .map(({ path }) => {
      const above = path.slice(0, -1).join(' ');
      return `      '${above} ${path.at(-1)}') path='${path.join(' ')}' ;;`;
    })
    .join('\n');
}

const list = (words: readonly Word[]): string => words.map(({ word }) => word).join(' ');

const quote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
