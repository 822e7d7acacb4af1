import { foldName } from '../api/v1/embedded-name.ts';
import { type CliContext, CliError } from './context.ts';
import { printable } from './table.ts';

/**
 * Lets a person confirm by typing a name. `--yes` stands for it in scripts; where nobody can be asked and there is no `--yes`, nothing happens.
 * @throws CliError where it is not confirmed
 */
export async function confirm({ io }: CliContext, name: string, yes: boolean | undefined): Promise<void> {
  if (yes === true) return;
  if (!io.inIsTerminal)
    throw new CliError('nothing was done: there is no terminal to confirm at. In scripts, confirm by --yes');
  const typed = await io.ask(`Type ${printable(name)} to confirm: `);
  if (foldName(typed.trim()) !== foldName(name)) throw new CliError('that is another name: nothing was done');
}
