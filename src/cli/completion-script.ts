import type { Command } from 'commander';

/** What can be completed after some words: `keyferry keys` -> its commands and options. */
interface Completion {
  /** The commands before, without the program's own name; empty for the program itself. */
  readonly path: string;
  readonly commands: readonly string[];
  readonly options: readonly string[];
}

export const shells = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof shells)[number];

/** Also where it runs as `kubectl keyferry`. */
const name = 'keyferry';

/** A script that completes commands and options, for one shell. */
export function completionScript(program: Command, shell: Shell): string {
  const global = optionsOf(program);
  const all = completionsOf(program, '', global);
  if (shell === 'fish') return fishScript(program, all);
  return shell === 'bash' ? bashScript(all) : zshScript(all);
}

function completionsOf(command: Command, path: string, global: readonly string[]): readonly Completion[] {
  const below = command.commands.filter((one) => one.name() !== 'help');
  const own: Completion = {
    path,
    commands: below.map((one) => one.name()),
    options: [...new Set([...optionsOf(command), ...global, '--help'])],
  };
  return [own, ...below.flatMap((one) => completionsOf(one, `${path} ${one.name()}`.trim(), global))];
}

function optionsOf(command: Command): readonly string[] {
  return command.options.filter(({ hidden }) => !hidden).flatMap(({ long }) => long ?? []);
}

/** Words of ours only: letters, digits and dashes, so that they need no quoting. */
function casesOf(all: readonly Completion[]): string {
  return all
    .map(
      ({ path, commands, options }) =>
        `    '${path}') commands='${commands.join(' ')}' options='${options.join(' ')}' ;;`,
    )
    .join('\n');
}

function bashScript(all: readonly Completion[]): string {
  return `# bash completion of ${name}: source <(${name} completion bash)
_${name}() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" path='' word commands='' options='' candidate
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    candidate="\${path:+$path }$word"
    _${name}_known "$candidate" && path="$candidate"
  done
  _${name}_words "$path"
  if [[ "$cur" == -* ]]; then
    COMPREPLY=($(compgen -W "$options" -- "$cur"))
  else
    COMPREPLY=($(compgen -W "$commands" -- "$cur"))
  fi
}
${functionsOf(all)}
complete -o default -F _${name} ${name}
`;
}

function functionsOf(all: readonly Completion[]): string {
  const paths = all.flatMap(({ path }) => (path === '' ? [] : [`'${path}'`]));
  return `_${name}_words() {
  case "$1" in
${casesOf(all)}
  esac
}
_${name}_known() {
  case "$1" in
    ${paths.join('|')}) return 0 ;;
    *) return 1 ;;
  esac
}`;
}

function zshScript(all: readonly Completion[]): string {
  return `#compdef ${name}
# zsh completion of ${name}: source <(${name} completion zsh)
_${name}() {
  local path_='' word commands='' options='' candidate cur="\${words[CURRENT]}"
  for word in "\${(@)words[2,CURRENT-1]}"; do
    candidate="\${path_:+$path_ }$word"
    _${name}_known "$candidate" && path_="$candidate"
  done
  _${name}_words "$path_"
  if [[ "$cur" == -* ]]; then
    compadd -- \${=options}
  elif [[ -n "$commands" ]]; then
    compadd -- \${=commands}
  else
    _files
  fi
}
${functionsOf(all)}
compdef _${name} ${name}
`;
}

function fishScript(program: Command, all: readonly Completion[]): string {
  const lines = all.flatMap(({ path, commands }) => {
    const command = path.split(' ').reduce((at, word) => at.commands.find((one) => one.name() === word) ?? at, program);
    const seen = path === '' ? '__fish_use_subcommand' : fishCondition(path, commands);
    const below = command.commands
      .filter((one) => one.name() !== 'help')
      .map(
        (one) =>
          `complete -c ${name} -f -n '${seen}' -a ${one.name()} -d ${quoted(one.summary() || one.description())}`,
      );
    const options = command.options.flatMap(({ long, description, hidden }) =>
      long === undefined || long === null || hidden
        ? []
        : [
            `complete -c ${name} ${path === '' ? '' : `-n '${fishCondition(path, [])}' `}-l ${long.slice(2)} -d ${quoted(description)}`,
          ],
    );
    return [...below, ...options];
  });
  return `# fish completion of ${name}: ${name} completion fish | source\n${lines.join('\n')}\n`;
}

function fishCondition(path: string, below: readonly string[]): string {
  const seen = path.split(' ').map((word) => `__fish_seen_subcommand_from ${word}`);
  const not = below.length === 0 ? [] : [`not __fish_seen_subcommand_from ${below.join(' ')}`];
  return [...seen, ...not].join('; and ');
}

/** For fish: single quotes, in which only the backslash and the quote mean something. */
function quoted(text: string): string {
  return `'${text.replaceAll(/[\\']/g, (character) => `\\${character}`)}'`;
}
