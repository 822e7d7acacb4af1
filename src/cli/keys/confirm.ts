import { type CliContext, CliError } from '../context.ts';

/**
 * Asks to type a word, unless `--yes` was given.
 * @throws CliError where another one is typed, or nobody can be asked: then nothing happens
 */
export async function confirmByTyping(
  { io }: CliContext,
  { warning, word, yes }: { readonly warning: string; readonly word: string; readonly yes: boolean },
): Promise<void> {
  io.note(warning);
  if (yes) return;
  if (!io.inIsTerminal)
    throw new CliError('nothing was done: there is no terminal to confirm at. In scripts: --yes', 2);
  const typed = await io.ask(`Type ${word} to go on: `);
  if (typed.trim() !== word) throw new CliError('nothing was done: that is not what was asked for');
}
