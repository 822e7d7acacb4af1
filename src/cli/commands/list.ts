import { Command } from 'commander';
import type { CliContext } from '../context.ts';

export function listCommand(context: CliContext): Command {
  return new Command('list').description('list the secrets of a namespace').action(async () => {
    const cluster = await context.cluster();
    context.io.out(`${(await cluster.user(context.signal)).name}\n`);
  });
}
