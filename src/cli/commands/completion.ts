import { Argument, Command } from 'commander';
import { completionScript, type Shell, shells } from '../completion-script.ts';
import { type CliContext, CliError } from '../context.ts';

const help = `
Examples:
  bash: echo 'source <(keyferry completion bash)' >> ~/.bashrc
  zsh:  echo 'source <(keyferry completion zsh)' >> ~/.zshrc
  fish: keyferry completion fish > ~/.config/fish/completions/keyferry.fish`;

export function completionCommand({ io }: CliContext): Command {
  return new Command('completion')
    .description('print a script that completes commands and options in a shell')
    .addArgument(new Argument('<shell>', 'for which shell').choices(shells))
    .addHelpText('after', help)
    .action((shell: Shell, _options: unknown, command: Command) => {
      const program = command.parent;
      if (program === null) throw new CliError('there is no command to complete');
      io.out(completionScript(program, shell));
    });
}
